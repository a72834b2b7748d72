"""Pods that their nodes end, so that they stay listed beside those that are made in their place."""

from __future__ import annotations

import time
from typing import Final

from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.kube import PodRef
from testing.faults.fault import Pods
from testing.faults.ground import Ground, GroundError
from testing.faults.undo import UndoStack

REPLACED_WITHIN: Final = 90.0
"""Seconds from a pod's deadline until another is ready in its place."""
PAUSE: Final = 0.5


def expire(ground: Ground, wanted: Pods, undo: UndoStack) -> None:
    """Give pods a deadline that is over, and wait until others are ready in their place.

    The kubelet ends such a pod as it ends one that it evicts: it has failed, says why, and nobody
    deletes it. Of a pod that runs, its deadline is one of the few fields that may be changed.

    Raises:
        GroundError: none was ready in their place, in time.
    """
    for pod in ground.pods(wanted):
        undo.push(
            f"deleting pod {pod}",
            lambda pod=pod: ground.delete("Pod", pod.namespace, pod.name),  # type: ignore[misc]
        )
        ground.patch("Pod", pod.namespace, pod.name, {"spec": {"activeDeadlineSeconds": 1}})
        _await_ended(ground, pod, wanted)


def _await_ended(ground: Ground, ended: PodRef, wanted: Pods) -> None:
    every = Pods(namespace=wanted.namespace, workload=wanted.workload, number=None)
    replicas = ground.system.component(wanted.workload).workload.replicas
    deadline = time.monotonic() + REPLACED_WITHIN
    while True:
        pods = [ground.pod(each) for each in ground.pods(every)]
        phases = {each["metadata"]["name"]: each["status"].get("phase") for each in pods}
        ready = sum(map(is_ready, pods))
        if phases.get(ended.name) == "Failed" and ready >= replicas:
            return
        if time.monotonic() > deadline:
            raise GroundError(
                f"pod {ended} has not ended, or no other is ready in its place",
                evidence=[f"{name}: {phase}" for name, phase in phases.items()],
            )
        time.sleep(PAUSE)
