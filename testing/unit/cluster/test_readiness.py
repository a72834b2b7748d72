"""When a node counts as ready."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.cluster.readiness import has_address, is_node_ready
from nova_acceptance.components.kubernetes.backends import is_of
from nova_acceptance.kube.kinds import LOOKED_FOR, kind_served, version_served


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
