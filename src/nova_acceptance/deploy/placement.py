"""In which namespace an object ends that names none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from nova_acceptance.deploy.definitions import defined, group_kind
from nova_acceptance.deploy.rendering import refuse_duplicates
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Kube, Object

DEFAULT: Final = "default"


class Placed(NamedTuple):
    """Objects that say where they belong.

    Attributes:
        objects: all of them.
        by_default: those that named no namespace, and are in `default` for that.
    """

    objects: list[Object]
    by_default: list[Ref]


def placed(kube: Kube, objects: Sequence[Object]) -> Placed:
    """Return objects with their namespaces as the API will see them.

    One of a kind that lives in namespaces and names none belongs into `default`; one of a kind
    that does not is in none, whatever it names. A kind that nobody serves stays as it is.

    Raises:
        RenderError: two of them are the same one.
        ClusterError: the API did not answer.
    """
    kinds = defined(objects)
    found: list[Object] = []
    by_default: list[Ref] = []
    for obj in objects:
        own = kinds.get(group_kind(obj))
        is_namespaced = (
            own.is_namespaced if own else kube.is_namespaced(obj["apiVersion"], obj["kind"])
        )
        metadata = obj["metadata"]
        if is_namespaced and "namespace" not in metadata:
            metadata = {**metadata, "namespace": DEFAULT}
        elif is_namespaced is False:
            metadata = {key: value for key, value in metadata.items() if key != "namespace"}
        found.append({**obj, "metadata": metadata})
        if metadata.get("namespace") and "namespace" not in obj["metadata"]:
            by_default.append(ref(found[-1]))
    refuse_duplicates(found)
    return Placed(found, by_default)
