"""What a test reads of a snapshot is taken down, and what was not read is never absent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_acceptance.collect import look
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.errors import ClusterError
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref
from nova_acceptance.kube import ApiError
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.collect.stub import StubKube
from testing.unit.probes.a_nova import SERVICES, endpoints, leaving, nova, pod, service, workload
from testing.unit.waiting import SOON

USER_SERVICE = nova().component("user-service").workload
THERE = (
    workload("user-service", SERVICES),
    pod("user-service-y", SERVICES, "user-service"),
    pod("user-service-x", SERVICES, "user-service"),
    leaving(pod("user-service-z", SERVICES, "user-service")),
    pod("auth-service-x", SERVICES, "auth-service"),
    service("user-service", SERVICES),
    endpoints("user-service", SERVICES, "user-service-x", "user-service-y"),
)
KINDS = ("Deployment", "Pod", "Service", "EndpointSlice", "Node")


@pytest.fixture
def kube() -> StubKube:
    return StubKube(*THERE)


@pytest.fixture
def told() -> list[Evidence]:
    return []


@pytest.fixture
def transcript(told: list[Evidence]) -> Iterator[Transcript]:
    found = Transcript()
    with found.listening(told.append):
        yield found


def seen(kube: StubKube, transcript: Transcript) -> Seen:
    return Seen(look(kube, [SERVICES], kinds=KINDS, timeout=SOON), transcript)


def test_each_object_that_is_read_is_evidence(
    kube: StubKube, transcript: Transcript, told: list[Evidence]
) -> None:
    objects = seen(kube, transcript)

    assert objects.at(Ref("Deployment", SERVICES, "user-service"))
    assert objects.get("Deployment", SERVICES, "other") is None
    assert len(list(objects.of_kind("Service", SERVICES))) == 1
    assert [(each.asked, each.answer) for each in told] == [
        (f"get Deployment {SERVICES}/user-service", "1 of 1 ready"),
        (f"get Deployment {SERVICES}/other", "absent"),
        (f"list Service {SERVICES}", "user-service"),
    ]
    assert {each.target for each in told} == {"Kubernetes API"}


def test_pods_of_a_workload_are_those_that_it_selects_and_that_stay(
    kube: StubKube, transcript: Transcript, told: list[Evidence]
) -> None:
    found = seen(kube, transcript).refs_of(USER_SERVICE)

    assert [each.name for each in found] == ["user-service-x", "user-service-y"]
    assert "Running, ready, 2 restarts, on nova-worker" in [each.answer for each in told]


def test_workload_that_is_absent_has_no_pods(transcript: Transcript) -> None:
    assert seen(StubKube(*THERE[1:]), transcript).pods_of(USER_SERVICE) == []


def test_endpoints_of_a_service_are_read_from_its_slices(
    kube: StubKube, transcript: Transcript, told: list[Evidence]
) -> None:
    objects = seen(kube, transcript)
    for _ in range(2):
        told.clear()
        found = objects.endpoints("user-service", SERVICES)
        assert [each.pod for each in found] == ["user-service-x", "user-service-y"]
        assert "10.244.1.1 (user-service-x)" in told[0].answer
    assert objects.endpoints("other", SERVICES) == []


def test_server_without_slices_is_read_by_its_endpoints(transcript: Transcript) -> None:
    old = {
        "kind": "Endpoints",
        "metadata": {"name": "user-service", "namespace": SERVICES},
        "subsets": [{"addresses": [{"ip": "10.244.1.9"}]}],
    }
    kube = StubKube(*THERE, old)
    kube.unserved = {"EndpointSlice"}

    (found,) = seen(kube, transcript).endpoints("user-service", SERVICES)
    assert found.address == "10.244.1.9"


def test_what_was_not_looked_at_is_not_absent(kube: StubKube, transcript: Transcript) -> None:
    objects = seen(kube, transcript)

    with pytest.raises(ValueError, match="ConfigMap of nova-services was not looked at"):
        objects.get("ConfigMap", SERVICES, "services-config")
    with pytest.raises(ValueError, match="Pod of elsewhere was not looked at"):
        list(objects.of_kind("Pod", "elsewhere"))


def test_what_could_not_be_read_says_why(kube: StubKube, transcript: Transcript) -> None:
    kube.forbidden = {"Pod", "EndpointSlice", "Node"}
    objects = seen(kube, transcript)

    for read in (
        lambda: objects.pods_of(USER_SERVICE),
        lambda: objects.endpoints("user-service", SERVICES),
        lambda: list(objects.of_kind("Node")),
        lambda: list(objects.of_kind("Pod")),
    ):
        with pytest.raises(ApiError) as caught:
            read()
        assert caught.value.status == 403
    assert objects.get("Deployment", SERVICES, "user-service")


def test_what_was_not_answered_in_time_is_an_error_of_the_cluster(
    kube: StubKube, transcript: Transcript
) -> None:
    kube.silent = {"Node"}
    try:
        objects = Seen(look(kube, [SERVICES], kinds=KINDS, timeout=0.2), transcript)
    finally:
        kube.end.set()

    with pytest.raises(ClusterError, match="in time"):
        list(objects.of_kind("Node"))
