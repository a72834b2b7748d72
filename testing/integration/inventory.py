"""Every object of a cluster, whole, to be compared with what there is a moment later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.kube import Object
from nova_acceptance.vantage.until import until
from testing.integration.conftest import kubectl

NOT_KEPT: Final = ("events", "events.events.k8s.io", "componentstatuses")
"""What comes and goes by itself."""
CLOCKS: Final = ("resourceVersion", "managedFields", "selfLink")
"""Fields of metadata that say when something was written, and not what."""
BEATS: Final = {
    "Lease": ("renewTime", "acquireTime", "leaseTransitions"),
    "Node": ("lastHeartbeatTime",),
    "Endpoints": (
        "control-plane.alpha.kubernetes.io/leader",
        "endpoints.kubernetes.io/last-change-trigger-time",
    ),
    "EndpointSlice": ("endpoints.kubernetes.io/last-change-trigger-time",),
}
"""Fields that a healthy cluster writes anew all the time, by kind, wherever they are."""

Inventory = Mapping[str, Object]
"""Objects by kind, namespace and name."""


def inventory(cluster: Cluster) -> Inventory:
    """Return all objects of all kinds that the API lists, but for what beats like a clock."""
    kinds = set(kubectl(cluster, "api-resources", "--verbs=list", "--output=name").split())
    wanted = ",".join(sorted(kinds.difference(NOT_KEPT)))
    listed = json.loads(
        kubectl(cluster, "get", wanted, "--all-namespaces", "--show-managed-fields=false", "-ojson")
    )
    return {_name(each): _still(each) for each in listed["items"]}


def changes(cluster: Cluster, before: Inventory) -> dict[str, str]:
    """Return what is otherwise than before, by object, once the cluster had time to settle."""
    found: dict[str, str] = {}

    def is_as_before() -> bool:
        found.clear()
        found.update(_changes(before, inventory(cluster)))
        return not found

    until(is_as_before, within=timeouts.POD_LEAVES, every=1)
    return found


def _changes(before: Inventory, after: Inventory) -> dict[str, str]:
    """Return names and fields alone: among the values are those of Secrets."""
    found = dict.fromkeys(before.keys() - after.keys(), "gone")
    found |= dict.fromkeys(after.keys() - before.keys(), "new")
    for name in before.keys() & after.keys():
        if fields := sorted(set(_paths(before[name], after[name]))):
            found[name] = f"changed: {', '.join(fields)}"
    return found


def _paths(one: Any, other: Any, at: str = "") -> list[str]:
    if one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() | other.keys()
        return [
            path for key in keys for path in _paths(one.get(key), other.get(key), f"{at}.{key}")
        ]
    return [at or "."]


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{obj['apiVersion']} {obj['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _still(obj: Object) -> Object:
    found: Object = _without(deepcopy(obj), frozenset(BEATS.get(obj["kind"], ())))
    if any(owner["kind"] == "Node" for owner in found["metadata"].get("ownerReferences", ())):
        # a kubelet's own pod: parts of the control plane begin anew where the machine is slow
        found.pop("status", None)
    for clock in CLOCKS:
        found["metadata"].pop(clock, None)
    return found


def _without(value: Any, fields: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(it, fields) for key, it in value.items() if key not in fields}
    return [_without(it, fields) for it in value] if isinstance(value, list) else value
