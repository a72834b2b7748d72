"""The state of the system is counted from what is there."""

from __future__ import annotations

import pytest

from nova_acceptance.collect import look
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.report import Recorder
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.inventory import KINDS, counts, snapshot
from testing.unit.collect.stub import StubKube
from testing.unit.deploy.recorded import namespace
from testing.unit.probes.a_nova import SERVICES, endpoints, leaving, nova, pod, service, workload

NOVA = nova()
THERE: tuple[Object, ...] = (
    namespace(SERVICES),
    namespace("kube-system"),
    workload("user-service", SERVICES),
    pod("user-service-x", SERVICES, "user-service"),
    leaving(pod("user-service-y", SERVICES, "user-service")),
    pod("a-task", SERVICES, "a-task", ready=False, phase="Succeeded"),
    pod("coredns-x", "kube-system", "kube-dns"),
    service("user-service", SERVICES, ports=[{"name": "http", "port": 8080}]),
    endpoints("user-service", SERVICES, "user-service-x"),
)


@pytest.fixture
def kube() -> StubKube:
    return StubKube(*THERE)


@pytest.fixture
def objects(kube: StubKube) -> Seen:
    return Seen(look(kube, NOVA.namespaces, NOVA, kinds=KINDS, logs=False), Transcript())


def test_pods_that_are_there_are_counted(objects: Seen) -> None:
    found = counts(NOVA, objects)

    assert found["pods"] == 1
    assert found["namespaces"] == 1
    assert found["services"] == 1
    assert found["deployments"] == 1
    assert found["statefulsets"] == 0


def test_all_that_it_needs_is_listed_once(kube: StubKube, objects: Seen) -> None:
    snapshot(NOVA, objects)

    assert len(kube.asked) == len(set(kube.asked)) == 2 + 8 * len(NOVA.namespaces)


def test_snapshot_is_what_the_recorder_takes(objects: Seen) -> None:
    facts: list[dict[str, object]] = []

    Recorder(facts.append).tell("snapshot", **snapshot(NOVA, objects))

    (fact,) = facts
    assert [each["name"] for each in fact["pods"]] == ["user-service-x"]  # type: ignore[attr-defined]
    assert fact["counts"]["pods"] == 1  # type: ignore[index]


def test_service_of_two_families_has_each_pod_once(kube: StubKube) -> None:
    slices = [
        {
            "kind": "EndpointSlice",
            "addressType": family,
            "metadata": {
                "name": f"user-service-{family}",
                "namespace": SERVICES,
                "labels": {"kubernetes.io/service-name": "user-service"},
            },
            "endpoints": [
                {"addresses": [address], "targetRef": {"kind": "Pod", "name": "user-service-x"}}
            ],
        }
        for family, address in (("IPv4", "10.244.1.7"), ("IPv6", "fd00::7"))
    ]
    for each in slices:
        kube.put(each)
    seen = Seen(look(kube, NOVA.namespaces, NOVA, kinds=KINDS, logs=False), Transcript())

    (row,) = [
        it
        for it in snapshot(NOVA, seen)["rows"]
        if it["component"] == "user-service" and it["kind"] == "Service"
    ]
    assert row["ready"] == 1


def test_what_may_not_be_read_is_not_counted() -> None:
    kube = StubKube(*THERE)
    kube.forbidden = {"Node", "Namespace", "ConfigMap"}
    seen = Seen(look(kube, NOVA.namespaces, NOVA, kinds=KINDS, logs=False), Transcript())
    found = snapshot(NOVA, seen)

    assert found["nodes"] == []
    assert found["counts"].keys().isdisjoint({"namespaces", "configmaps"})
    assert found["counts"]["pods"] == 1


def test_snapshot_in_a_traceback_is_short_and_shows_no_object() -> None:
    secret: Object = {
        "kind": "Secret",
        "metadata": {"name": "it", "namespace": "shop", "uid": "1"},
        "data": {"password": "c2VjcmV0"},
    }

    assert repr(Snapshot.of([secret])) == "<Snapshot of 1 object(s)>"
