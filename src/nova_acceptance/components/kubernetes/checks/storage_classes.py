"""What is wrong with the storage classes of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
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


@check
def wrong_default_class(snapshot: Snapshot) -> Iterator[Finding]:
    """Find a cluster in which a claim that names no storage class does not get exactly one."""
    classes = list(snapshot.of_kind("StorageClass"))
    defaults = sorted(ref(each) for each in classes if is_default(each))
    names = ", ".join(sorted(each["metadata"]["name"] for each in classes)) or "none"
    if not defaults:
        yield Finding(
            "DEFAULT_STORAGE_CLASS_MISSING",
            ref(classes[0]) if classes else NOWHERE,
            Phrase("no storage class of the cluster is its default"),
            evidence=(f"StorageClasses: {names}",),
        )
    elif len(defaults) > 1:
        yield Finding(
            "DEFAULT_STORAGE_CLASS_AMBIGUOUS",
            defaults[0],
            Phrase(
                "{count} storage classes are the cluster's default: {names}",
                count=len(defaults),
                names=[each.name for each in defaults],
            ),
            evidence=(f"StorageClasses: {names}",),
        )


def is_default(storage_class: Object) -> bool:
    """Whether a class serves the claims that name none."""
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(name) == "true" for name in _DEFAULT)
