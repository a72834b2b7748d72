"""What is wrong with a service, by what it answers to those who use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from nova_acceptance.checks import check
from nova_acceptance.components.certificates.checks import lacking_names, wrong_time
from nova_acceptance.components.certificates.held import HeldCertificate, is_same, shown_by
from nova_acceptance.components.http.questions import first_words, front_of, health
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kubernetes.workloads import references
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Certificate
from nova_acceptance.vantage.questions import Answer, Page, Question

AnswerT = TypeVar("AnswerT", bound=Answer)


@check
def wrong_status(connections: Connections, service: Http) -> Iterator[Finding]:
    """Find a service that does not answer with the status that says it is well."""
    assert service.health is not None
    for pod, page in _pages(connections, service):
        if isinstance(page, Finding):
            yield page
        elif plain := _spoken_in_plain(connections, pod, service, page):
            yield plain
        elif page.status != service.health.status:
            sentence = Phrase(
                "{service} answers {pod} with {said} to GET {path}, where nova.yaml says {wanted}",
                service=service.name,
                pod=pod,
                said=_said(page),
                path=service.health.path,
                wanted=service.health.status,
            )
            yield Finding("SERVICE_UNHEALTHY", NOWHERE, sentence)


@check
def wrong_name(connections: Connections, service: Http) -> Iterator[Finding]:
    """Find a service in whose place another one answers."""
    assert service.health is not None
    key = str(service.health.names_itself)
    for pod, page in _pages(connections, service):
        if isinstance(page, Finding):
            yield page
        elif plain := _spoken_in_plain(connections, pod, service, page):
            yield plain
        elif page.state != "answered":
            sentence = Phrase(
                "{service} does not answer {pod} ({said})",
                service=service.name,
                pod=pod,
                said=_said(page),
            )
            yield Finding("SERVICE_UNHEALTHY", NOWHERE, sentence)
        elif (name := _name_in(page.body, key)) != service.name:
            sentence = Phrase(
                "what answers {pod} as {service} calls itself {name}",
                pod=pod,
                service=service.name,
                name=repr(name),
            )
            yield Finding("SERVICE_UNHEALTHY", NOWHERE, sentence)


@check
def missing_http2(connections: Connections, service: Http) -> Iterator[Finding]:
    """Find a gRPC service that does not begin a connection as a server of HTTP/2."""
    for pod, answer in _answers(connections, service, first_words(service, connections.system)):
        if isinstance(answer, Finding):
            yield answer
        elif answer.state != "answered":
            sentence = Phrase(
                "{service} does not answer {pod} by HTTP/2, which gRPC needs ({said})",
                service=service.name,
                pod=pod,
                said=_failed(answer),
            )
            yield Finding("SERVICE_UNHEALTHY", NOWHERE, sentence)


@check
def wrong_certificate(connections: Connections, service: Http) -> Iterator[Finding]:
    """Find a service that shows a certificate which its clients refuse, or an old one.

    It is to be the one of a Secret that nova.yaml names under `certificates`, where its pods are
    given such a one.
    """
    for pod, page in _pages(connections, service):
        if isinstance(page, Finding):
            yield page
        elif not page.certificate:
            yield _spoken_in_plain(connections, pod, service, page) or Finding(
                "TLS_MISSING",
                NOWHERE,
                Phrase(
                    "{service} shows {pod} no certificate ({said})",
                    service=service.name,
                    pod=pod,
                    said=_failed(page),
                ),
            )
        else:
            yield from _of_certificate(connections, service, page.certificate)


def _of_certificate(connections: Connections, service: Http, der: bytes) -> Iterator[Finding]:
    front, system = front_of(service), connections.system
    shown = shown_by(front.ref, der)
    given = list(_given(connections, service))
    same = next((held for held in given if is_same(shown, held)), None)
    if same:  # what is wrong with it is wrong in the Secret
        shown = shown_by(same.where, der)
    elif given:
        yield Finding(
            "CERTIFICATE_NOT_IN_USE",
            service.workload.ref,
            Phrase(
                "{service} shows another certificate than {secrets} holds",
                service=service.name,
                secrets=[held.where for held in given],
            ),
            evidence=(f"shown: {shown}", *(f"{held.where}: {held}" for held in given)),
        )
        return
    yield from wrong_time(shown)
    wanted = Certificate(
        secret=service.name,
        namespace=service.namespace,
        days_left=1,
        names=(front.full_name(system.zone),),
    )
    yield from lacking_names(shown, wanted, system)


def _given(connections: Connections, service: Http) -> Iterator[HeldCertificate]:
    """Yield the certificates of nova.yaml that are given to the service's pods."""
    workload = connections.objects.at(service.workload.ref)
    used = {each.target for each in references(workload)} if workload else set()
    for declared in connections.system.certificates:
        secret = connections.objects.at(declared.ref) if declared.ref in used else None
        if secret:
            yield HeldCertificate.of(secret, declared)


def _spoken_in_plain(
    connections: Connections, pod: PodRef, service: Http, page: Page
) -> Finding | None:
    """Return that a service which is to speak TLS speaks plain HTTP; None where it does not."""
    if service.scheme != "https" or page.state not in ("no-tls", "timeout", "cut"):
        return None
    question = replace(health(service, connections.system), scheme="http")
    try:
        plain = connections.survey.answer(pod, question)
    except UnaskedError as error:
        try:
            plain = connections.page_behind(front_of(service), question, error)
        except ProbeError:
            return None
    if plain.state != "answered":
        return None
    return Finding(
        "TLS_MISSING",
        NOWHERE,
        Phrase(
            "{service} answers {pod} plain HTTP ({status}) at port {port}, where nova.yaml says "
            "https",
            service=service.name,
            pod=pod,
            status=plain.status,
            port=service.port,
        ),
        evidence=(f"over TLS: {_failed(page)}",),
    )


def _pages(connections: Connections, service: Http) -> Iterator[tuple[PodRef, Page | Finding]]:
    """Yield what each pod that uses a service was answered; see `_answers`.

    Where a pod cannot be asked from, a pod of the service is asked through a port-forward.
    """
    question, front = health(service, connections.system), front_of(service)
    for pod in connections.users_of(front, service.port):
        try:
            answer = _answer(connections, pod, service, question)
        except UnaskedError as error:
            answer = connections.page_behind(front, question, error)
        yield pod, answer


def _answers(
    connections: Connections, service: Http, question: Question[AnswerT]
) -> Iterator[tuple[PodRef, AnswerT | Finding]]:
    """Yield what each pod that uses a service was answered, or why it is closed to the pod."""
    for pod in connections.users_of(front_of(service), service.port):
        yield pod, _answer(connections, pod, service, question)


def _answer(
    connections: Connections, pod: PodRef, service: Http, question: Question[AnswerT]
) -> AnswerT | Finding:
    front = front_of(service)
    if closed := connections.closed(pod, front, service.port):
        return closed
    answer = connections.survey.answer(pod, question)
    if answer.state != "unresolved":
        return answer
    sentence = Phrase(
        "{pod} cannot resolve {host} ({said})",
        pod=pod,
        host=front.full_name(connections.system.zone),
        said=answer.detail,
    )
    return Finding("NAME_UNRESOLVED", front.ref, sentence)


def _said(page: Page) -> str:
    return str(page.status) if page.state == "answered" else _failed(page)


def _failed(answer: Answer) -> str:
    return f"{answer.state} {answer.detail}".strip()


def _name_in(body: str, key: str) -> str:
    """Return the name by which a service answers; empty where it says none."""
    try:
        return str(json.loads(body)[key])
    except (ValueError, KeyError, TypeError):
        return ""
