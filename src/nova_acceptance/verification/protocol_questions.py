"""Everything that a system can be asked by protocol without changing it, question by question.

They are the questions of the acceptance suite, so that a command which only looks at a cluster says
the same of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from nova_acceptance.components.dns import checks as names
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.http import checks as http
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kind import ComponentCheck
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.traits import traits_of
from nova_acceptance.components.network import checks as network
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import component_checks, kind_of
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.diagnosis.coverage import COMPONENTS, Topic
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding
from nova_acceptance.system import Component, System, Url
from nova_acceptance.system.parts import urls
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients
from nova_acceptance.verification.parameters import parametrizations
from nova_acceptance.verification.secret_values import SecretValues
from nova_acceptance.verification.url_trials import trial_of

CONNECTIONS: Final = "connections"
NAMES: Final = "names"
URLS: Final = "URLs"

_HTTP: Final[Mapping[str, Callable[[Connections, Http], list[Finding]]]] = {
    "service": http.wrong_status,
    "named_service": http.wrong_name,
    "tls_service": http.wrong_certificate,
    "grpc_service": http.missing_http2,
}
_NETWORK: Final[Mapping[str, Callable[[Connections, Any], list[Finding]]]] = {
    "passage": network.closed_passage,
    "closed_passage": network.open_passage,
    "external": network.unreached_external,
    "reached_workload": network.wrong_ports_of_pods,
    "reached": network.open_undeclared_port,
}
"""By the part of nova.yaml over which each runs (`parameters`)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to a system.

    Attributes:
        topic: what it is about.
        about: the parts of nova.yaml by which its objects are found.
        find: asks, and returns what is wrong.
        is_last: whether the topic's other questions would wait as long for nothing where this one
            has no answer; those of a survey are answered all at once.
    """

    topic: Topic
    about: tuple[object, ...]
    find: Callable[[], Iterable[Finding]]
    is_last: bool = False


@dataclass(frozen=True, eq=False)
class Opened:
    """What is open to a system for as long as it is asked.

    Attributes:
        system: what nova.yaml says.
        clients: a client of each component.
        connections: from pods to Services.
        lookups: the system's names, asked from every namespace.
        secrets: what the Secrets hold, to connect with.
        transcript: takes down what is asked.
    """

    system: System
    clients: Clients
    connections: Connections
    lookups: Lookups
    secrets: SecretValues
    transcript: Transcript


def of_components(opened: Opened) -> Iterator[Question]:
    """Yield what components are asked by their own protocols, by clients or as a service is."""
    for each in component_checks(opened.system):
        if not each.writes:
            yield Question(
                Topic(COMPONENTS, each.component.name),
                (each,),
                partial(_checked, opened, each),
                is_last=True,
            )
    for argument, check in _HTTP.items():
        for service in _each(opened.system, argument):
            yield _of_survey(Topic(COMPONENTS, service.name), check, opened.connections, service)


def of_network(opened: Opened) -> Iterator[Question]:
    """Yield who is to reach whom, what the names stand for, and whether URLs let in."""
    for argument, check in _NETWORK.items():
        for part in _each(opened.system, argument):
            topic = Topic(CONNECTIONS, part.name)
            yield _of_survey(topic, check, opened.connections, part)
    for front in _each(opened.system, "front"):
        for asked in (names.unresolved_forms, names.wrong_bare_name):
            yield _of_survey(Topic(NAMES, front.name), asked, opened.lookups, front)
    for front in _each(opened.system, "named_pods"):
        if front.workload.component in opened.connections.pods:  # else there is no such name
            topic = Topic(NAMES, f"pods of {front.name}")
            yield _of_survey(topic, names.wrong_pod_names, opened.lookups, front)
    for url in urls(opened.system, inside=True):
        yield Question(Topic(URLS, url.name), (url,), partial(_tried, opened, url))


def unknown(system: System, topics: Iterable[Topic]) -> list[Component]:
    """Return the components that no topic is about: nothing is known to ask of their kind."""
    told = {each.name for each in topics if each.kind == COMPONENTS}
    return [each for each in system.components if each.name not in told]


def _of_survey(topic: Topic, check: Callable[..., Any], client: object, part: Any) -> Question:
    return Question(topic, (part,), partial(check, client, part))


def _each(system: System, argument: str) -> Iterator[Any]:
    for found in parametrizations(system, (argument,)):
        yield from (value for (value,) in found.values)


def _checked(opened: Opened, it: ComponentCheck) -> list[Finding]:
    return it.found(opened.clients.of(it.component))


def _tried(opened: Opened, url: Url) -> Iterator[Finding]:
    text = opened.secrets.text(*url.holder, url.key)
    written = text.encode()
    held = HeldUrl.of(url, opened.system, shape(written), traits_of(written))
    trier = kind_of(held.owner).urls if held else None
    if held is None or trier is None:
        raise ProbeError("nothing is known to ask by it")
    trial = trial_of(
        text,
        held,
        connections=opened.connections,
        transcript=opened.transcript,
        clients=opened.clients,
    )
    yield from trier.locked_out(trial)
    yield from trier.accepted_wrong_password(trial)
