"""Workloads and their pods: what is left over, what restarts, what is not ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.graces import AT_ONCE
from nova_acceptance.components.kubernetes.rollouts import is_rolling_over
from nova_acceptance.components.kubernetes.status import status_of
from nova_acceptance.components.kubernetes.workloads import workload_of, workloads
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase


def undeclared_workload(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads in Nova's namespaces that nova.yaml does not know."""
    for namespace in snapshot.system.namespaces:
        yield from checks.workloads.undeclared_workloads(snapshot, snapshot.system, namespace)


def pod_left_over(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods in Nova's namespaces that nobody keeps, and those that failed and were replaced.

    Of a workload that is not what it should be, its pods are told by that.
    """
    for namespace in snapshot.system.namespaces:
        for found in checks.workloads.pods_left_over(snapshot, snapshot.system, namespace):
            pod = snapshot.at(found.subject)
            owner = workload_of(snapshot, pod) if pod and uid(pod) else None
            if owner and pod and (owner is pod or _is_replaced(pod, owner)):
                yield found


def _is_replaced(pod: Object, owner: Object) -> bool:
    """Whether a pod has failed, and what made it has all that it wants without it."""
    return (pod.get("status") or {}).get("phase") == "Failed" and status_of(owner).is_current


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
        if found["kind"] == "Job":
            continue  # at work or suspended; what goes wrong in it is told of it
        if uid(found) and not is_rolling_over(snapshot, found):
            yield from checks.workloads.unfinished_rollout(found)


LIVE: Final = (
    undeclared_workload,
    pod_left_over,
    rollout_paused,
    workload_not_ready,
)
