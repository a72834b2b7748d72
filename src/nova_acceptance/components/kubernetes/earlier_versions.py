"""What still serves while the newest version of a workload does not become ready."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from nova_acceptance.components.kubernetes.status import is_ready, status_of
from nova_acceptance.components.kubernetes.workloads import controllers
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_REVISION: Final = "controller-revision-hash"


def still_serving(snapshot: Snapshot, workload: Object) -> list[Object]:
    """Return the ready pods of a workload's earlier versions, while it is on its way to another.

    Args:
        snapshot: the objects.
        workload: a Deployment or a StatefulSet.
    """
    if workload["kind"] not in ("Deployment", "StatefulSet") or status_of(workload).is_current:
        return []
    found = [
        pod
        for pod in _earlier(snapshot, workload)
        if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]
    ]
    return sorted(found, key=ref)


def with_still_serving(snapshot: Snapshot, found: Finding) -> Finding:
    """Return what is wrong with a workload, and which of its earlier pods serve all the same."""
    workload = snapshot.at(found.subject)
    pods = still_serving(snapshot, workload) if workload else []
    if not pods:
        return found
    sentence = Phrase(
        "{what}; the version before still serves, with {pods}",
        what=found.summary,
        pods=[ref(pod).name for pod in pods],
    )
    return replace(found, summary=sentence)


def _earlier(snapshot: Snapshot, workload: Object) -> list[Object]:
    if workload["kind"] == "Deployment":
        current = controllers(snapshot, workload)
        if not current:
            return []  # which version a pod is of is not known yet
        return [
            pod
            for each in snapshot.owned_by(workload, "ReplicaSet")
            if each not in current
            for pod in snapshot.owned_by(each, "Pod")
        ]
    wanted = (workload.get("status") or {}).get("updateRevision")
    if not wanted:
        return []
    return [
        pod
        for pod in snapshot.owned_by(workload, "Pod")
        if (pod["metadata"].get("labels") or {}).get(_REVISION, wanted) != wanted
    ]
