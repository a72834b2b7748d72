"""Rollouts that are under way while the Service works: one pod more for a while is no fault.

A Deployment makes the pods of its new template beside those of the old one, and takes these away
as the new ones become ready ("Deployments" of Kubernetes' documentation, section "Rolling Update").
So a pod that has just been made is normal, and one that has trouble is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from nova_acceptance.components.kubernetes.backends import has_ended
from nova_acceptance.components.kubernetes.graces import STARTING
from nova_acceptance.components.kubernetes.pods import (
    ended,
    is_waiting_to_start,
    message,
    waits_for,
)
from nova_acceptance.components.kubernetes.status import condition, instant, is_ready, is_unseen
from nova_acceptance.components.kubernetes.workloads import (
    containers,
    controllers,
    pods_of,
    sidecars,
    statuses,
)
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_DEADLINE: Final = "ProgressDeadlineExceeded"
_UNLIKE: Final = 3.0
"""How many times as long as a pod of the old template a new one may take to become ready."""
_AT_LEAST: Final = 15.0
"""Seconds that any program may take to become ready."""
_WRONG: Final = "statuscode: 4"
"""In what a probe was answered: no program that just starts says so."""


def is_rolling_over(snapshot: Snapshot, workload: Object) -> bool:
    """Whether a Deployment is replaced pod by pod, serves meanwhile, and nothing is amiss.

    It serves while as many pods as it wants are available, of whichever template.
    """
    if workload["kind"] != "Deployment" or workload["spec"].get("paused") or is_unseen(workload):
        return False
    spec, status = workload["spec"], workload.get("status") or {}
    progressing = condition(workload, "Progressing")
    if condition(workload, "ReplicaFailure").get("status") == "True":
        return False  # the API refuses its pods
    if progressing.get("status") != "True" or progressing.get("reason") == _DEADLINE:
        return False
    wanted = spec.get("replicas", 1)
    if not wanted or status.get("availableReplicas", 0) < wanted:
        return False
    if status.get("replicas", 0) <= wanted and status.get("updatedReplicas", 0) >= wanted:
        return False  # it is through
    new = [
        pod
        for pod in pods_of(snapshot, workload)
        if "deletionTimestamp" not in pod["metadata"] and not has_ended(pod)
    ]
    return bool(new) and all(
        is_ready(pod) or _is_starting_well(snapshot, workload, pod) for pod in new
    )


def _is_starting_well(snapshot: Snapshot, workload: Object, pod: Object) -> bool:
    """Whether a pod that is not ready yet was made just now, and nothing shows any trouble."""
    age = _age(pod)
    if age is None or condition(pod, "PodScheduled").get("status") == "False":
        return False
    lasting = sidecars(pod)
    for entry in statuses(pod):
        reason, _ = waits_for(entry)
        is_lost = ended(entry) and (ended(entry).get("exitCode") or entry["name"] in lasting)
        if entry.get("restartCount") or is_lost or not is_waiting_to_start(reason):
            return False
    if any(where == ref(pod) for where, _ in snapshot.on_loopback):
        return False
    answers = [
        message(event) for event in snapshot.events_about(pod) if event.get("reason") == "Unhealthy"
    ]
    if any(_WRONG in answer.lower() for answer in answers):
        return False
    if answers:
        return age <= max(_AT_LEAST, _UNLIKE * _usual(snapshot, workload))
    delays = [
        (container.get(probe) or {}).get("initialDelaySeconds", 0)
        for container in containers(pod)
        for probe in ("startupProbe", "readinessProbe")
    ]
    return age <= STARTING + max(delays, default=0)


def _usual(snapshot: Snapshot, workload: Object) -> float:
    """Return in how many seconds the fastest pod of an older template has become ready."""
    taken = [
        (ready - began).total_seconds()
        for pod in _older(snapshot, workload)
        if is_ready(pod)
        and not any(entry.get("restartCount") for entry in statuses(pod))
        and (began := instant((pod.get("status") or {}).get("startTime")))
        and (ready := instant(condition(pod, "Ready").get("lastTransitionTime")))
    ]
    return min(taken, default=0.0)


def _older(snapshot: Snapshot, workload: Object) -> Iterator[Object]:
    new: set[Ref] = {ref(each) for each in controllers(snapshot, workload)}
    for each in snapshot.owned_by(workload, "ReplicaSet"):
        if ref(each) not in new:
            yield from snapshot.owned_by(each, "Pod")


def _age(pod: Object) -> float | None:
    """Return for how many seconds there has been a pod; None where that is not said."""
    began = instant(pod["metadata"].get("creationTimestamp"))
    return (datetime.now(UTC) - began).total_seconds() if began else None
