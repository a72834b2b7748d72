"""Open and closed ports, seen from the pods of every component that uses something."""

from __future__ import annotations

from typing import Final

import pytest

from nova_acceptance.claims import BrokenClaimError, broken, equal
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.network.connections import SILENT, Ways
from nova_acceptance.components.network.questions import (
    CLOSED_PORT,
    addresses,
    dial,
    dial_pod,
    listening,
    undeclared,
)
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import External, Front, Passage, System, Workload
from nova_acceptance.system.parts import passages
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.vantage.survey import Survey
from nova_acceptance.verification.vantage_points import VantagePoints

pytestmark = pytest.mark.reachability

CLOSED: Final = ("refused", "timeout", "unreachable")
"""How a port that lets nobody in answers."""
NAMELESS: Final = Finding(
    "NAME_UNRESOLVED", NOWHERE, Phrase("the name of the Service does not resolve")
)


@pytest.mark.means("PORT_CLOSED", "PORT_SILENT", "NETWORK_CUT", "NAME_UNRESOLVED")
def test_component_reaches(ways: Ways, component_pods: VantagePoints, passage: Passage) -> None:
    """From the component's pod, the other Service's port is open under its full name."""
    pod = component_pods[passage.source.name]

    if found := ways.closed(pod, passage.door.front, passage.door.port):
        raise BrokenClaimError(found)


@pytest.mark.means("PORT_UNDECLARED_OPEN", "NETWORK_CUT")
def test_component_must_not_reach(
    *,
    ways: Ways,
    reachability: Survey,
    component_pods: VantagePoints,
    closed_passage: Passage,
    system: System,
) -> None:
    """From the component's pod, a port that nova.yaml declares closed lets nobody in."""
    pod, door = component_pods[closed_passage.source.name], closed_passage.door
    answer = reachability.answer(pod, dial(door.front, door.port, system))

    if answer.state == "open":
        said = Phrase("{source} reaches {port}", source=closed_passage.source.name, port=door.name)
        raise broken("PORT_UNDECLARED_OPEN", said)
    if answer.state == "unresolved":
        raise BrokenClaimError(ways.closed(pod, door.front, door.port) or NAMELESS)
    assert answer.state in CLOSED


@pytest.mark.external
@pytest.mark.means("EXTERNAL_UNREACHABLE")
def test_external_system_is_reached(
    reachability: Survey, component_pods: VantagePoints, external: External, system: System
) -> None:
    """Every component that uses the system outside the cluster reaches it."""
    users = [it for it in system.components if external.name in {use.name for use in it.uses}]
    assert users
    assert external.host
    assert external.port
    states = {
        it.name: reachability.answer(
            component_pods[it.name], Dial(external.host, external.port)
        ).state
        for it in users
    }

    assert states == dict.fromkeys(states, "open")


@pytest.mark.means("PORT_UNDECLARED_OPEN", "PORT_CLOSED", "PORT_SILENT")
def test_closed_port_is_refused(
    *,
    ways: Ways,
    reachability: Survey,
    component_pods: VantagePoints,
    objects: Objects,
    reached_workload: Workload,
    system: System,
) -> None:
    """At the workload's pods a declared port is open, and one where nothing listens is refused."""
    found = addresses(objects, reached_workload)
    if not found:
        said = Phrase("{workload} has no pod with an address", workload=reached_workload.name)
        raise broken("WORKLOAD_NOT_READY", said)
    mine = [it for it in passages(system) if it.door.front.workload == reached_workload]
    for name in dict.fromkeys(passage.source.name for passage in mine):
        pod = component_pods[name]
        opened = {
            address: reachability.answer(pod, dial_pod(address, port)).state
            for port in listening(reached_workload)[:1]
            for address in found
        }
        closed = {
            address: reachability.answer(pod, dial_pod(address, CLOSED_PORT)).state
            for address in found
        }
        if SILENT & {*opened.values(), *closed.values()}:
            for passage in mine:  # what the whole survey shows is more than one port's silence
                shown = ways.closed(pod, passage.door.front, passage.door.port)
                if shown and shown.cause == "NETWORK_CUT":
                    raise BrokenClaimError(shown)
        for address, state in opened.items():
            cause = "PORT_SILENT" if state in SILENT else "PORT_CLOSED"
            what = Phrase("the declared port at {address}, to {name},", address=address, name=name)
            equal(state, "open", cause, what)
        for address, state in closed.items():
            cause = "PORT_SILENT" if state in SILENT else "PORT_UNDECLARED_OPEN"
            what = Phrase(
                "port {port} at {address}, to {name},",
                port=CLOSED_PORT,
                address=address,
                name=name,
            )
            equal(state, "refused", cause, what)


@pytest.mark.means("PORT_UNDECLARED_OPEN", "PORT_CLOSED", "PORT_SILENT", "NETWORK_CUT")
def test_service_is_silent_at_undeclared_ports(
    ways: Ways,
    reachability: Survey,
    component_pods: VantagePoints,
    reached: Front,
    system: System,
) -> None:
    """At its address a Service lets nobody in by a port that it does not declare."""
    sources = {it.source.name: it.door for it in passages(system) if it.door.front == reached}
    for name, door in sources.items():
        pod = component_pods[name]
        if found := ways.closed(pod, reached, door.port):
            raise BrokenClaimError(found)
        answer = reachability.answer(pod, undeclared(reached, system))
        assert answer.state in CLOSED
