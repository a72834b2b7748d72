"""What a pod's specification says: its containers, and the security context of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from nova_acceptance import timeouts
from nova_acceptance.kube import Object

INHERITED = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")
"""What a container takes from its pod where it says nothing itself."""


def security_context(pod: Object, container: dict[str, Any]) -> dict[str, Any]:
    """Return a container's effective security context.

    Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/.
    """
    of_pod = pod["spec"].get("securityContext") or {}
    inherited = {key: of_pod[key] for key in INHERITED if key in of_pod}
    return {**inherited, **(container.get("securityContext") or {})}


def is_leaving(pod: Object, now: datetime) -> bool:
    """Whether a pod is being deleted and has had no time to be gone; one that had is stuck.

    Args:
        pod: the pod; its `deletionTimestamp` is when its grace ends.
        now: this moment.
    """
    ends = pod["metadata"].get("deletionTimestamp")
    if ends is None:
        return False
    return now - datetime.fromisoformat(ends) < timedelta(seconds=timeouts.POD_LEAVES)


def restarts(pod: Object) -> int:
    """Return how often containers of a pod have restarted by themselves.

    A container that ended with its node (the runtime then knows no more than `Unknown`, status
    255) did not restart by itself.
    """
    found = 0
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        last = (status.get("lastState") or {}).get("terminated") or {}
        with_node = last.get("reason") == "Unknown" and last.get("exitCode") == 255  # noqa: PLR2004
        found += status["restartCount"] - int(with_node and status["restartCount"] > 0)
    return found
