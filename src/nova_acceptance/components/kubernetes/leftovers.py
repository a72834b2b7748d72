"""Workloads and their pods: what is left over, what restarts, what is not ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.graces import AT_ONCE
from nova_acceptance.components.kubernetes.status import State, status_of
from nova_acceptance.components.kubernetes.workloads import workload_of, workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase


def undeclared_workload(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads in Nova's namespaces that nova.yaml does not know."""
    if snapshot.system is None or snapshot.system.undeclared == "allowed":
        return
    declared = {Ref(w.kind, w.namespace, w.name) for w in snapshot.system.every_workload}
    for found in workloads(snapshot):
        where = ref(found)
        if (
            where.kind in ("Deployment", "StatefulSet")
            and where.namespace in snapshot.system.namespaces
            and where not in declared
        ):
            yield Finding(
                "UNDECLARED_WORKLOAD",
                where,
                Phrase("{where} is none of the workloads of nova.yaml", where=where),
            )


def pod_left_over(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods in Nova's namespaces that nobody keeps."""
    system = snapshot.system
    for namespace in system.namespaces if system and system.undeclared == "refused" else ():
        for pod in snapshot.of_kind("Pod", namespace):
            if uid(pod) and workload_of(snapshot, pod) is pod:
                where = ref(pod)
                labels = pod["metadata"].get("labels") or {}
                yield Finding(
                    "POD_LEFT_OVER",
                    where,
                    Phrase("{pod} belongs to no workload", pod=where),
                    Phrase(
                        "`kubectl -n {namespace} delete pod {name}`, once nobody needs it",
                        namespace=namespace,
                        name=where.name,
                    ),
                    evidence=(f"labels: {labels}",),
                )


def rollout_paused(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Deployments that are paused while pods of their present template are wanting."""
    for found in snapshot.of_kind("Deployment"):
        spec, status = found["spec"], found.get("status") or {}
        wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
        if uid(found) and spec.get("paused") and updated < wanted:
            where = ref(found)
            yield Finding(
                "ROLLOUT_PAUSED",
                where,
                Phrase(
                    "{where} is paused, and {updated} of {wanted} pods are of its present template",
                    where=where,
                    updated=updated,
                    wanted=wanted,
                ),
                Phrase(
                    "`kubectl -n {namespace} rollout resume deployment {name}`, or undo the change "
                    "of its template first",
                    namespace=where.namespace,
                    name=where.name,
                ),
                grace=AT_ONCE,
            )


def workload_not_ready(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads whose status says that they are not what their specification wants."""
    for found in workloads(snapshot):
        status = status_of(found)
        if found["kind"] == "Job" and status.state is State.IN_PROGRESS:
            continue  # at work, or suspended; its pods tell what goes wrong in it
        if uid(found) and not status.is_current:
            where = ref(found)
            yield Finding(
                "WORKLOAD_NOT_READY",
                where,
                Phrase(
                    "{where} is not ready: {why}", where=where, why=status.message or status.reason
                ),
            )


LIVE: Final = (
    undeclared_workload,
    pod_left_over,
    rollout_paused,
    workload_not_ready,
)
