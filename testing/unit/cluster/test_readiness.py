"""When a node counts as ready, and when a cluster is not waited for any longer."""

from __future__ import annotations

import copy
import io
import time
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster import name_servers
from nova_acceptance.cluster.readiness import await_ready, has_address, is_node_ready
from nova_acceptance.components.dns import rules
from nova_acceptance.components.kubernetes.backends import is_of
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError, Object
from nova_acceptance.kube.kinds import LOOKED_FOR, kind_served, version_served
from nova_acceptance.progress import Progress
from testing.unit.deploy.stub_kube import StubKube
from testing.unit.diagnosis.elsewhere import dns
from testing.unit.waiting import SOON


def node(ready: str, *taints: str) -> dict[str, Any]:
    return {
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
        "status": {
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": ready},
            ]
        },
    }


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (node("True"), True),
        (node("True", "node-role.kubernetes.io/control-plane"), True),
        (node("True", "node.kubernetes.io/not-ready"), False),
        (node("Unknown"), False),
        (node("False"), False),
        ({"spec": {}, "status": {}}, False),
    ],
)
def test_node_is_ready_once_pods_may_be_placed_on_it(seen: dict[str, Any], expected: bool) -> None:
    assert is_node_ready(seen) is expected


def slice_of(name: str, *, version: str = "v1", **conditions: bool) -> dict[str, Any]:
    return {
        "apiVersion": f"discovery.k8s.io/{version}",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x7k", "labels": {"kubernetes.io/service-name": name}},
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": conditions}],
    }


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_service_has_an_address_once_an_endpoint_is_ready(version: str) -> None:
    assert has_address(slice_of("kube-dns", version=version, ready=True))
    assert has_address(slice_of("kube-dns", version=version))  # absent means ready
    assert not has_address(slice_of("kube-dns", version=version, ready=False))
    assert is_of(slice_of("kube-dns", version=version), "kube-dns")
    assert not is_of(slice_of("metrics", version=version), "kube-dns")


def test_endpoints_serve_where_there_are_no_slices() -> None:
    where = {"kind": "Endpoints", "metadata": {"name": "kube-dns"}}

    assert not has_address(where)
    assert not has_address({**where, "subsets": [{"notReadyAddresses": [{"ip": "10.0.0.1"}]}]})
    assert has_address({**where, "subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]})
    assert is_of(where, "kube-dns")
    assert not is_of(where, "metrics")


class Serving:
    """An API that serves some kinds."""

    def __init__(self, *served: str) -> None:
        self._served = served

    def serves(self, api_version: str, kind: str) -> bool:
        return f"{api_version}/{kind}" in self._served


@pytest.mark.parametrize(
    ("served", "kind", "version"),
    [
        (("v1/Endpoints",), "Endpoints", "v1"),
        (("v1/Endpoints", "discovery.k8s.io/v1beta1/EndpointSlice"), "EndpointSlice", "v1beta1"),
        (
            (
                "v1/Endpoints",
                "discovery.k8s.io/v1beta1/EndpointSlice",  # 1.21 to 1.24 serve both
                "discovery.k8s.io/v1/EndpointSlice",
            ),
            "EndpointSlice",
            "v1",
        ),
    ],
)
def test_slices_are_read_wherever_they_are_served(
    served: tuple[str, ...], kind: str, version: str
) -> None:
    api = Serving(*served)

    assert kind_served(api, "EndpointSlice") == kind
    assert str(version_served(api, kind)).rpartition("/")[2] == version
    assert "Endpoints" not in LOOKED_FOR


STORAGE = {
    "kind": "StorageClass",
    "metadata": {
        "name": "standard",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
}


def dns_of(*replicas: int, ready: bool = False) -> list[Object]:
    """Return a DNS with a Deployment for each number of replicas, the first of which has a pod."""
    made, its, front, behind = copy.deepcopy(dns(ready=ready))
    made["kind"] = its["metadata"]["ownerReferences"][0]["kind"] = "Deployment"
    workloads = []
    for number, wanted in enumerate(replicas):
        each = copy.deepcopy(made)
        each["metadata"]["name"] += f"-{number}" if number else ""
        each["metadata"]["uid"] = f"uid-of-dns-{number}"
        each["spec"] |= {"replicas": wanted, "selector": {"matchLabels": its["metadata"]["labels"]}}
        workloads.append(each)
    return [*workloads, *([its] * bool(replicas[0])), front, behind]


class Starting(StubKube):
    """A cluster whose DNS gets its server once it was looked at a number of times."""

    def __init__(self, *objects: Object, after: int = 10**9) -> None:
        self.looks = 0
        self.after = after
        super().__init__({"kind": "Node", "metadata": {"name": "a"}} | node("True"), *objects)

    def serves(self, api_version: str, kind: str) -> bool:
        return (
            super().serves(api_version, kind) and kind != "EndpointSlice"
        )  # the objects of these tests are Endpoints

    def list(self, api_version: str, kind: str, **more: Any) -> list[Object]:
        if kind == "Service":
            self.looks += 1
            if self.looks == self.after:
                self.put(dns(ready=True)[-1])
        return super().list(api_version, kind, **more)


def wait_for(kube: StubKube) -> None:
    with Progress(io.StringIO()).step("waiting") as step:
        await_ready(kube, 1, step)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_servers, "_AGAIN", 0.001)
    monkeypatch.setattr(name_servers, "_AT_FIRST", 0.0)
    monkeypatch.setattr(timeouts, "CLUSTER_READY", SOON)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grace is over as soon as a state is seen."""
    for grace in ("NEXT_TRY", "RETURN", "STARTING"):
        monkeypatch.setattr(rules, grace, 0.0)


@pytest.mark.usefixtures("at_once")
def test_cluster_whose_dns_was_scaled_to_0_is_not_waited_for() -> None:
    began = time.monotonic()

    with pytest.raises(ClusterError) as caught:
        wait_for(Starting(STORAGE, *dns_of(0)))

    assert time.monotonic() - began < SOON
    assert caught.value.message.startswith("DNS_DOWN: ")
    assert "Deployment kube-system/coredns is scaled to 0" in caught.value.message
    assert "kubectl -n kube-system scale deployment coredns" in caught.value.hint


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "there",
    [dns_of(2), dns_of(2)[:1] + dns_of(2)[2:], dns_of(2)[1:], dns_of(0, 2)],
    ids=["its pod starts", "no pod yet", "no Deployment yet", "another Deployment is to serve"],
)
def test_cluster_whose_dns_wants_servers_is_waited_for_past_every_grace(
    there: list[Object],
) -> None:
    kube = Starting(STORAGE, *there, after=3)

    wait_for(kube)

    assert kube.looks >= kube.after


def test_dns_that_is_scaled_up_within_the_grace_is_waited_for() -> None:
    wait_for(Starting(STORAGE, *dns_of(0), after=3))


@pytest.mark.usefixtures("at_once")
def test_what_cannot_be_looked_at_ends_no_wait() -> None:
    class Refusing(Starting):
        def list(self, api_version: str, kind: str, **more: Any) -> list[Object]:
            found = super().list(api_version, kind, **more)
            if kind == "Deployment":
                raise ApiError("list", 403, b"{}")
            return found

    wait_for(Refusing(STORAGE, *dns_of(0), after=3))
