"""Why a name did not resolve as it should: the DNS itself, its answer, or the pod that asked.

The examination is short: a few questions at once from one pod, with a time limit of their own. What
they mean is worked out by pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dns.rcode

from nova_acceptance import timeouts
from nova_acceptance.components.dns.questions import kubernetes_address
from nova_acceptance.components.dns.records import is_answered, values
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import System
from nova_acceptance.vantage.agent import ask, ask_everywhere
from nova_acceptance.vantage.questions import (
    Answer,
    Exchange,
    Exchanged,
    Question,
    Resolve,
    Resolved,
)

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
    if not every:
        return None
    evidence = tuple(_told(answer) for answer in every)
    answered = [answer for answer in every if answer.message is not None]
    if not answered:
        return Finding(
            "DNS_DOWN",
            DNS,
            Phrase(
                "the cluster's DNS answers nobody ({states}): asked from {count} pods",
                states=sorted({answer.state for answer in every}),
                count=len(asked),
            ),
            evidence=evidence,
        )
    refused = [answer for answer in answered if _rcode(answer) != dns.rcode.NOERROR]
    if refused:
        said = dns.rcode.to_text(_rcode(refused[0]))
        cause = "DNS_WRONG_ANSWER" if _rcode(refused[0]) == dns.rcode.NXDOMAIN else "DNS_DOWN"
        return Finding(
            cause,
            DNS,
            Phrase(
                "the cluster's DNS answers {said} to the name of the API's own Service", said=said
            ),
            evidence=evidence,
        )
    silent = [pod for pod, answers in asked.items() if all(a.message is None for a in answers)]
    if silent:
        return Finding(
            "NETWORK_CUT",
            Ref("Namespace", "", silent[0].namespace),
            Phrase("the cluster's DNS answers others, and not {pods}", pods=silent),
            evidence=evidence,
        )
    soonest = min(answer.seconds for answer in answered)
    if soonest > timeouts.DNS_PROMPT:
        return Finding(
            "DNS_SLOW",
            DNS,
            Phrase(
                "the cluster's DNS takes {seconds:.1f} s for an answer at best", seconds=soonest
            ),
            evidence=evidence,
        )
    return None


@dataclass(frozen=True, slots=True)
class Lookup:
    """One name as a pod resolves it.

    Attributes:
        full: its absolute name, with the final dot.
        by_full: what the resolver makes of that.
        by_form: what it makes of the forms that need the search list, by form.
        served: the name server's own answer.
        wanted: the addresses that the API implies; empty where nothing is behind the name.
    """

    full: str
    by_full: Resolved
    by_form: Mapping[str, Resolved]
    served: Exchanged
    wanted: frozenset[str]


def why_wrong(lookup: Lookup) -> Finding | None:
    """Return why a pod does not resolve a name as it should; None where it does."""
    answers: list[Answer] = [lookup.by_full, *lookup.by_form.values(), lookup.served]
    evidence = tuple(_told(answer) for answer in answers)
    name = lookup.full.rstrip(".")
    served = values(lookup.served, "A") | values(lookup.served, "AAAA")
    if not is_answered(lookup.served):
        sentence = Phrase("the DNS gave no answer for {name}", name=name)
        return Finding("NAME_UNRESOLVED", NOWHERE, sentence, evidence=evidence)
    if not lookup.wanted:
        sentence = Phrase("nothing is behind the name {name}", name=name)
        return Finding("NAME_UNRESOLVED", NOWHERE, sentence, evidence=evidence)
    if served != lookup.wanted:
        sentence = Phrase(
            "the DNS serves {served} for {name}, where the API says {wanted}",
            served=sorted(served) or dns.rcode.to_text(_rcode(lookup.served)),
            name=name,
            wanted=sorted(lookup.wanted),
        )
        return Finding("DNS_WRONG_ANSWER", DNS, sentence, evidence=evidence)
    return _of_resolver(lookup, evidence)


def _of_resolver(lookup: Lookup, evidence: tuple[str, ...]) -> Finding | None:
    """Judge what the pod's resolver makes of an answer that is right."""
    if not lookup.by_full.is_answered:
        sentence = Phrase(
            "the DNS serves {name} rightly, and the pod's own lookup gets no answer ({said})",
            name=lookup.full,
            said=lookup.by_full.detail or lookup.by_full.state,
        )
        return Finding("NAME_UNRESOLVED", NOWHERE, sentence, evidence=evidence)
    if lookup.by_full.addresses != lookup.wanted:
        sentence = Phrase(
            "the DNS serves {name} rightly, and the pod resolves it to {addresses}",
            name=lookup.full,
            addresses=sorted(lookup.by_full.addresses) or lookup.by_full.detail,
        )
        return Finding("NAME_RESOLVES_WRONGLY", NOWHERE, sentence, evidence=evidence)
    wrong = {
        form: answer for form, answer in lookup.by_form.items() if answer.addresses != lookup.wanted
    }
    if not wrong:
        return None
    forms = list(wrong)
    if any(answer.addresses for answer in wrong.values()):
        sentence = Phrase(
            "{forms} resolves to other addresses than {name} does", forms=forms, name=lookup.full
        )
        return Finding("NAME_RESOLVES_WRONGLY", NOWHERE, sentence, evidence=evidence)
    if all(answer.is_absent for answer in wrong.values()):
        sentence = Phrase(
            "{name} resolves, and {forms} does not: the search list lacks the zone",
            name=lookup.full,
            forms=forms,
        )
        return Finding("SEARCH_PATH_LOST", NOWHERE, sentence, evidence=evidence)
    sentence = Phrase("{forms} did not resolve", forms=forms)
    return Finding("NAME_UNRESOLVED", NOWHERE, sentence, evidence=evidence)


def ask_why(kube: Kube, pod: PodRef, host: str, wanted: frozenset[str]) -> Finding | None:
    """Ask from a pod why a host name does not work there.

    Raises:
        ProbeError: nothing could be asked from the pod.
    """
    full = f"{host.rstrip('.')}."
    asked: list[Question[Answer]] = [Resolve(full), Resolve(host), Exchange(host, "A")]
    by_full, by_form, served = ask(kube, pod, asked)
    assert isinstance(by_full, Resolved)
    assert isinstance(by_form, Resolved)
    assert isinstance(served, Exchanged)
    return why_wrong(Lookup(full, by_full, {host: by_form}, served, wanted))


def ask_dns(kube: Kube, pods: Iterable[PodRef], system: System) -> Finding | None:
    """Ask from pods whether the cluster's DNS answers, and return what is wrong with it.

    Raises:
        ProbeError: nothing could be asked from one of the pods.
    """
    questions = pilot(system)
    return state_of_dns(ask_everywhere(kube, dict.fromkeys(pods, questions)))


def _rcode(answer: Exchanged) -> dns.rcode.Rcode:
    assert answer.message is not None
    return answer.message.rcode()


def _told(answer: Answer) -> str:
    told = answer.evidence
    return f"{told.source}: {told.asked}: {told.answer} ({1000 * told.seconds:.0f} ms)"
