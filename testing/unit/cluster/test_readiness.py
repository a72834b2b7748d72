"""When a node counts as ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_acceptance.cluster.readiness import await_ready, has_address, is_node_ready
from nova_acceptance.components.kubernetes.backends import is_of
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import SYNCED
from nova_acceptance.kube.kinds import LOOKED_FOR, kind_served, version_served
from nova_acceptance.progress import Step


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


class Events:
    """What a watch yields: the objects that there are, then those that come."""

    def __init__(self, there: list[Any], coming: list[Any]) -> None:
        self._events = [("ADDED", each) for each in there]
        self._events += [(SYNCED, {}), *(("MODIFIED", each) for each in coming)]
        self.is_stopped = False

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for each in self._events:
            if self.is_stopped:
                return
            yield each

    def stop(self) -> None:
        self.is_stopped = True


class Api:
    """A cluster with one node whose DNS has so many servers wanted, and answers later or never."""

    def __init__(self, replicas: int, *, answers: bool) -> None:
        labels = {"k8s-app": "kube-dns"}
        where = {"namespace": "kube-system"}
        self._objects = {
            "Service": {
                "metadata": {**where, "name": "kube-dns"},
                "spec": {"selector": labels, "ports": [{"port": 53, "protocol": "UDP"}]},
            },
            "Deployment": {
                "metadata": {**where, "name": "coredns"},
                "spec": {"replicas": replicas, "template": {"metadata": {"labels": labels}}},
            },
        }
        self._answers = answers

    def serves(self, *_: str) -> bool:
        return True

    def list(self, version: str, kind: str, **_: object) -> list[Any]:
        return [{"apiVersion": version, "kind": kind, **self._objects[kind]}]

    def watch(self, _version: str, kind: str, **_: object) -> Events:
        if kind == "Node":
            return Events([{**node("True"), "metadata": {"name": "one"}}], [])
        if kind == "StorageClass":
            default = {"storageclass.kubernetes.io/is-default-class": "true"}
            return Events([{"metadata": {"name": "local", "annotations": default}}], [])
        answering = slice_of("kube-dns", ready=True)
        return Events([slice_of("kube-dns", ready=False)], [answering] if self._answers else [])


def test_wait_ends_where_the_dns_is_scaled_to_nothing() -> None:
    api: Any = Api(0, answers=False)

    with pytest.raises(ClusterError) as raised:
        await_ready(api, 1, Step("waiting"))

    assert "Deployment kube-system/coredns is scaled to 0" in raised.value.message
    assert raised.value.hint == "`kubectl -n kube-system scale deployment coredns --replicas=2`"


def test_wait_goes_on_for_servers_that_are_still_to_come() -> None:
    api: Any = Api(2, answers=True)

    await_ready(api, 1, Step("waiting"))


def test_wait_that_is_over_says_what_was_missing() -> None:
    api: Any = Api(2, answers=False)

    with pytest.raises(ClusterError, match=r"not ready after .* the cluster's DNS"):
        await_ready(api, 1, Step("waiting"))
