"""When each pod of a deployment was created, scheduled, started and ready."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field

from nova_acceptance.diagnosis.status import condition, is_pod_ready
from nova_acceptance.kube import Object


@dataclass(slots=True)
class PodTimes:
    """One pod's milestones.

    Attributes:
        pod: `namespace/name`.
        created_at: the API's own time of creation, ISO 8601 in UTC, whole seconds.
        node: where it runs, once scheduled.
        created: seconds from the deployment's beginning until the pod was seen; 0 for what was
            so before anything was applied.
        scheduled: likewise until it had a node.
        started: likewise until all its containers ran.
        ready: likewise until it was ready.
    """

    pod: str
    created_at: str
    created: float
    node: str = ""
    scheduled: float | None = None
    started: float | None = None
    ready: float | None = None

    def as_dict(self) -> dict[str, str | float | None]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


@dataclass(slots=True)
class Timeline:
    """The pods' milestones, by uid, as the watches saw them.

    Attributes:
        is_applying: whether what is seen may come from this deployment, not from an earlier one.
    """

    is_applying: bool = False
    _began: float = field(default_factory=time.monotonic)
    _pods: dict[str, PodTimes] = field(default_factory=dict)

    def note(self, change: str, obj: Object) -> None:
        """Take in one change; only those of pods matter."""
        if obj["kind"] != "Pod":
            return
        metadata = obj["metadata"]
        if change == "DELETED":
            self._pods.pop(metadata["uid"], None)
            return
        now = round(time.monotonic() - self._began, 3) if self.is_applying else 0.0
        times = self._pods.setdefault(
            metadata["uid"],
            PodTimes(
                f"{metadata['namespace']}/{metadata['name']}", metadata["creationTimestamp"], now
            ),
        )
        times.node = obj["spec"].get("nodeName", "")
        if times.scheduled is None and condition(obj, "PodScheduled").get("status") == "True":
            times.scheduled = now
        if times.started is None and _is_started(obj):
            times.started = now
        if times.ready is None and is_pod_ready(obj):
            times.ready = now

    def pods(self) -> tuple[PodTimes, ...]:
        """Return the milestones of the pods that are there, in the order of their creation."""
        return tuple(sorted(self._pods.values(), key=lambda times: (times.created, times.pod)))


def _is_started(pod: Object) -> bool:
    containers = pod.get("status", {}).get("containerStatuses") or ()
    return bool(containers) and all("running" in entry.get("state", {}) for entry in containers)
