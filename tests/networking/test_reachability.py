"""Open and closed ports, seen from the pods of every component that uses something."""

from __future__ import annotations

import pytest

from nova_acceptance.components.network import checks
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.system import External, Front, Passage, Workload

pytestmark = pytest.mark.reachability


def test_component_reaches(connections: Connections, passage: Passage) -> None:
    """From the component's pod, the other Service's port is open under its full name."""
    assert checks.closed_passage(connections, passage) == []


def test_component_must_not_reach(connections: Connections, closed_passage: Passage) -> None:
    """From the component's pod, a port that nova.yaml declares closed lets nobody in."""
    assert checks.open_passage(connections, closed_passage) == []


@pytest.mark.external
def test_external_system_is_reached(connections: Connections, external: External) -> None:
    """Every component that uses the system outside the cluster reaches it."""
    assert checks.unreached_external(connections, external) == []


def test_closed_port_is_refused(connections: Connections, reached_workload: Workload) -> None:
    """At the workload's pods a declared port is open, and one where nothing listens is refused."""
    assert checks.wrong_ports_of_pods(connections, reached_workload) == []


def test_service_is_silent_at_undeclared_ports(connections: Connections, reached: Front) -> None:
    """At its address a Service lets nobody in by a port that it does not declare."""
    assert checks.open_undeclared_port(connections, reached) == []
