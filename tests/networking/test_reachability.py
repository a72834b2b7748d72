"""Open and closed ports, seen from the pods of every service."""

from __future__ import annotations

import pytest

from nova_acceptance.claims import BrokenClaimError, broken, equal
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.network.connections import SILENT, Ways
from nova_acceptance.components.network.questions import (
    CLOSED_PORT,
    addresses,
    dial_pod,
    listening,
    undeclared,
)
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front, Passage, Service, System, Workload
from nova_acceptance.system.parts import doors
from nova_acceptance.vantage.survey import Survey

pytestmark = pytest.mark.reachability


@pytest.mark.means("PORT_CLOSED", "PORT_SILENT", "NETWORK_CUT", "NAME_UNRESOLVED")
def test_service_reaches(ways: Ways, service_pods: dict[str, PodRef], passage: Passage) -> None:
    """From the service's pod, the other Service's port is open under its full name."""
    pod = service_pods[passage.source.name]

    if found := ways.closed(pod, passage.door.front, passage.door.port):
        raise BrokenClaimError(found)


@pytest.mark.means("PORT_UNDECLARED_OPEN", "PORT_CLOSED", "PORT_SILENT")
def test_closed_port_is_refused(
    *,
    ways: Ways,
    reachability: Survey,
    service_pods: dict[str, PodRef],
    objects: Objects,
    service: Service,
    workload: Workload,
    system: System,
) -> None:
    """At the workload's pods a declared port is open, and one where nothing listens is refused."""
    pod = service_pods[service.name]
    found = addresses(objects, workload)
    opened = {
        address: reachability.answer(pod, dial_pod(address, port)).state
        for port in listening(workload)[:1]
        for address in found
    }
    closed = {
        address: reachability.answer(pod, dial_pod(address, CLOSED_PORT)).state for address in found
    }

    if not found:
        said = Phrase("{workload} has no pod with an address", workload=workload.name)
        raise broken("WORKLOAD_NOT_READY", said)
    if SILENT & {*opened.values(), *closed.values()}:
        for door in doors(system):  # what the whole survey shows is more than one port's silence
            if door.front.workload != workload:
                continue
            shown = ways.closed(pod, door.front, door.port)
            if shown and shown.cause == "NETWORK_CUT":
                raise BrokenClaimError(shown)
    for address, state in opened.items():
        cause = "PORT_SILENT" if state in SILENT else "PORT_CLOSED"
        what = Phrase(
            "the declared port at {address}, to {service},", address=address, service=service.name
        )
        equal(state, "open", cause, what)
    for address, state in closed.items():
        cause = "PORT_SILENT" if state in SILENT else "PORT_UNDECLARED_OPEN"
        what = Phrase(
            "port {port} at {address}, to {service},",
            port=CLOSED_PORT,
            address=address,
            service=service.name,
        )
        equal(state, "refused", cause, what)


@pytest.mark.means("PORT_UNDECLARED_OPEN", "PORT_CLOSED", "PORT_SILENT", "NETWORK_CUT")
def test_service_is_silent_at_undeclared_ports(
    ways: Ways,
    reachability: Survey,
    service_pods: dict[str, PodRef],
    clustered: Front,
    system: System,
) -> None:
    """At its address a Service lets nobody in by a port that it does not declare."""
    declared = next(iter(clustered.service.ports.values()))
    for pod in service_pods.values():
        if found := ways.closed(pod, clustered, declared):
            raise BrokenClaimError(found)
        answer = reachability.answer(pod, undeclared(clustered, system))
        assert answer.state in ("refused", "timeout", "unreachable")
