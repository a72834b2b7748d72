"""Storage: classes, claims and volumes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.checks.storage_classes import is_default
from nova_acceptance.components.kubernetes.graces import (
    AT_ONCE,
    NEXT_TRY,
    PLACING,
    RETURN,
    SETTLING,
    STARTING,
)
from nova_acceptance.components.kubernetes.placement import waits_for_a_pod
from nova_acceptance.components.kubernetes.pods import Ill, ill_pods, message, short
from nova_acceptance.components.kubernetes.status import instant
from nova_acceptance.components.kubernetes.workloads import references, workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase, verbatim

SOURCE_MISSING: Final = re.compile(
    r"(?i)(secret|configmap) \S+ not found|non-existent (secret|config)|object \S+ not registered"
)
"""A mount that fails for want of what the volume is made of is no matter of storage."""
_NO_CLASS: Final = re.compile(r"(?i)storageclass(\.storage\.k8s\.io)? \"?([\w.-]+)\"? not found")
# A busy kubelet has not read a Secret or ConfigMap yet, or the node authorizer does not know yet
# that the pod is on its node: either passes.
_PASSING: Final = re.compile(r"failed to sync|no relationship found between node")
_TIMED_OUT: Final = re.compile(r"timed out waiting|deadline exceeded")
"""A kubelet's words for a mount that it has waited for, before and after 1.31."""
_NO_DEFAULT: Final = re.compile(r"(?i)no storage class is set")
_OLD_CLASS: Final = "volume.beta.kubernetes.io/storage-class"


def storage_class_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find claims, and templates of claims, of a class that does not exist."""
    if not snapshot.knows("StorageClass"):
        return
    classes = sorted(found["metadata"]["name"] for found in snapshot.of_kind("StorageClass"))
    for holder, who, claim in _wanted(snapshot):
        name = _class_of(claim)
        if name and name not in classes and not _has_volumes(snapshot, name):
            yield _class_missing(holder, who, name, classes)


def default_storage_class_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find claims that leave the class to a default which the cluster does not have."""
    if not snapshot.knows("StorageClass"):
        return
    classes = list(snapshot.of_kind("StorageClass"))
    if any(is_default(each) for each in classes) or _has_volumes(snapshot, ""):
        return
    names = ", ".join(sorted(each["metadata"]["name"] for each in classes))
    for holder, who, claim in _wanted(snapshot):
        if _class_of(claim) is None:
            yield _default_missing(holder, who, names)


def without_class(snapshot: Snapshot) -> list[Phrase]:
    """Return the templates of claims, and claims without a volume, that leave the class open."""
    templates = [
        _of_template(ref(workload), entry["metadata"]["name"])
        for workload in snapshot.of_kind("StatefulSet")
        for entry in workload["spec"].get("volumeClaimTemplates") or ()
        if _class_of(entry) is None
    ]
    alone = (
        who
        for holder, who, claim in _wanted(snapshot)
        if holder.kind == "PersistentVolumeClaim" and _class_of(claim) is None
    )
    return [*templates, *alone]


def claims_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find claims that a specification names and that nobody has made."""
    for workload in workloads(snapshot):
        for found in references(workload):
            where = found.target
            absent = where.kind == "PersistentVolumeClaim" and snapshot.at(where) is None
            if absent and snapshot.knows(where.kind, where.namespace):
                yield Finding(
                    "CLAIM_MISSING",
                    where,
                    Phrase(
                        "{workload}, {user}, wants the claim {claim}, which does not exist",
                        workload=ref(workload),
                        user=found.user,
                        claim=where.name,
                    ),
                    grace=SETTLING,
                )


def claims_too_small(snapshot: Snapshot) -> Iterator[Finding]:
    """Find claims that are smaller than nova.yaml says; those of a small template once."""
    for spec in snapshot.system.every_workload:
        for name in spec.claims:
            small = checks.claims.small_template(snapshot, spec, name)
            yield from small
            for claim in spec.claimed if not small else ():
                if claim.name.startswith(f"{name}-{spec.name}-"):
                    yield from checks.claims.small_claim(snapshot, claim)


def claims_without_volume(snapshot: Snapshot) -> Iterator[Finding]:
    """Find claims that have lost their volume or were given none, and why."""
    for claim in snapshot.of_kind("PersistentVolumeClaim"):
        phase = (claim.get("status") or {}).get("phase")
        if phase == "Lost":
            volume = claim["spec"].get("volumeName")
            said = Phrase(
                "{claim} has lost {volume}" if volume else "{claim} has lost its volume",
                claim=ref(claim),
                volume=volume,
            )
            yield Finding("CLAIM_LOST", ref(claim), said, grace=AT_ONCE)
        elif phase == "Pending":
            yield from _why_unbound(snapshot, claim)


def claims_terminating(snapshot: Snapshot) -> Iterator[Finding]:
    """Find claims that are being deleted under pods that stay."""
    used = {
        found.target
        for pod in snapshot.of_kind("Pod")
        if "deletionTimestamp" not in pod["metadata"]
        for found in references(pod)
    }
    for claim in snapshot.of_kind("PersistentVolumeClaim"):
        if "deletionTimestamp" in claim["metadata"] and ref(claim) in used:
            yield checks.claims.terminating(claim)


def volumes_not_mounted(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods that hang because a volume cannot be attached or mounted.

    What passes has the patience that a wait has with it; where a look is taken only once, with a
    pod that was made a moment ago.
    """
    now = datetime.now(UTC)
    for ill in ill_pods(snapshot):
        if ill.phase == "Pending" and (said := _mount_failure(ill)):
            passes = _PASSING.search(said) is not None
            if passes and not snapshot.is_watched and _is_younger(ill.pod, STARTING, now):
                continue
            yield Finding(
                "VOLUME_NOT_MOUNTED",
                ill.where,
                Phrase("{pod} cannot mount a volume: {said}", pod=ill.where, said=short(said)),
                evidence=(said,),
                grace=STARTING if passes else PLACING,
            )


def _is_younger(pod: Object, seconds: float, now: datetime) -> bool:
    made = instant(pod["metadata"].get("creationTimestamp"))
    return made is not None and now - made < timedelta(seconds=seconds)


def _why_unbound(snapshot: Snapshot, claim: Object) -> Iterator[Finding]:
    holder, who = _holder(snapshot, claim)
    events = snapshot.events_about(claim, fresh=True)
    said = [
        message(event)
        for event in events
        if event.get("reason") in {"ProvisioningFailed", "FailedBinding"}
    ]
    latest = said[-1] if said else ""
    if missing := _NO_CLASS.search(latest):
        yield _class_missing(holder, who, missing[2], None)
    elif _NO_DEFAULT.search(latest) and _class_of(claim) != "":
        yield _default_missing(holder, who, "")
    elif latest:
        yield Finding(
            "PROVISIONING_FAILED",
            ref(claim),
            Phrase(
                "no volume could be made for {claim}: {said}", claim=ref(claim), said=short(latest)
            ),
            evidence=(latest,),
            grace=PLACING,
        )
    elif awaited := _unanswered(events):
        yield Finding(
            "PROVISIONER_SILENT",
            ref(claim),
            Phrase(
                "no provisioner has taken on {claim}: {said}", claim=ref(claim), said=short(awaited)
            ),
            evidence=(awaited,),
            grace=RETURN,
        )
    elif not waits_for_a_pod(snapshot, claim):
        yield Finding(
            "CLAIM_UNBOUND",
            ref(claim),
            Phrase("{claim} has no volume yet", claim=ref(claim)),
            evidence=tuple(message(event) for event in events[-1:]),
        )


def _unanswered(events: Iterable[Object]) -> str:
    """Return what is said of the provisioner that a claim waits for; empty once it has begun."""
    said = {str(event.get("reason")): message(event) for event in events}
    return "" if "Provisioning" in said else said.get("ExternalProvisioning", "")


def _wanted(snapshot: Snapshot) -> Iterator[tuple[Ref, Phrase, Object]]:
    """Yield the claims without a volume, each template of a StatefulSet once for all of its.

    Before each is where it is written, and how a sentence about it begins.
    """
    for workload in snapshot.of_kind("StatefulSet"):
        for entry in workload["spec"].get("volumeClaimTemplates") or ():
            name = entry["metadata"]["name"]
            if not _are_bound(snapshot, workload, name):
                yield ref(workload), _of_template(ref(workload), name), entry
    for claim in snapshot.of_kind("PersistentVolumeClaim"):
        holder, who = _holder(snapshot, claim)
        if holder == ref(claim) and not _is_bound(claim):
            yield holder, who, claim


def _class_of(claim: Object) -> str | None:
    """Return the class that a claim, or a template of claims, names; None where it names none."""
    annotations = claim["metadata"].get("annotations") or {}
    name: str | None = annotations.get(_OLD_CLASS, claim["spec"].get("storageClassName"))
    return name


def _holder(snapshot: Snapshot, claim: Object) -> tuple[Ref, Phrase]:
    """Return where a claim's specification is written, and how a sentence about it begins.

    It is a StatefulSet's template, or the claim itself.
    """
    where = ref(claim)
    for workload in snapshot.of_kind("StatefulSet", where.namespace):
        for entry in workload["spec"].get("volumeClaimTemplates") or ():
            name = entry["metadata"]["name"]
            stem = f"{name}-{workload['metadata']['name']}-"
            if where.name.startswith(stem) and where.name.removeprefix(stem).isdigit():
                return ref(workload), _of_template(ref(workload), name)
    return where, verbatim(str(where))


def _of_template(holder: Ref, name: str) -> Phrase:
    """Return how a sentence about claims that are made from a template begins."""
    return Phrase("{holder}, claim template {template},", holder=holder, template=name)


def _are_bound(snapshot: Snapshot, workload: Object, name: str) -> bool:
    metadata = workload["metadata"]
    first = (workload["spec"].get("ordinals") or {}).get("start") or 0
    wanted = workload["spec"].get("replicas", 1)
    claims = [
        snapshot.get(
            "PersistentVolumeClaim",
            metadata.get("namespace", ""),
            f"{name}-{metadata['name']}-{ordinal}",
        )
        for ordinal in range(first, first + wanted)
    ]
    return all(claim is not None and _is_bound(claim) for claim in claims)


def _is_bound(claim: Object) -> bool:
    return bool(
        (claim.get("status") or {}).get("phase") == "Bound" or claim["spec"].get("volumeName")
    )


def _has_volumes(snapshot: Snapshot, name: str) -> bool:
    """Whether volumes made by hand serve a class, which then need not exist as an object."""
    return any(
        (volume["spec"].get("storageClassName") or "") == name
        and (volume.get("status") or {}).get("phase", "Available") == "Available"
        for volume in snapshot.of_kind("PersistentVolume")
    )


def _mount_failure(ill: Ill) -> str:
    """Return the latest failure to mount, unless the mounts succeeded after it."""
    latest = ""
    for said in ill.said_since_its_start("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
        if SOURCE_MISSING.search(said):
            return ""
        # what timed out says less than why
        latest = latest if latest and _TIMED_OUT.search(said) else said
    return latest


def _class_missing(holder: Ref, who: Phrase, name: str, classes: list[str] | None) -> Finding:
    there = ", ".join(classes or ())
    return Finding(
        "STORAGE_CLASS_MISSING",
        holder,
        Phrase(
            "{who} names the storage class {name}, which the cluster does not have",
            who=who,
            name=name,
        ),
        NOTHING
        if classes is None
        else Phrase(
            "name one of {classes}, or none, so that the default serves"
            if classes
            else "install a StorageClass; the cluster has none at all",
            classes=classes,
        ),
        evidence=() if classes is None else (f"StorageClasses: {there or 'none'}",),
        grace=AT_ONCE if classes is not None else SETTLING,
    )


def _default_missing(holder: Ref, who: Phrase, names: str) -> Finding:
    return Finding(
        "DEFAULT_STORAGE_CLASS_MISSING",
        holder,
        Phrase("{who} names no storage class, and the cluster has no default", who=who),
        evidence=(f"StorageClasses: {names}",) if names else (),
        grace=NEXT_TRY,
    )


BEFOREHAND: Final = (
    storage_class_missing,
    default_storage_class_missing,
    claims_missing,
    claims_too_small,
)
LIVE: Final = (claims_without_volume, claims_terminating, volumes_not_mounted)
