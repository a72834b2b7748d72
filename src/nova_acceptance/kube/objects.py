"""Objects of the Kubernetes API as the plain JSON that the API speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]
"""One object of the API (`apiVersion`, `kind`, `metadata`, …), as decoded from JSON."""

RUN_LABEL: Final = "nova-acceptance/run"
"""The label by which a run knows what it made to ask from; it is no part of any system."""
OF_THE_SERVER: Final = frozenset(
    "creationTimestamp deletionGracePeriodSeconds deletionTimestamp generation managedFields"
    " resourceVersion selfLink uid".split()
)
"""Metadata of an object that was read from a cluster, which no other cluster would take."""


@dataclass(frozen=True, slots=True, order=True)
class PodRef:
    """A pod by its namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def describe(obj: Object) -> str:
    """Return how a message names the object: `Deployment nova-services/user-service`."""
    metadata = obj.get("metadata", {})
    namespace = metadata.get("namespace")
    name = metadata.get("name", "?")
    return f"{obj.get('kind', '?')} {f'{namespace}/{name}' if namespace else name}"
