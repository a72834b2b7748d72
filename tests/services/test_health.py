"""Each service answers /health by its own name, through its Service."""

from __future__ import annotations

import json

import pytest

from nova_acceptance.kube import PodRef
from nova_acceptance.probes.plans import health
from nova_acceptance.probes.survey import Survey
from nova_acceptance.system import Front, Service, System


@pytest.fixture
def own(service: Service) -> Front:
    """The Kubernetes Service in front of the service."""
    (kube_service,) = service.workload.services
    return Front(service.workload, kube_service)


def test_service_answers_health(
    reachability: Survey,
    service_pods: dict[str, PodRef],
    service: Service,
    own: Front,
    system: System,
) -> None:
    """Whoever asks, from any other service's pod, is answered 200."""
    askers = {name: pod for name, pod in service_pods.items() if name != service.name}
    pages = {name: reachability.answer(pod, health(own, system)) for name, pod in askers.items()}

    assert {name: page.status for name, page in pages.items()} == dict.fromkeys(askers, 200)


def test_service_names_itself(
    reachability: Survey,
    service_pods: dict[str, PodRef],
    service: Service,
    own: Front,
    system: System,
) -> None:
    """The answer is the service's own, not that of whatever else listens there."""
    asker = next(pod for name, pod in service_pods.items() if name != service.name)
    page = reachability.answer(asker, health(own, system))

    assert json.loads(page.body)["service"] == service.name
