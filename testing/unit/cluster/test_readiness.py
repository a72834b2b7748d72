"""When a node counts as ready."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.cluster.readiness import has_address, is_node_ready


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


def test_service_has_an_address_once_an_endpoint_is_ready() -> None:
    assert not has_address({})
    assert not has_address({"subsets": [{"notReadyAddresses": [{"ip": "10.0.0.1"}]}]})
    assert has_address({"subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]})
