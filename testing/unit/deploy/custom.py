"""A kind that comes with the manifests, and one of its instances."""

from __future__ import annotations

from typing import Any

from nova_acceptance.kube import Object


def definition(scope: str = "Namespaced", *, versions: tuple[str, ...] = ("v1",)) -> Object:
    """Return the definition of the kind Shop, group example.org."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "shops.example.org"},
        "spec": {
            "group": "example.org",
            "scope": scope,
            "names": {"kind": "Shop", "plural": "shops"},
            "versions": [{"name": each, "served": True} for each in versions],
        },
    }


def shop(name: str = "corner", version: str = "v1", **metadata: Any) -> Object:
    """Return an instance of it."""
    return {
        "apiVersion": f"example.org/{version}",
        "kind": "Shop",
        "metadata": {"name": name, **metadata},
    }


def config(name: str = "settings", **metadata: Any) -> Object:
    """Return a ConfigMap, which is in no namespace unless it is given."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def applied(obj: Object, manager: str = "nova-acceptance", operation: str = "Apply") -> Object:
    """Return an object as the cluster has it once somebody has written it."""
    entry = {"manager": manager, "operation": operation}
    return {**obj, "metadata": {**obj["metadata"], "uid": "uid", "managedFields": [entry]}}
