"""What an object's status says of it: current, in progress or failed.

The meaning for each kind is kstatus's (`sigs.k8s.io/cli-utils/pkg/kstatus/status/core.go`), with
two additions: a Service with a selector is current once it has a ready endpoint, and a Job once
it is complete, since what depends on either would fail before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.phrase import NOTHING, Phrase, verbatim


class State(Enum):
    """How far an object is from what its spec wants."""

    CURRENT = "current"
    IN_PROGRESS = "in progress"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """An object's state, why, and a sentence about it."""

    state: State
    reason: str = ""
    message: Phrase = NOTHING

    @property
    def is_current(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.state is State.CURRENT


CURRENT = Status(State.CURRENT)
CONTROLLERS = Ref("ComponentStatus", "", "controller-manager")
"""Who makes of workloads what they want to be; a pod only on some clusters."""
_COUNTED: Final = {
    "created": Phrase("created"),
    "updated": Phrase("updated"),
    "ready": Phrase("ready"),
    "available": Phrase("available"),
}
"""What the pods of a workload are counted by."""


def status_of(obj: Object | None, endpoints: Iterable[Endpoint] = ()) -> Status:
    """Return what the object's status says of it.

    Args:
        obj: the object as it is on the cluster; None when it is not there.
        endpoints: for a Service, the addresses behind it.
    """
    if obj is None:
        return _in_progress("NotFound", Phrase("it is not on the cluster"))
    if "deletionTimestamp" in obj["metadata"]:
        return _in_progress("Terminating", Phrase("it is being deleted"))
    if obj["kind"] == "Service":
        return _service(obj, endpoints)
    observed = (obj.get("status") or {}).get("observedGeneration")
    if observed is not None and observed != obj["metadata"].get("generation"):
        return _in_progress(
            "LatestGenerationNotObserved", Phrase("its controller has not seen it yet")
        )
    return _BY_KIND.get(obj["kind"], _any)(obj)


def is_unseen(workload: Object) -> bool:
    """Whether a workload was changed since its controller looked at it."""
    observed: int | None = (workload.get("status") or {}).get("observedGeneration")
    is_told = workload["kind"] in ("DaemonSet", "Deployment", "StatefulSet")
    return is_told and observed != workload["metadata"].get("generation")


def instant(text: object) -> datetime | None:
    """Return an instant that an object tells; None where it tells none."""
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def condition(obj: Object, name: str) -> dict[str, Any]:
    """Return the condition of that type, or an empty mapping."""
    for entry in (obj.get("status") or {}).get("conditions") or ():
        if entry.get("type") == name:
            return dict(entry)
    return {}


def is_ready(obj: Object) -> bool:
    """Whether the condition Ready of a pod, or of a node, is true."""
    return condition(obj, "Ready").get("status") == "True"


def _in_progress(reason: str, message: Phrase) -> Status:
    return Status(State.IN_PROGRESS, reason, message)


def _failed(reason: str, message: Phrase) -> Status:
    return Status(State.FAILED, reason, message)


def _own_words(found: dict[str, Any]) -> Phrase:
    """Return the message that a status or a condition has from the cluster."""
    return verbatim(found.get("message") or "")


def _first(*statuses: Status | None) -> Status:
    """Return the first thing that is amiss; current where nothing is."""
    return next((status for status in statuses if status), CURRENT)


def _short(wanted: int, **counts: int) -> Status | None:
    """Return the first count that is short of what is wanted."""
    for word, count in counts.items():
        if count < wanted:
            said = Phrase(
                "{count} of {wanted} {state}", count=count, wanted=wanted, state=_COUNTED[word]
            )
            return _in_progress(f"Less{word.title()}", said)
    return None


def _unobserved(obj: Object) -> Status | None:
    if "observedGeneration" in (obj.get("status") or {}):
        return None
    return _in_progress("NotObserved", Phrase("its controller has not seen it yet"))


def _surplus(extra: int) -> Status | None:
    if extra <= 0:
        return None
    return _in_progress("ExtraPods", Phrase("{count} pods too many remain", count=extra))


def _deployment(obj: Object) -> Status:
    status, wanted = (obj.get("status") or {}), obj["spec"].get("replicas", 1)
    progressing = condition(obj, "Progressing")
    stuck = progressing.get("reason") == "ProgressDeadlineExceeded"
    available = not wanted or condition(obj, "Available").get("status") == "True"
    replicas, updated = status.get("replicas", 0), status.get("updatedReplicas", 0)
    return _first(
        _failed("ProgressDeadlineExceeded", _own_words(progressing)) if stuck else None,
        _unobserved(obj),
        _short(wanted, created=replicas, updated=updated),
        _surplus(replicas - updated),
        _short(
            wanted,
            ready=status.get("readyReplicas", 0),
            available=status.get("availableReplicas", 0),
        ),
        None if available else _in_progress("NotAvailable", Phrase("it is not available")),
    )


def _stateful_set(obj: Object) -> Status:
    spec, status = obj["spec"], (obj.get("status") or {})
    wanted = spec.get("replicas", 1)
    strategy = spec.get("updateStrategy", {})
    kept = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    to_update = 0 if strategy.get("type") == "OnDelete" else wanted - kept
    steady = wanted if spec.get("minReadySeconds") else 0
    return _first(
        _unobserved(obj),
        _short(wanted, created=status.get("replicas", 0)),
        _short(to_update, updated=status.get("updatedReplicas", 0)),
        _short(wanted, ready=status.get("readyReplicas", 0)),
        _short(steady, available=status.get("availableReplicas", 0)),
        _surplus(status.get("replicas", 0) - wanted),
    )


def _daemon_set(obj: Object) -> Status:
    status = obj.get("status") or {}
    return _first(
        _unobserved(obj),
        _short(
            status.get("desiredNumberScheduled", 0),
            created=status.get("currentNumberScheduled", 0),
            updated=status.get("updatedNumberScheduled", 0),
            available=status.get("numberAvailable", 0),
            ready=status.get("numberReady", 0),
        ),
    )


def _job(obj: Object) -> Status:
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        return _failed(failed.get("reason", "Failed"), _own_words(failed))
    if condition(obj, "Complete").get("status") == "True":
        return CURRENT
    active = (obj.get("status") or {}).get("active", 0)
    return _in_progress(
        "NotComplete", Phrase("it has not completed, {active} pods active", active=active)
    )


def _pod(obj: Object) -> Status:
    status = obj.get("status") or {}
    phase = status.get("phase", "Pending")
    if phase == "Succeeded" or (phase == "Running" and is_ready(obj)):
        return CURRENT
    if phase == "Failed":
        return _failed(status.get("reason", "Failed"), _own_words(status))
    return _in_progress(
        phase, Phrase("it is running but not ready") if phase == "Running" else NOTHING
    )


def _claim(obj: Object) -> Status:
    phase = (obj.get("status") or {}).get("phase", "Pending")
    if phase == "Bound":
        return CURRENT
    if phase == "Lost":
        volume = obj["spec"].get("volumeName", "")
        return _failed("Lost", Phrase("its volume {volume} is gone", volume=volume))
    return _in_progress(phase, Phrase("it is not bound to a volume"))


def _namespace(obj: Object) -> Status:
    phase = (obj.get("status") or {}).get("phase", "")
    if phase == "Active":
        return CURRENT
    return _in_progress(phase or "NotObserved", Phrase("not active"))


def _service(obj: Object, endpoints: Iterable[Endpoint]) -> Status:
    spec = obj["spec"]
    if not spec.get("selector") or spec.get("type") == "ExternalName":
        return CURRENT
    if any(each.is_ready for each in endpoints):
        return CURRENT
    return _in_progress("NoEndpoints", Phrase("no ready pod stands behind it"))


def _definition(obj: Object) -> Status:
    if condition(obj, "Established").get("status") == "True":
        return CURRENT
    return _in_progress("NotEstablished", Phrase("its kind is not served yet"))


def _any(obj: Object) -> Status:
    ready = condition(obj, "Ready")
    if ready and ready.get("status") != "True":
        return _in_progress(ready.get("reason", "NotReady"), _own_words(ready))
    return CURRENT


_BY_KIND: dict[str, Callable[[Object], Status]] = {
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "StatefulSet": _stateful_set,
}
