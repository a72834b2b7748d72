"""Each service answers as one that is well, by its own name, through its Service."""

from __future__ import annotations

import json

import pytest

from nova_acceptance.claims import BrokenClaimError
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.network.questions import health
from nova_acceptance.kube import PodRef
from nova_acceptance.system import Front, System
from nova_acceptance.system.parts import front_of
from nova_acceptance.vantage.survey import Survey
from nova_acceptance.verification.vantage_points import VantagePoints


def front(service: Http) -> Front:
    """Return the Kubernetes Service in front of a service."""
    found = front_of(service)
    assert found is not None
    return found


def others(points: VantagePoints, service: Http, system: System) -> dict[str, PodRef]:
    """Return a pod of each other service; of any other component where there is no other."""
    names = [each.name for each in system.services if each is not service]
    names = names or [each.name for each in system.components if each is not service]
    return {name: points[name] for name in names or [service.name]}


def name_in(body: str, key: str) -> str:
    """Return the name by which a service answers; empty where it says none."""
    try:
        return str(json.loads(body)[key])
    except (ValueError, KeyError, TypeError):
        return ""


@pytest.mark.means("SERVICE_UNHEALTHY", "PORT_CLOSED", "PORT_SILENT")
def test_service_answers_health(
    *,
    ways: Ways,
    reachability: Survey,
    component_pods: VantagePoints,
    service: Http,
    system: System,
) -> None:
    """Whoever asks, from any other service's pod, is answered with the status of nova.yaml."""
    askers = others(component_pods, service, system)
    for pod in askers.values():
        if found := ways.closed(pod, front(service), service.port):
            raise BrokenClaimError(found)
    pages = {
        name: reachability.answer(pod, health(service, system)) for name, pod in askers.items()
    }

    assert service.health is not None
    assert {name: page.status for name, page in pages.items()} == dict.fromkeys(
        askers, service.health.status
    )


@pytest.mark.means("SERVICE_UNHEALTHY", "PORT_CLOSED", "PORT_SILENT")
def test_service_names_itself(
    *,
    ways: Ways,
    reachability: Survey,
    component_pods: VantagePoints,
    named_service: Http,
    system: System,
) -> None:
    """The answer is the service's own, not that of whatever else listens there."""
    pod, *_ = others(component_pods, named_service, system).values()
    if found := ways.closed(pod, front(named_service), named_service.port):
        raise BrokenClaimError(found)
    page = reachability.answer(pod, health(named_service, system))

    assert page.state == "answered"
    assert named_service.health is not None
    assert name_in(page.body, str(named_service.health.names_itself)) == named_service.name
