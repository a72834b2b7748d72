"""Why a name did not resolve as it should: the DNS itself, its answer, or the pod that asked.

The examination is short: a few questions at once from one pod, with a time limit of their own. What
they mean is worked out by pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.components.dns.questions import kubernetes_address
from nova_acceptance.components.dns.reached import cut_from_dns
from nova_acceptance.components.dns.records import is_answered, values
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.errors import UnaskedError
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.libraries import dns
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import System
from nova_acceptance.vantage.agent import PODS_AT_ONCE, ask, ask_everywhere
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import (
    Answer,
    Exchange,
    Exchanged,
    Question,
    Resolve,
    Resolved,
    Resolver,
    Resolving,
)
from nova_acceptance.vantage.routes import Routes

SAMPLES: Final = 3
"""Times that the DNS is asked the same, so that one lost packet says nothing."""


def pilot(system: System) -> list[Exchange]:
    """Return the questions that tell whether a pod's DNS answers at all, and how soon."""
    plain = kubernetes_address(system)
    return [Exchange(plain.name, plain.rdtype, timeout=timeouts.DNS_PATIENCE)] * SAMPLES


def state_of_dns(asked: Mapping[PodRef, Sequence[Exchanged]]) -> Finding | None:
    """Return what is wrong with the DNS as a whole; None where it answers well.

    Args:
        asked: the answers to `pilot` of each pod.
    """
    every = [answer for answers in asked.values() for answer in answers]
    found = _wrong_as_a_whole(asked, every) if every else None
    return replace(found, evidence=tuple(map(_told, every))) if found else None


def _wrong_as_a_whole(
    asked: Mapping[PodRef, Sequence[Exchanged]], every: Sequence[Exchanged]
) -> Finding | None:
    answered = [answer for answer in every if answer.message is not None]
    if not answered:
        sentence = Phrase(
            "the cluster's DNS answers nobody ({states}): asked from {count} pods",
            states=sorted({answer.state for answer in every}),
            count=len(asked),
        )
        return Finding("DNS_DOWN", DNS, sentence)
    if refused := [code for code in map(_rcode, answered) if code != dns.rcode.NOERROR]:
        sentence = Phrase(
            "the cluster's DNS answers {said} to the name of the API's own Service",
            said=dns.rcode.to_text(refused[0]),
        )
        is_denied = refused[0] == dns.rcode.NXDOMAIN
        return Finding("DNS_WRONG_ANSWER" if is_denied else "DNS_DOWN", DNS, sentence)
    silent = [pod for pod, answers in asked.items() if all(a.message is None for a in answers)]
    known = {answer.server for answer in answered}
    strangers = [pod for pod in silent if known.isdisjoint(each.server for each in asked[pod])]
    if strangers:
        sentence = Phrase(
            "{pods} asks the name server {server}, which gives no answer; others ask {known}",
            pods=strangers,
            server=asked[strangers[0]][0].server,
            known=sorted(known),
        )
        where = Ref("Pod", strangers[0].namespace, strangers[0].name)
        return Finding("SEARCH_PATH_LOST", where, sentence)
    if silent:
        sentence = Phrase("the cluster's DNS answers others, and not {pods}", pods=silent)
        return Finding(
            "NETWORK_CUT",
            Ref("Namespace", "", silent[0].namespace),
            sentence,
            concerns=tuple(Ref("Pod", pod.namespace, pod.name) for pod in silent),
        )
    soonest = min(answer.seconds for answer in answered)
    if soonest > timeouts.DNS_PROMPT:
        sentence = Phrase(
            "the cluster's DNS takes {seconds:.1f} s for an answer at best", seconds=soonest
        )
        return Finding("DNS_SLOW", DNS, sentence)
    return None


def why_wrong(
    full: str,
    *,
    by_full: Resolved,
    by_form: Mapping[str, Resolved],
    served: Exchanged,
    wanted: frozenset[str],
) -> Finding | None:
    """Return why a pod does not resolve a name as it should; None where it does.

    Args:
        full: its absolute name, with the final dot.
        by_full: what the resolver makes of that.
        by_form: what it makes of the forms that need the search list, by form.
        served: the name server's own answer.
        wanted: the addresses that the API implies; empty where nothing is behind the name.
    """
    found = _wrongly_served(full.rstrip("."), served, wanted) or _wrongly_resolved(
        full, by_full, by_form, wanted
    )
    evidence = tuple(map(_told, (by_full, *by_form.values(), served)))
    return replace(found, evidence=evidence) if found else None


def _wrongly_served(name: str, served: Exchanged, wanted: frozenset[str]) -> Finding | None:
    """Judge the name server's answer."""
    addresses = values(served, "A") | values(served, "AAAA")
    if not is_answered(served) or not wanted:
        sentence = Phrase(
            "nothing is behind the name {name}"
            if is_answered(served)
            else "the DNS gave no answer for {name}",
            name=name,
        )
        return Finding.here("NAME_UNRESOLVED", sentence)
    wanted = of_family(wanted, served)
    if addresses == wanted:
        return None
    sentence = Phrase(
        "the DNS serves {served} for {name}, where the API says {wanted}",
        served=sorted(addresses) or dns.rcode.to_text(_rcode(served)),
        name=name,
        wanted=sorted(wanted),
    )
    return Finding("DNS_WRONG_ANSWER", DNS, sentence)


def of_family(addresses: frozenset[str], served: Exchanged) -> frozenset[str]:
    """Return the addresses of the family that a name server was asked for."""
    types = [entry.rdtype for entry in served.message.question] if served.message else []
    version = 6 if dns.rdatatype.AAAA in types else 4
    return frozenset(each for each in addresses if ip_address(each).version == version)


def _wrongly_resolved(
    name: str, by_full: Resolved, by_form: Mapping[str, Resolved], wanted: frozenset[str]
) -> Finding | None:
    """Judge what the pod's resolver makes of an answer that is right."""
    if not by_full.is_answered:
        sentence = Phrase(
            "the DNS serves {name} rightly, and the pod's own lookup gets no answer ({said})",
            name=name,
            said=by_full.detail or by_full.state,
        )
        return Finding.here("NAME_UNRESOLVED", sentence)
    if by_full.addresses != wanted:
        sentence = Phrase(
            "the DNS serves {name} rightly, and the pod resolves it to {addresses}",
            name=name,
            addresses=sorted(by_full.addresses) or by_full.detail,
        )
        return Finding.here("NAME_RESOLVES_WRONGLY", sentence)
    wrong = {form: answer for form, answer in by_form.items() if answer.addresses != wanted}
    if not wrong:
        return None
    elsewhere = [form for form, answer in wrong.items() if answer.addresses]
    leads_elsewhere = bool(elsewhere)
    is_absent = all(answer.is_absent for answer in wrong.values())
    sentence = Phrase(
        "{forms} resolves to other addresses than {name} does"
        if leads_elsewhere
        else "{name} resolves, and {forms} does not: the search list lacks the zone"
        if is_absent
        else "{forms} did not resolve",
        forms=elsewhere or list(wrong),
        name=name,
    )
    if leads_elsewhere:
        return Finding.here("NAME_RESOLVES_WRONGLY", sentence)
    return Finding.here("SEARCH_PATH_LOST" if is_absent else "NAME_UNRESOLVED", sentence)


def ask_why(
    places: Places,
    pod: PodRef,
    host: str,
    wanted: frozenset[str],
    *,
    system: System,
    others: Iterable[PodRef] = (),
) -> Finding | None:
    """Ask from a pod why a host name does not work there.

    Where the name server gives no answer, it is asked from others as well whether it answers at
    all: what it does not say of one name, it may not say of any.

    Args:
        places: from where it can be asked.
        pod: who asks.
        host: the name.
        wanted: the addresses that the API implies.
        system: what nova.yaml says.
        others: further pods that can be asked from.

    Raises:
        ProbeError: nothing could be asked from the pod.
    """
    full = f"{host.rstrip('.')}."
    asked: list[Question[Answer]] = [Resolve(full), Resolve(host), Exchange(host, "A")]
    by_full, by_form, served = ask(places, pod, asked)
    assert isinstance(by_full, Resolved)
    assert isinstance(by_form, Resolved)
    assert isinstance(served, Exchanged)
    if not is_answered(served) and (whole := ask_dns(places, [pod, *others], system)):
        return whole
    return why_wrong(full, by_full=by_full, by_form={host: by_form}, served=served, wanted=wanted)


def ask_dns(
    places: Places, pods: Iterable[PodRef], system: System, others: Iterable[PodRef] = ()
) -> Finding | None:
    """Ask from pods whether the cluster's DNS answers, and return what is wrong with it.

    From those that cannot be asked nothing is known of it.

    Args:
        places: from where it can be asked.
        pods: from where it is asked.
        system: what nova.yaml says.
        others: from where it is asked as well, where it answers only some of these or none: to
            see what those have in common.

    Raises:
        ProbeError: one of the others could not be asked.
    """
    return wrong_dns(places, ask_pilot(places, pods, system), system, others)


def ask_pilot(
    places: Places, pods: Iterable[PodRef], system: System, routes: Routes | None = None
) -> dict[PodRef, list[Exchanged]]:
    """Return the answers to `pilot` of those pods from which anything can be asked.

    Args:
        places: from where it can be asked.
        pods: from where it is asked.
        system: what nova.yaml says.
        routes: as `Survey` takes them.
    """
    asked = pilot(system)

    def answers(pod: PodRef) -> list[Exchanged] | None:
        try:
            return routes.ask(pod, asked) if routes else ask(places, pod, asked)
        except UnaskedError:
            return None

    with ThreadPoolExecutor(PODS_AT_ONCE) as pool:
        wanted = list(dict.fromkeys(pods))
        found = zip(wanted, pool.map(answers, wanted), strict=True)
        return {pod: each for pod, each in found if each is not None}


def wrong_dns(
    places: Places,
    answers: Mapping[PodRef, Sequence[Exchanged]],
    system: System,
    others: Iterable[PodRef] = (),
) -> Finding | None:
    """Return what is wrong with the DNS, after it was asked more where that tells more.

    Args:
        places: from where it can be asked.
        answers: those to `pilot` of each pod.
        system: what nova.yaml says.
        others: as `ask_dns` takes them.

    Raises:
        ProbeError: one of the others could not be asked.
    """
    found = state_of_dns(answers)
    # who is not answered may be on a node that is cut off, all of those that were asked
    if found and (found.cause == "NETWORK_CUT" or not _has_answered(answers)):
        more = [pod for pod in others if pod not in answers]
        every = {**answers, **ask_pilot(places, more, system)}
        cut = cut_from_dns(places.kube, every) if _has_answered(every) else None
        return cut or state_of_dns(every)
    if found and found.cause == "DNS_WRONG_ANSWER":
        return other_zone(ask_resolvers(places, answers), system.zone) or found
    return found


def _has_answered(asked: Mapping[PodRef, Sequence[Exchanged]]) -> bool:
    return any(answer.message is not None for answers in asked.values() for answer in answers)


def ask_resolvers(places: Places, pods: Iterable[PodRef]) -> dict[PodRef, Resolving]:
    """Return what pods' resolvers are configured with.

    Raises:
        ProbeError: one of them could not be asked.
    """
    answers = ask_everywhere(places, {pod: [Resolver()] for pod in pods})
    return {pod: answer for pod, (answer,) in answers.items()}


def other_zone(resolvers: Mapping[PodRef, Resolving], zone: str) -> Finding | None:
    """Return that the cluster has another zone than nova.yaml says; None where that is not seen.

    The kubelet writes it into every pod's search list, behind `svc.`.
    """
    zones = {pod: found for pod, each in resolvers.items() if (found := each.zone)}
    there = sorted(set(zones.values()))
    if len(there) != 1 or there == [zone]:
        return None
    return Finding(
        "ZONE_MISNAMED",
        DNS,
        Phrase(
            "the cluster's zone is {there}, where nova.yaml says {zone}", there=there[0], zone=zone
        ),
        Phrase("write `zone: {there}` into nova.yaml", there=there[0]),
        evidence=tuple(_told(resolvers[pod]) for pod in zones),
    )


def _rcode(answer: Exchanged) -> dns.rcode.Rcode:
    assert answer.message is not None
    return answer.message.rcode()


def _told(answer: Answer) -> str:
    told = answer.evidence
    return f"{told.source}: {told.asked}: {told.answer} ({1000 * told.seconds:.0f} ms)"
