"""Workloads and their pods: what is left over, what restarts, what is not ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.graces import AT_ONCE
from nova_acceptance.components.kubernetes.status import State, status_of
from nova_acceptance.components.kubernetes.workloads import workload_of, workloads
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase


def undeclared_workload(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads in Nova's namespaces that nova.yaml does not know."""
    for namespace in snapshot.system.namespaces:
        yield from checks.workloads.undeclared_workloads(snapshot, snapshot.system, namespace)


def pod_left_over(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods in Nova's namespaces that nobody keeps; those of a workload are told by it."""
    for namespace in snapshot.system.namespaces:
        for found in checks.workloads.pods_left_over(snapshot, snapshot.system, namespace):
            pod = snapshot.at(found.subject)
            if pod and uid(pod) and workload_of(snapshot, pod) is pod:
                yield found


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
        if found["kind"] == "Job" and status_of(found).state is State.IN_PROGRESS:
            continue  # at work, or suspended; its pods tell what goes wrong in it
        if uid(found):
            yield from checks.workloads.unfinished_rollout(found)


LIVE: Final = (
    undeclared_workload,
    pod_left_over,
    rollout_paused,
    workload_not_ready,
)
