"""A namespace that is being removed, and does not go for as long as one of its objects is held."""

from __future__ import annotations

import json
from typing import Final

from nova_acceptance.kube import Object
from testing.faults.fault import Removal
from testing.faults.ground import Ground, GroundError, as_written
from testing.faults.undo import UndoStack

_HELD: Final = "nova-acceptance.test/held"
"""A finalizer that no controller takes off."""
_KEPT: Final = (
    *("ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Secret", "NetworkPolicy"),
    *("PodDisruptionBudget", "Service", "Deployment", "StatefulSet"),
)
"""What is made again, in this order; pods and claims are made by what needs them."""


def remove(ground: Ground, wanted: Removal, undo: UndoStack) -> None:
    """Delete a namespace of which one object is held, and make it again at the end."""
    holder, name = wanted.holder, wanted.namespace
    there = [each for each in _listed(ground, name) if not _is_made_by_the_cluster(each)]
    home = ground.get("Namespace", "", name)
    if home is None:
        raise GroundError(f"there is no namespace {name} to remove")

    def again() -> None:
        free = {"metadata": {"finalizers": None}}
        if ground.get(holder.kind, holder.namespace, holder.name):
            ground.patch(holder.kind, holder.namespace, holder.name, free)
        ground.delete("Namespace", "", name)
        for each in (home, *there):
            ground.put(as_written(each))

    undo.push(f"making namespace {name} again", again)
    held = {"metadata": {"finalizers": [_HELD]}}
    ground.patch(holder.kind, holder.namespace, holder.name, held)
    ground.run_kubectl("delete", "namespace", name, "--wait=false")


def _listed(ground: Ground, namespace: str) -> list[Object]:
    said = ground.run_kubectl("get", ",".join(_KEPT), "-n", namespace, "--output=json")
    found: list[Object] = json.loads(said)["items"]
    return sorted(found, key=lambda each: _KEPT.index(each["kind"]))


def _is_made_by_the_cluster(obj: Object) -> bool:
    metadata = obj["metadata"]
    of_every_namespace = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
    return (
        bool(metadata.get("ownerReferences"))
        or (obj["kind"], metadata["name"]) in of_every_namespace
        or obj.get("type") == "kubernetes.io/service-account-token"
    )
