"""What is wrong with names, by what pods are answered and what the API says.

A question that got no answer says nothing of the answer: it is never a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.lookups import state_of_dns, why_wrong
from nova_acceptance.components.dns.questions import (
    address,
    every_form,
    of_another_type,
    pod_names,
    schema_version,
)
from nova_acceptance.components.dns.records import (
    SCHEMA_VERSION,
    Records,
    is_absent,
    is_answered,
    values,
)
from nova_acceptance.components.dns.service import DNS, dns_services, own_addresses
from nova_acceptance.components.kubernetes.backends import ready_behind
from nova_acceptance.findings import NOWHERE, Finding, Ref, ref
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.libraries import dns
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front
from nova_acceptance.vantage.questions import Exchange, Exchanged, Resolve, Resolved

AT_ONCE: Final = 1.0
"""Seconds within which an absent name is said to be absent."""
_ADDRESSES: Final = ("A", "AAAA")


@check
def failing_dns(
    asked: Mapping[PodRef, Sequence[Exchanged]],
    ask_more: Callable[[], Finding | None] = lambda: None,
) -> Iterator[Finding]:
    """Find a DNS that does not answer every pod well.

    Args:
        asked: the answers to `pilot` of each pod.
        ask_more: returns what more questions show, where it does not answer all of these well.
    """
    if not asked:
        yield Finding("VANTAGE_MISSING", NOWHERE, Phrase("no pod runs that could ask the DNS"))
    elif found := state_of_dns(asked):
        yield ask_more() or found


@check
def missing_servers(
    snapshot: Snapshot, ask: Callable[[], Mapping[PodRef, Sequence[Exchanged]]] | None = None
) -> Iterator[Finding]:
    """Find a cluster whose DNS has no server that is ready.

    Its Service may have any name, and a cluster may keep its DNS outside of all Services, on its
    nodes or behind them. What answers pods well, and not by a Service's address, is there.

    Args:
        snapshot: what the API says.
        ask: returns the answers to `pilot` of each pod; None where nobody can be asked.
    """
    services = list(dns_services(snapshot))
    if any(ready_behind(snapshot, ref(each)) for each in services):
        return
    if ask and _is_served_elsewhere(services, ask()):
        return
    if services:
        where = ref(services[0])
        yield Finding("DNS_DOWN", where, Phrase("nothing is behind {service}", service=where))
    else:
        yield Finding(
            "DNS_DOWN",
            DNS,
            Phrase("there is no {service}, by which every pod asks for names", service=DNS),
            Phrase(
                "create it again as the cluster's installer does (`kubeadm init phase addon "
                "coredns`), with the address that is in the pods' /etc/resolv.conf"
            ),
        )


def _is_served_elsewhere(
    services: Sequence[Object], asked: Mapping[PodRef, Sequence[Exchanged]]
) -> bool:
    """Whether every pod is answered well, and by others than the Services of the DNS."""
    own = {address for service in services for address in own_addresses(service)}
    answers = [answer for each in asked.values() for answer in each]
    return (
        bool(answers)
        and state_of_dns(asked) is None
        and all(it.server not in own for it in answers)
    )


@check
def other_servers(
    snapshot: Snapshot, asked: Mapping[PodRef, Sequence[Exchanged]]
) -> Iterator[Finding]:
    """Find pods that ask a name server which does not know the cluster's names.

    It need not be the DNS's Service: a cache on the node has an address of its own. One that gave
    no answer says nothing of itself.
    """
    own = {address for each in dns_services(snapshot) for address in own_addresses(each)}
    for pod, answers in asked.items():
        silent = {answer.server for answer in answers if not is_answered(answer)}
        knowing = {
            answer.server for answer in answers if values(answer, "A") | values(answer, "AAAA")
        }
        if others := sorted({answer.server for answer in answers} - own - knowing - silent - {""}):
            sentence = Phrase(
                "{pod} asks {servers} for names, where the cluster's DNS is {own}",
                pod=pod,
                servers=others,
                own=sorted(own) or Phrase("nowhere"),
            )
            yield Finding("NAME_RESOLVES_WRONGLY", DNS, sentence)


@check
def unresolved_forms(lookups: Lookups, front: Front) -> Iterator[Finding]:
    """Find a Service that one of the full forms of its name does not lead to, from anywhere."""
    *short, full = every_form(front.name, front.namespace, lookups.system)
    for pod in lookups.pods.values():
        found = why_wrong(
            full,
            by_full=lookups.survey.answer(pod, Resolve(full)),
            by_form={form: lookups.survey.answer(pod, Resolve(form)) for form in short},
            served=lookups.survey.answer(pod, address(front, lookups.system)),
            wanted=lookups.addresses(front),
        )
        if found:
            yield found.at(_where(found.cause, pod, front))


@check
def wrong_bare_name(lookups: Lookups, front: Front) -> Iterator[Finding]:
    """Find a Service whose bare name does not work in its namespace, or does in another one."""
    for namespace, pod in lookups.pods.items():
        answer = lookups.survey.answer(pod, Resolve(front.name))
        if not answer.is_answered:
            yield _unresolved(pod, front.name, answer).at(front.ref)
        elif namespace == front.namespace:
            yield from _at_home(lookups, front, pod, answer)
        elif answer.addresses - _of_its_namesake(lookups, front, namespace):
            sentence = Phrase(
                "in namespace {namespace} the name {name} resolves to {addresses}, where there is "
                "no such Service",
                namespace=namespace,
                name=front.name,
                addresses=sorted(answer.addresses),
            )
            yield Finding("NAME_RESOLVES_WRONGLY", front.ref, sentence)


def _at_home(lookups: Lookups, front: Front, pod: PodRef, answer: Resolved) -> Iterator[Finding]:
    wanted = lookups.addresses(front)
    if answer.is_absent:
        cause = "SEARCH_PATH_LOST" if wanted else "NAME_UNRESOLVED"
        sentence = Phrase(
            "{service} does not resolve in its own namespace {namespace}",
            service=front.name,
            namespace=front.namespace,
        )
        yield Finding(cause, _where(cause, pod, front), sentence)
    elif answer.addresses != wanted:
        sentence = Phrase(
            "{name} resolves to {addresses} in its own namespace {namespace}, where the API says "
            "{wanted}",
            name=front.name,
            addresses=sorted(answer.addresses),
            namespace=front.namespace,
            wanted=sorted(wanted) or "nothing",
        )
        yield Finding("NAME_RESOLVES_WRONGLY", front.ref, sentence)


def _of_its_namesake(lookups: Lookups, front: Front, namespace: str) -> frozenset[str]:
    """Return the addresses of the Service of the same name in another namespace."""
    workload = front.workload.model_copy(update={"namespace": namespace})
    return lookups.addresses(replace(front, workload=workload))


@check
def wrong_records(lookups: Lookups, front: Front, rdtype: str) -> Iterator[Finding]:
    """Find a Service whose records of a type are not those that the API implies.

    They are asked for from every namespace, over UDP and TCP; those of the type `A` are the
    addresses of either version.
    """
    types = _ADDRESSES if rdtype in _ADDRESSES else (rdtype,)
    wanted = lookups.records(front, *types)
    if not wanted and not _has_no_names_of_pods(lookups, front, rdtype):
        sentence = Phrase(
            "{service} has no record of type {rdtype} by what the API says of it",
            service=front.name,
            rdtype=rdtype,
        )
        yield Finding("NAME_UNRESOLVED", front.ref, sentence)
    for pod in lookups.pods.values():
        for record in wanted:
            for tcp in (False, True):
                answer = lookups.survey.answer(pod, Exchange(record.name, record.rdtype, tcp))
                yield from _wrong_record(lookups, pod, record, answer, front)


def _wrong_record(
    lookups: Lookups, pod: PodRef, wanted: Records, answer: Exchanged, front: Front
) -> Iterator[Finding]:
    served = values(answer, wanted.rdtype)
    if not is_answered(answer):
        yield _unanswered(pod, wanted.name, answer).at(front.ref)
    elif served != wanted.values and not _is_of_other_services(lookups, wanted, served):
        sentence = Phrase(
            "the DNS answers {pod} with {served} as {rdtype} of {name}, where the API says "
            "{wanted}",
            pod=pod,
            served=sorted(served) or _said(answer),
            rdtype=wanted.rdtype,
            name=wanted.name,
            wanted=sorted(wanted.values),
        )
        yield Finding("DNS_WRONG_ANSWER", DNS, sentence, evidence=(answer.evidence.asked,))


def _is_of_other_services(lookups: Lookups, wanted: Records, served: frozenset[str]) -> bool:
    """Whether an address has all its names, and further ones by other headless Services alone."""
    if wanted.rdtype != "PTR" or not wanted.values <= served:
        return False
    others = lookups.headless_before(wanted.name)
    return all(name.partition(".")[2] in others for name in served - wanted.values)


def _has_no_names_of_pods(lookups: Lookups, front: Front, rdtype: str) -> bool:
    """Whether there are no such records since only a StatefulSet's pods have names."""
    is_of_pods = front.service.headless and front.workload.kind != "StatefulSet"
    return is_of_pods and rdtype not in _ADDRESSES and bool(lookups.addresses(front))


@check
def wrong_pod_names(lookups: Lookups, headless: Front) -> Iterator[Finding]:
    """Find pods whose own names, in any form and from anywhere, do not lead to them."""
    addresses = lookups.pod_addresses(headless.workload)
    for name in pod_names(headless):
        pod, *_ = name.split(".")
        if pod not in addresses:
            sentence = Phrase("there is no pod {pod} with an address", pod=pod)
            yield Finding("NAME_UNRESOLVED", headless.ref, sentence)
            continue
        for source in lookups.pods.values():
            for form in every_form(name, headless.namespace, lookups.system):
                answer = lookups.survey.answer(source, Resolve(form))
                yield from _wrong_pod_name(source, form, answer, addresses[pod], headless)


def _wrong_pod_name(
    source: PodRef, form: str, answer: Resolved, wanted: frozenset[str], front: Front
) -> Iterator[Finding]:
    if not answer.addresses:
        yield _unresolved(source, form, answer).at(front.ref)
    elif not answer.addresses <= wanted:
        sentence = Phrase(
            "to {source} the name {name} resolves to {addresses}, and the pod is at {wanted}",
            source=source,
            name=form,
            addresses=sorted(answer.addresses),
            wanted=sorted(wanted),
        )
        yield Finding("NAME_RESOLVES_WRONGLY", front.ref, sentence)


@check
def undenied_name(lookups: Lookups, absent: str, *, tcp: bool) -> Iterator[Finding]:
    """Find a name that does not exist, and that the DNS does not deny at once."""
    for pod in lookups.pods.values():
        answer = lookups.survey.answer(pod, Exchange(absent, "A", tcp))
        if not is_answered(answer):
            yield _unanswered(pod, absent, answer)
        elif not is_absent(answer):
            sentence = Phrase(
                "the DNS answers {pod} with {said} to {name}, which does not exist",
                pod=pod,
                said=sorted(values(answer, "A")) or _said(answer),
                name=absent,
            )
            yield Finding("DNS_WRONG_ANSWER", DNS, sentence)
        elif answer.seconds >= AT_ONCE:
            sentence = Phrase(
                "{name} is said to be absent after {seconds:.1f} s",
                name=absent,
                seconds=answer.seconds,
            )
            yield Finding("DNS_SLOW", DNS, sentence)


@check
def resolved_absent_name(lookups: Lookups, absent: str) -> Iterator[Finding]:
    """Find a name that does not exist, and that an application is not told to be unknown."""
    name = f"{absent}."
    for pod in lookups.pods.values():
        answer = lookups.survey.answer(pod, Resolve(name))
        if answer.addresses:
            sentence = Phrase(
                "to {pod} the name {name}, which does not exist, resolves to {addresses}",
                pod=pod,
                name=name,
                addresses=sorted(answer.addresses),
            )
            yield Finding("DNS_WRONG_ANSWER", DNS, sentence)
        elif not answer.is_absent:
            yield _unresolved(pod, name, answer)


@check
def denied_name(lookups: Lookups, front: Front) -> Iterator[Finding]:
    """Find a Service's name that is denied where it lacks only records of the type asked for."""
    for pod in lookups.pods.values():
        answer = lookups.survey.answer(pod, of_another_type(front, lookups.system))
        if not is_answered(answer):
            yield _unanswered(pod, front.name, answer).at(front.ref)
        elif is_absent(answer) and not lookups.addresses(front):
            sentence = Phrase("nothing is behind the name {name}", name=front.name)
            yield Finding("NAME_UNRESOLVED", front.ref, sentence)
        elif is_absent(answer) or answer.message is None or answer.message.answer:
            sentence = Phrase(
                "the DNS answers {pod} with {said} to the name {name} and a type that it has no "
                "record of",
                pod=pod,
                said=_said(answer),
                name=front.name,
            )
            yield Finding("DNS_WRONG_ANSWER", DNS, sentence)


@check
def unspecified_dns(lookups: Lookups) -> Iterator[Finding]:
    """Find a DNS that does not name the version of the specification that names are made by."""
    question = schema_version(lookups.system)
    for pod in lookups.pods.values():
        answer = lookups.survey.answer(pod, question)
        if not is_answered(answer):
            yield _unanswered(pod, question.name, answer)
        elif values(answer, question.rdtype) != {SCHEMA_VERSION}:
            sentence = Phrase(
                "the DNS answers {pod} with {said} to {name}, where the specification says "
                "{version}",
                pod=pod,
                said=sorted(values(answer, question.rdtype)) or _said(answer),
                name=question.name,
                version=SCHEMA_VERSION,
            )
            yield Finding("DNS_NO_SPECIFICATION", DNS, sentence)


def _unanswered(pod: PodRef, name: str, answer: Exchanged) -> Finding:
    sentence = Phrase(
        "the DNS gives {pod} no answer for {name} ({said})", pod=pod, name=name, said=_said(answer)
    )
    return Finding("NAME_UNRESOLVED", NOWHERE, sentence)


def _unresolved(pod: PodRef, name: str, answer: Resolved) -> Finding:
    sentence = Phrase(
        "{pod} cannot resolve {host} ({said})",
        pod=pod,
        host=name,
        said=answer.detail or answer.state,
    )
    return Finding("NAME_UNRESOLVED", NOWHERE, sentence)


def _said(answer: Exchanged) -> str:
    """Return what was answered in place of a value, or why nothing was."""
    if answer.message is None:
        return answer.state
    return dns.rcode.to_text(answer.message.rcode())


def _where(cause: str, pod: PodRef, front: Front) -> Ref:
    """Return at what it is that a name does not resolve: the pod that asked, or the Service."""
    if cause == "SEARCH_PATH_LOST":
        return Ref("Pod", pod.namespace, pod.name)
    return front.ref
