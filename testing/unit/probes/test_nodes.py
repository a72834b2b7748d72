"""Which nodes replicas can be placed on."""

from __future__ import annotations

from typing import Any

from nova_acceptance.components.kubernetes.placement import hosts


def node(name: str, *taints: tuple[str, str], **spec: Any) -> dict[str, Any]:
    listed = [{"key": key, "effect": effect} for key, effect in taints]
    return {"metadata": {"name": name}, "spec": {**spec, **({"taints": listed} if taints else {})}}


def test_control_plane_carries_workloads_too() -> None:
    nodes = [
        node("control-plane", ("node-role.kubernetes.io/control-plane", "NoSchedule")),
        node("older", ("node-role.kubernetes.io/master", "NoSchedule")),
        node("worker"),
    ]

    assert hosts(nodes) == ["control-plane", "older", "worker"]


def test_tainted_or_cordoned_node_carries_nothing() -> None:
    nodes = [
        node("dedicated", ("gpu", "NoSchedule")),
        node("lost", ("node.kubernetes.io/unreachable", "NoExecute")),
        node("cordoned", unschedulable=True),
        node("reluctant", ("spot", "PreferNoSchedule")),
    ]

    assert hosts(nodes) == ["reluctant"]
