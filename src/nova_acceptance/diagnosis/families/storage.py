"""Storage: classes, claims and volumes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref, ref
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.kube import Object

STORAGE_CLASS_MISSING: Final = Cause(
    "STORAGE_CLASS_MISSING",
    "A claim names a storage class that the cluster does not have",
    "Its pod stays Pending; the claim stays Pending without a volume",
    "The claim's or claim template's `storageClassName` against the cluster's StorageClasses",
    "name a class that exists (`kubectl get storageclass`), or none, so that the default serves",
)

CAUSES: Final = (STORAGE_CLASS_MISSING,)


def storage_class_missing(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find claims, and templates of claims, of a class that does not exist."""
    if not snapshot.knows("StorageClass"):
        return
    classes = sorted(found["metadata"]["name"] for found in snapshot.of_kind("StorageClass"))
    for holder, spec, what in _claims(snapshot):
        name = spec.get("storageClassName")
        if name and name not in classes and not spec.get("volumeName"):
            yield Diagnosis(
                STORAGE_CLASS_MISSING,
                holder,
                f"{holder}{what} names the storage class {name}, which the cluster does not have",
                f"name one of {', '.join(classes)}, or none, so that the default serves"
                if classes
                else "install a StorageClass; the cluster has none at all",
                evidence=(f"StorageClasses: {', '.join(classes) or 'none'}",),
                grace=0,
            )


def _claims(snapshot: Snapshot) -> Iterator[tuple[Ref, Object, str]]:
    for workload in snapshot.of_kind("StatefulSet"):
        for entry in workload["spec"].get("volumeClaimTemplates") or ():
            name = entry["metadata"]["name"]
            yield ref(workload), entry["spec"], f", claim template {name},"
    for claim in snapshot.of_kind("PersistentVolumeClaim"):
        if (claim.get("status") or {}).get("phase") != "Bound":
            yield ref(claim), claim["spec"], ""


BEFOREHAND: Final = (storage_class_missing,)
