"""Open and closed ports, seen from the pods of every service."""

from __future__ import annotations

import pytest

from nova_acceptance.kube import PodRef
from nova_acceptance.probes.objects import Objects
from nova_acceptance.probes.plans import (
    CLOSED_PORT,
    addresses,
    dial,
    dial_pod,
    listening,
    undeclared,
)
from nova_acceptance.probes.survey import Survey
from nova_acceptance.system import Front, Passage, Service, System, Workload

pytestmark = pytest.mark.reachability


def test_service_reaches(
    reachability: Survey, service_pods: dict[str, PodRef], passage: Passage, system: System
) -> None:
    """From the service's pod, the other Service's port is open under its full name."""
    pod = service_pods[passage.source.name]
    answer = reachability.answer(pod, dial(passage.door.front, passage.door.port, system))

    assert answer.state == "open"


def test_closed_port_is_refused(
    reachability: Survey,
    service_pods: dict[str, PodRef],
    objects: Objects,
    service: Service,
    workload: Workload,
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

    assert opened == dict.fromkeys(found, "open")
    assert closed == dict.fromkeys(found, "refused")


def test_service_is_silent_at_undeclared_ports(
    reachability: Survey, service_pods: dict[str, PodRef], clustered: Front, system: System
) -> None:
    """At its address a Service lets nobody in by a port that it does not declare."""
    declared = next(iter(clustered.service.ports.values()))
    for pod in service_pods.values():
        assert reachability.answer(pod, dial(clustered, declared, system)).state == "open"
        answer = reachability.answer(pod, undeclared(clustered, system))
        assert answer.state in ("refused", "timeout", "unreachable")
