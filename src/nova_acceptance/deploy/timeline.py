"""When each pod of a deployment was created, scheduled, given its image, started and ready."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nova_acceptance.components.kubernetes.status import condition, is_ready
from nova_acceptance.deploy.phases import WORKLOADS
from nova_acceptance.kube import Object, describe

PULLED = "Pulled"
"""The reason of the event that an image is there, whether it had to be pulled or not."""


@dataclass(slots=True)
class PodTimes:
    """One pod's milestones.

    Attributes:
        pod: `namespace/name`.
        created_at: the API's own time of creation, ISO 8601 in UTC, whole seconds.
        created: seconds from the deployment's beginning until the pod was seen; 0 for what was
            so before anything was applied.
        workload: the name of the applied workload that selects it; empty where none does.
        node: where it runs, once scheduled.
        applied: likewise until its workload began to be applied; None where the pod was seen
            before that.
        scheduled: likewise until it had a node.
        pulled: likewise until its last image was there; None where no event said so.
        started: likewise until all its containers ran.
        ready: likewise until it was ready.
    """

    pod: str
    created_at: str
    created: float
    workload: str = ""
    node: str = ""
    applied: float | None = None
    scheduled: float | None = None
    pulled: float | None = None
    started: float | None = None
    ready: float | None = None


class Timeline:
    """The pods' milestones, by uid, as the watches saw them.

    Args:
        objects: what is going to be deployed; its workloads are those that pods are told to be of.
    """

    def __init__(self, objects: Iterable[Object]) -> None:
        self._workloads = [obj for obj in objects if _selector(obj)]
        self._applied: dict[str, float] = {}
        self._pods: dict[str, PodTimes] = {}
        self._pulled: dict[str, float] = {}
        self._is_applying = False
        self._began = time.monotonic()

    def apply(self, objects: Iterable[Object]) -> None:
        """Take in that these are applied from now on; what was seen before was so before."""
        self._is_applying = True
        now = self._now()
        self._applied.update((describe(obj), now) for obj in objects)

    def note(self, change: str, obj: Object) -> None:
        """Take in one change; only those of pods, and events about their images, matter."""
        if obj["kind"] == "Pod":
            self._take_pod(change, obj)
        elif obj["kind"] == "Event" and obj.get("reason") == PULLED and change != "DELETED":
            self._take_pull(str(obj.get("involvedObject", {}).get("uid", "")))

    def pods(self) -> tuple[PodTimes, ...]:
        """Return the milestones of the pods that are there, in the order of their creation."""
        found = [replace(times, pulled=self._pull(uid)) for uid, times in self._pods.items()]
        return tuple(sorted(found, key=lambda times: (times.created, times.pod)))

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 3) if self._is_applying else 0.0

    def _take_pod(self, change: str, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if change == "DELETED":
            self._pods.pop(uid, None)
            return
        now = self._now()
        if uid not in self._pods:
            self._pods[uid] = self._seen_first(pod, now)
        times = self._pods[uid]
        times.node = pod["spec"].get("nodeName", "")
        if times.scheduled is None and condition(pod, "PodScheduled").get("status") == "True":
            times.scheduled = now
        if times.started is None and _is_started(pod):
            times.started = now
        if times.ready is None and is_ready(pod):
            times.ready = now

    def _seen_first(self, pod: Object, now: float) -> PodTimes:
        metadata = pod["metadata"]
        workload = next((each for each in self._workloads if _selects(each, pod)), None)
        applied = self._applied.get(describe(workload)) if workload else None
        return PodTimes(
            pod=f"{metadata['namespace']}/{metadata['name']}",
            created_at=metadata["creationTimestamp"],
            created=now,
            workload=workload["metadata"]["name"] if workload else "",
            applied=applied if self._is_applying else 0.0,
        )

    def _take_pull(self, uid: str) -> None:
        times = self._pods.get(uid)
        # A container that starts again is said to have its image again.
        if times is None or times.started is None or uid not in self._pulled:
            self._pulled[uid] = self._now()

    def _pull(self, uid: str) -> float | None:
        """Return when the last image was there; what runs has it, however late the event comes."""
        pulled, started = self._pulled.get(uid), self._pods[uid].started
        if started == 0:
            return 0.0
        return pulled if started is None or pulled is None else min(pulled, started)


def _is_started(pod: Object) -> bool:
    containers = pod.get("status", {}).get("containerStatuses") or ()
    return bool(containers) and all("running" in entry.get("state", {}) for entry in containers)


def _selector(workload: Object) -> dict[str, str]:
    """Return the labels that a workload selects its pods by; none of what selects no pods so."""
    if workload["kind"] not in WORKLOADS:
        return {}
    selector = (workload.get("spec") or {}).get("selector") or {}
    return selector.get("matchLabels") or {}


def _selects(workload: Object, pod: Object) -> bool:
    labels = pod["metadata"].get("labels") or {}
    is_near = workload["metadata"].get("namespace") == pod["metadata"].get("namespace")
    return is_near and _selector(workload).items() <= labels.items()
