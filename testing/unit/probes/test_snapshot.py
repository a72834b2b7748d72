"""The state of the system is counted from what is there, and each list is asked for once."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.kube import Object
from nova_acceptance.report import Recorder
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.inventory import counts, snapshot
from testing.unit.deploy.recorded import namespace
from testing.unit.deploy.stub_kube import StubKube
from testing.unit.probes.a_nova import SERVICES, endpoints, leaving, nova, pod, service, workload
from testing.unit.waiting import SOON

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


class CountingKube(StubKube):
    """Counts what is listed."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(*objects)
        self.lists: Counter[tuple[str, str | None]] = Counter()

    def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, **more: str
    ) -> list[Object]:
        self.lists[kind, namespace] += 1
        return super().list(api_version, kind, namespace=namespace, **more)


@pytest.fixture
def kube() -> CountingKube:
    return CountingKube(*THERE)


def test_pods_that_are_there_are_counted(kube: CountingKube) -> None:
    found = counts(NOVA, Objects(kube, Witness()))

    assert found["pods"] == 1
    assert found["namespaces"] == 1
    assert found["services"] == 1
    assert found["deployments"] == 1
    assert found["statefulsets"] == 0


def test_snapshot_lists_each_kind_once(kube: CountingKube) -> None:
    snapshot(NOVA, Objects(kube, Witness()))

    assert set(kube.lists.values()) == {1}
    assert kube.lists[("Pod", SERVICES)] == 1
    assert len(kube.lists) == 2 + 8 * len(NOVA.namespaces)


class PairingKube(StubKube):
    """Answers a list only while another one is under way."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(*objects)
        self._pair = threading.Barrier(2)

    def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, **more: str
    ) -> list[Object]:
        self._pair.wait(SOON)
        return super().list(api_version, kind, namespace=namespace, **more)


def test_snapshot_lists_side_by_side() -> None:
    found = snapshot(NOVA, Objects(PairingKube(*THERE), Witness()))

    assert found["counts"]["pods"] == 1


def test_snapshot_is_what_the_recorder_takes(kube: CountingKube) -> None:
    facts: list[dict[str, object]] = []

    Recorder(facts.append).snapshot(**snapshot(NOVA, Objects(kube, Witness())))

    (fact,) = facts
    assert [each["name"] for each in fact["pods"]] == ["user-service-x"]  # type: ignore[attr-defined]
    assert fact["counts"]["pods"] == 1  # type: ignore[index]


def test_lists_that_were_read_side_by_side_are_kept(kube: CountingKube) -> None:
    objects = Objects(kube, Witness())
    objects.read([("Pod", SERVICES), ("Pod", SERVICES), ("Namespace", None)])

    assert len(objects.all("Pod", SERVICES)) == 3
    objects.read([("Pod", SERVICES)])
    assert kube.lists == {("Pod", SERVICES): 1, ("Namespace", None): 1}
