"""Restarts that a node's own explains: everything that ran on it ended at one moment.

A container that ends with its node did not end by itself. Where the runtime still knew it, it says
status 255 and `Unknown` or `ContainerStatusUnknown`; where the node went down in good order, the
program ended as it does when it is told to, and the others on the node tell why, or an event does:
the kubelet tells of a pod whose sandbox it had to make again. What only initialises a pod is run
again then, and did not fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.kubernetes.backends import has_ended
from nova_acceptance.components.kubernetes.status import instant
from nova_acceptance.components.kubernetes.workloads import sidecars, statuses
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_TOGETHER: Final = 60.0
"""Seconds within which all that runs on a node ends, when the node does."""
_FEW: Final = 2
"""Others on the node that must have ended with a container, before it is the node that ended."""
_BOOTS: Final = 600.0
"""Seconds in which a machine has booted, and its kubelet has started its pods anew."""
_SANDBOX_CHANGED: Final = "SandboxChanged"
_LOST: Final = frozenset({"Unknown", "ContainerStatusUnknown"})
_LOST_STATUS: Final = 255
_SHUT_DOWN: Final = frozenset({"Terminated", "NodeShutdown", "Shutdown"})
"""What a kubelet says of the pods that it ended with its node, in 1.21 and since."""


def restarts_of_its_own(snapshot: Snapshot, pod: Object) -> int:
    """Return how often containers of a pod have restarted for another reason than their node's."""
    return sum(
        max(0, entry.get("restartCount", 0) - _with_node(snapshot, pod, entry))
        for entry in statuses(pod)
        if not _is_run_again(pod, entry)
    )


def _is_run_again(pod: Object, entry: dict[str, Any]) -> bool:
    """Whether a container that initialises a pod was run again with it, and never failed."""
    inits = (pod.get("status") or {}).get("initContainerStatuses") or ()
    now = (entry.get("state") or {}).get("terminated") or {}
    return (
        entry in inits
        and entry["name"] not in sidecars(pod)
        and now.get("exitCode") == 0
        and not _last(entry).get("exitCode")
    )


def rebooted_nodes(snapshot: Snapshot) -> dict[str, str]:
    """Return the nodes that explain a restart of what ran on them, with the latest such moment."""
    found: dict[str, str] = {}
    for pod in snapshot.of_kind("Pod"):
        for entry in statuses(pod):
            if _with_node(snapshot, pod, entry):
                node, at = (
                    pod["spec"].get("nodeName") or "",
                    str(_last(entry).get("finishedAt", "")),
                )
                found[node] = max(found.get(node, ""), at)
    return found


def ended_with_node(pod: Object) -> bool:
    """Whether a pod has failed since its node was shut down in good order."""
    status = pod.get("status") or {}
    said = str(status.get("message") or "").lower()
    return (
        status.get("phase") == "Failed"
        and status.get("reason") in _SHUT_DOWN
        and ("shutdown" in said or "is shutting" in said)
    )


def _with_node(snapshot: Snapshot, pod: Object, entry: dict[str, Any]) -> int:
    """Return how many restarts of a container were its node's."""
    count, last = entry.get("restartCount", 0), _last(entry)
    if not (count and last):
        return 0
    is_lost = last.get("reason") in _LOST and last.get("exitCode") == _LOST_STATUS
    is_lost = is_lost or _is_told(snapshot, pod, last)
    others = _ended_together(snapshot, pod, last)
    if others is None or len(others) < _FEW:
        return int(is_lost)
    return int(min(count, max(each.get("restartCount", 0) for each in others)))


def _is_told(snapshot: Snapshot, pod: Object, last: dict[str, Any]) -> bool:
    """Whether an event tells that a container ended with the sandbox of its pod.

    The kubelet tells of that (pkg/kubelet/events) as it makes another one, after its machine or its
    container runtime has begun anew.
    """
    ended = instant(last.get("finishedAt"))
    if ended is None:
        return False
    moments = (
        instant(event.get(field))
        for event in snapshot.events_about(pod)
        if event.get("reason") == _SANDBOX_CHANGED
        for field in ("firstTimestamp", "lastTimestamp", "eventTime")
    )
    return any(
        moment and -_TOGETHER <= (moment - ended).total_seconds() <= _BOOTS for moment in moments
    )


def _ended_together(
    snapshot: Snapshot, pod: Object, last: dict[str, Any]
) -> list[dict[str, Any]] | None:
    """Return the containers of other pods on a node that ended with one; None if any ran on."""
    ended = instant(last.get("finishedAt"))
    if ended is None:
        return None
    found = []
    for other in _others(snapshot, pod):
        for entry in statuses(other):
            running = (entry.get("state") or {}).get("running")
            began = instant((running or {}).get("startedAt"))
            if began and (ended - began).total_seconds() > _TOGETHER:
                return None
            its = instant(_last(entry).get("finishedAt"))
            if its and abs((its - ended).total_seconds()) <= _TOGETHER:
                found.append(entry)
    return found


def _others(snapshot: Snapshot, pod: Object) -> Iterator[Object]:
    for other in snapshot.indexed("Pod", _node_of, pod["spec"].get("nodeName") or ""):
        # of one that has ended its node says nothing new
        if ref(other) != ref(pod) and not has_ended(other):
            yield other


def _node_of(pod: Object) -> list[str]:
    return [str(pod["spec"].get("nodeName") or "")]


def _last(entry: dict[str, Any]) -> dict[str, Any]:
    return (entry.get("lastState") or {}).get("terminated") or {}
