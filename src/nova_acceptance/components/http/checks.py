"""What is wrong with a service, by what it answers to those who use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

from nova_acceptance.checks import check
from nova_acceptance.components.http.questions import first_words, front_of, health
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.errors import UnaskedError
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.questions import Answer, Page, Question

AnswerT = TypeVar("AnswerT", bound=Answer)


@check
def wrong_status(connections: Connections, service: Http) -> Iterator[Finding]:
    """Find a service that does not answer with the status that says it is well."""
    assert service.health is not None
    for pod, page in _pages(connections, service):
        if isinstance(page, Finding):
            yield page
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


def _pages(connections: Connections, service: Http) -> Iterator[tuple[PodRef, Page | Finding]]:
    """Yield what each pod that uses a service was answered; see `_answers`.

    Where a pod cannot be asked from, a pod of the service is asked through a port-forward.
    """
    question, front = health(service, connections.system), front_of(service)
    for pod in connections.users_of(front, service.port):
        try:
            answer = _answer(connections, pod, service, question)
        except UnaskedError as error:
            answer = connections.page_behind(front, service.port, question.path, error)
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
    closed = connections.closed(pod, front_of(service), service.port)
    return closed or connections.survey.answer(pod, question)


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
