"""Whose an object is that a cluster has already: ours to change and to remove, or not.

Ours is what this suite applied, which the API itself keeps among the object's managed fields, and
what carries the label `app.kubernetes.io/managed-by: nova-acceptance`. What is in a namespace that
the manifests define, and that is ours, is ours as well: it goes with the namespace.

The API keeps nothing of an apply that sets no field, such as that of a namespace of which only the
name is written. So what stands for itself gets the label where the manifests have no other; where
they have one there is a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import FIELD_MANAGER, Kube, Object, describe
from nova_acceptance.phrase import Phrase

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_AT_ONCE: Final = 16


def is_ours(live: Object) -> bool:
    """Whether an object of the cluster was applied by this suite, or is labelled as its own."""
    metadata = live["metadata"]
    label = (metadata.get("labels") or {}).get(MANAGED_BY, "")
    return label == FIELD_MANAGER or any(
        entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"
        for entry in metadata.get("managedFields") or ()
    )


def namespaces_defined(objects: Sequence[Object]) -> set[str]:
    """Return the names of the namespaces that objects define."""
    return {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Namespace"}


def apart(objects: Sequence[Object]) -> list[Object]:
    """Return the objects that are not in a namespace of the manifests' own: each for itself."""
    own = namespaces_defined(objects)
    return [obj for obj in objects if obj["metadata"].get("namespace") not in own]


def marked(objects: Sequence[Object]) -> list[Object]:
    """Return objects of which each that stands for itself will be known as ours."""
    own = namespaces_defined(objects)
    return [obj if obj["metadata"].get("namespace") in own else _marked(obj) for obj in objects]


def live_objects(kube: Kube, objects: Sequence[Object]) -> list[tuple[Object, Object]]:
    """Return those of some objects that the cluster has, each with how it is there.

    Raises:
        ClusterError: the API refused or did not answer.
    """
    served = [obj for obj in objects if kube.serves(obj["apiVersion"], obj["kind"])]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="owner") as pool:
        found = list(pool.map(lambda obj: _live(kube, obj), served))
    return [(obj, live) for obj, live in zip(served, found, strict=True) if live is not None]


def foreign(kube: Kube, objects: Sequence[Object]) -> list[Finding]:
    """Return what is on the cluster under the names of these objects, and somebody else's.

    Raises:
        ClusterError: the API refused or did not answer.
    """
    return list(_foreign(live_objects(kube, apart(objects))))


def _foreign(there: Sequence[tuple[Object, Object]]) -> Iterator[Finding]:
    for obj, live in there:
        if is_ours(live):
            continue
        evidence = (f"{describe(obj)}: {_owner(live)}",)
        if obj["kind"] == "Namespace":
            name = obj["metadata"]["name"]
            said = Phrase("the namespace {name} exists and is not ours", name=name)
            yield Finding("NAMESPACE_FOREIGN", ref(obj), said, evidence=evidence, grace=0)
        else:
            said = Phrase("{object} exists and is not ours", object=describe(obj))
            yield Finding("OBJECT_FOREIGN", ref(obj), said, evidence=evidence, grace=0)


def _marked(obj: Object) -> Object:
    labels = {MANAGED_BY: FIELD_MANAGER, **(obj["metadata"].get("labels") or {})}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def _owner(live: Object) -> str:
    metadata = live["metadata"]
    label = (metadata.get("labels") or {}).get(MANAGED_BY, "")
    managers = dict.fromkeys(
        str(entry.get("manager", "")) for entry in metadata.get("managedFields") or ()
    )
    written = f"; written by {', '.join(managers)}" if managers else ""
    return f"label {MANAGED_BY}: {label or '(absent)'}{written}"


def _live(kube: Kube, obj: Object) -> Object | None:
    metadata = obj["metadata"]
    return kube.get(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace"))
