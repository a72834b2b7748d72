"""What is wrong with the storage classes of a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.findings import NOWHERE, Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_DEFAULT: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


_NEWEST_WINS: Final = 26


@check
def wrong_default_class(
    snapshot: Snapshot, wanted_by: Sequence[Phrase] | None = None
) -> Iterator[Finding]:
    """Find a cluster in which a claim that names no storage class does not get exactly one.

    Args:
        snapshot: what the API says of the cluster.
        wanted_by: the claims that name none; without any of them no default is needed. None where
            that is not known.
    """
    classes = list(snapshot.of_kind("StorageClass"))
    defaults = [each for each in classes if is_default(each)]
    names = ", ".join(sorted(each["metadata"]["name"] for each in classes)) or "none"
    if not defaults and (wanted_by is None or wanted_by):
        yield Finding(
            "DEFAULT_STORAGE_CLASS_MISSING",
            ref(classes[0]) if classes else NOWHERE,
            Phrase("no storage class of the cluster is its default"),
            evidence=(f"StorageClasses: {names}", *(wanted_by or ())),
        )
    elif len(defaults) > 1:
        there = sorted(ref(each) for each in defaults)
        yield Finding(
            "DEFAULT_STORAGE_CLASS_AMBIGUOUS",
            there[0],
            Phrase(
                "{count} storage classes are the cluster's default: {names}",
                count=len(there),
                names=[each.name for each in there],
            ),
            evidence=(f"StorageClasses: {names}", _which(snapshot, defaults)),
        )


def _which(snapshot: Snapshot, defaults: Sequence[Object]) -> Phrase:
    """Return what a claim that names none gets of several defaults, by the nodes' version.

    Source: "Storage Classes" of Kubernetes' documentation, "Default StorageClass"; and the change
    log of 1.26, before which the API refuses such a claim.
    """
    newest = max(defaults, key=lambda it: (it["metadata"].get("creationTimestamp") or "", ref(it)))
    if _minor(snapshot) and _minor(snapshot) < _NEWEST_WINS:
        return Phrase("a claim that names none is refused")
    return Phrase("a claim that names none gets {name}, the newest", name=ref(newest).name)


def _minor(snapshot: Snapshot) -> int:
    """Return the highest minor version of the nodes; 0 where none says it."""
    found = []
    for node in snapshot.of_kind("Node"):
        version = ((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion") or ""
        said = re.match(r"v1\.(\d+)", version)
        found.append(int(said[1]) if said else 0)
    return max(found, default=0)


def is_default(storage_class: Object) -> bool:
    """Whether a class serves the claims that name none."""
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(name) == "true" for name in _DEFAULT)
