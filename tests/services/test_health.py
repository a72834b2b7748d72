"""Each service answers /health by its own name, through its Service."""

from __future__ import annotations

import json

import pytest

from nova_acceptance.claims import BrokenClaimError
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.network.questions import health
from nova_acceptance.kube import PodRef
from nova_acceptance.system import Front, Service, System
from nova_acceptance.vantage.survey import Survey


@pytest.fixture
def own(service: Service) -> Front:
    """The Kubernetes Service in front of the service."""
    (kube_service,) = service.workload.services
    return Front(service.workload, kube_service)


def name_in(body: str) -> str:
    """Return the name by which a service answers; empty where it says none."""
    try:
        return str(json.loads(body)["service"])
    except (ValueError, KeyError, TypeError):
        return ""


@pytest.mark.means("SERVICE_UNHEALTHY", "PORT_CLOSED", "PORT_SILENT")
def test_service_answers_health(
    *,
    ways: Ways,
    reachability: Survey,
    service_pods: dict[str, PodRef],
    service: Service,
    own: Front,
    system: System,
) -> None:
    """Whoever asks, from any other service's pod, is answered 200."""
    askers = {name: pod for name, pod in service_pods.items() if name != service.name}
    for pod in askers.values():
        if found := ways.closed(pod, own, service.port):
            raise BrokenClaimError(found)
    pages = {name: reachability.answer(pod, health(own, system)) for name, pod in askers.items()}

    assert askers
    assert {name: page.status for name, page in pages.items()} == dict.fromkeys(askers, 200)


@pytest.mark.means("SERVICE_UNHEALTHY", "PORT_CLOSED", "PORT_SILENT")
def test_service_names_itself(
    *,
    ways: Ways,
    reachability: Survey,
    service_pods: dict[str, PodRef],
    service: Service,
    own: Front,
    system: System,
) -> None:
    """The answer is the service's own, not that of whatever else listens there."""
    asker = next(pod for name, pod in service_pods.items() if name != service.name)
    if found := ways.closed(asker, own, service.port):
        raise BrokenClaimError(found)
    page = reachability.answer(asker, health(own, system))

    assert page.state == "answered"
    assert name_in(page.body) == service.name
