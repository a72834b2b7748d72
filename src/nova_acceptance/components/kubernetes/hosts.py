"""What nodes can carry."""

from __future__ import annotations

from typing import Final

from nova_acceptance.kube import Object

TOLERATED: Final = frozenset(
    {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}
)
"""Taints that Nova's replicated workloads put up with where they need three nodes."""
PREFERENCE: Final = "PreferNoSchedule"


def hosts(nodes: list[Object]) -> list[str]:
    """Return the names of the nodes that replicas of Nova can be placed on."""
    return [node["metadata"]["name"] for node in nodes if _can_host(node)]


def _can_host(node: Object) -> bool:
    if node["spec"].get("unschedulable"):
        return False
    taints = node["spec"].get("taints") or []
    return all(taint["key"] in TOLERATED or taint["effect"] == PREFERENCE for taint in taints)
