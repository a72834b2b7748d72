"""Pods that are not well, and what they say for themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nova_acceptance.components.kubernetes.graces import SETTLING
from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.status import condition, is_ready, status_of
from nova_acceptance.components.kubernetes.workloads import (
    KINDS,
    is_past,
    pods_of,
    sidecars,
    statuses,
    workload_of,
)
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object, describe
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.masking import CUT
from nova_acceptance.phrase import NOTHING, Phrase

LINES = 5
"""Last lines of a log that a message quotes."""
LONGEST = 400
"""Characters of a message or a line that are quoted."""
_STARTED: Final = frozenset({"Pulling", "Pulled", "Created", "Started"})
_BEFORE_THE_START: Final = frozenset({"", "ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class Ill:
    """A pod that is not ready and should be.

    Attributes:
        pod: as it is on the cluster.
        workload: what it is made from; the pod itself where nothing known is.
        events: those about it, oldest first.
    """

    pod: Object
    workload: Object
    events: tuple[Object, ...]

    @property
    def subject(self) -> Ref:
        """What is to be mended: its specification."""
        return ref(self.workload)

    @property
    def where(self) -> Ref:
        """The pod."""
        return ref(self.pod)

    @property
    def phase(self) -> str:
        """Pending, Running, Failed or Unknown."""
        return str((self.pod.get("status") or {}).get("phase", "Pending"))

    @property
    def is_to_end(self) -> bool:
        """Whether its programs are meant to end by themselves: those of a task, not a server's."""
        policy = str(self.pod["spec"].get("restartPolicy", "Always"))
        return policy != "Always" or self.workload["kind"] == "Job"  # which may not say Always

    def container(self, name: str) -> Phrase:
        """Return how a message names one of its containers."""
        return Phrase("{pod}, container {container}", pod=describe(self.pod), container=name)

    def said(self, *reasons: str) -> list[str]:
        """Return the messages of its events of these reasons, oldest first."""
        return [message(event) for event in self.events if event.get("reason") in reasons]

    def said_since_its_start(self, *reasons: str) -> list[str]:
        """Return the same, without what is older than the latest start of one of its containers."""
        starts = [n for n, event in enumerate(self.events, 1) if event.get("reason") in _STARTED]
        events = self.events[max(starts, default=0) :]
        return [message(event) for event in events if event.get("reason") in reasons]

    @property
    def entries(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """The status of each container, and whether that has to end before the others start."""
        inits = (self.pod.get("status") or {}).get("initContainerStatuses") or ()
        lasting = sidecars(self.pod)
        for entry in statuses(self.pod):
            yield entry, entry in inits and entry["name"] not in lasting

    def finding(
        self,
        cause: str,
        entry: Mapping[str, Any],
        what: Phrase,
        *evidence: str,
        grace: float | None,
        cure: Phrase = NOTHING,
    ) -> Finding:
        """Return what is wrong with one of its containers, given by its status."""
        return Finding(
            cause,
            self.subject,
            Phrase("{container}: {what}", container=self.container(entry["name"]), what=what),
            cure,
            evidence=tuple(filter(None, evidence)),
            container=entry["name"],
            grace=grace,
        )


def ill_pods(snapshot: Snapshot) -> Iterator[Ill]:
    """Yield the pods that are not ready, of the current version of what they are made from.

    Not those that are being deleted, have done their work, or failed and were replaced since; nor
    those of a Job that has done its work, or whose CronJob has in a later run.
    """
    current: dict[Ref, set[Ref]] = {}
    for pod in snapshot.of_kind("Pod"):
        phase = (pod.get("status") or {}).get("phase")
        if "deletionTimestamp" in pod["metadata"] or phase == "Succeeded" or is_ready(pod):
            continue
        if not pod.get("status"):
            continue  # only rendered
        workload = workload_of(snapshot, pod) or pod
        if workload["kind"] == "Job" and is_past(snapshot, workload):
            continue
        if workload["kind"] in KINDS:
            where = ref(workload)
            if where not in current:
                current[where] = set(map(ref, pods_of(snapshot, workload)))
            if ref(pod) not in current[where]:
                continue
            if phase == "Failed" and status_of(workload).is_current:
                continue
        ill = Ill(pod, workload, tuple(snapshot.events_about(pod)))
        if not (ill.is_to_end and _is_at_work(pod)):
            yield ill


def _is_at_work(pod: Object) -> bool:
    """Whether each container of a task has done its part or is well; such a pod is never ready."""
    entries = (pod.get("status") or {}).get("containerStatuses") or ()
    done = [ended(entry) for entry in entries if "terminated" in (entry.get("state") or {})]
    return (
        bool(done)
        and all(how.get("exitCode") == 0 for how in done)
        and all(entry.get("ready") for entry in entries if "running" in (entry.get("state") or {}))
        and not any("waiting" in (entry.get("state") or {}) for entry in entries)
    )


def message(event: Object) -> str:
    """Return what an event says, in one line."""
    return " ".join(str(event.get("message") or "").split())


def short(text: str) -> str:
    """Return a text that may be long, cut to what a reader needs."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} {CUT}"


def log_lines(snapshot: Snapshot, pod: Object, container: str) -> list[str]:
    """Return the last lines of a container: those of the one before it first."""
    metadata = pod["metadata"]
    logs = snapshot.logs.get((metadata.get("namespace", ""), metadata["name"], container)) or []
    return [
        line.rstrip()
        for log in sorted(logs, key=lambda log: not log.previous)
        for line in log.text.splitlines()
        if line.strip()
    ]


def last_words(snapshot: Snapshot, pod: Object, container: str) -> tuple[str, ...]:
    """Return the last lines of a container, as evidence shows them."""
    lines = log_lines(snapshot, pod, container)[-LINES:]
    return tuple(f"log: {short(line)}" for line in lines)


def ended(entry: dict[str, Any]) -> dict[str, Any]:
    """Return how a container ended, now or the last time; empty where it never did."""
    for state in (entry.get("state"), entry.get("lastState")):
        if found := (state or {}).get("terminated"):
            return dict(found)
    return {}


def waits_for(entry: dict[str, Any]) -> tuple[str, str]:
    """Return reason and message of a container that waits to be started; empty for others."""
    waiting = (entry.get("state") or {}).get("waiting") or {}
    return str(waiting.get("reason") or ""), str(waiting.get("message") or "")


def is_on_its_way(pod: Object) -> bool:
    """Whether a pod is being made, started or ended, and does not say yet what comes of it."""
    status = pod.get("status") or {}
    if "deletionTimestamp" in pod["metadata"]:
        return True
    if is_ready(pod) or status.get("phase") not in ("Pending", "Running"):
        return False
    if condition(pod, "PodScheduled").get("status") == "False":
        return False  # the scheduler has said why
    entries = statuses(pod)
    return not entries or any(map(_is_starting, entries))


def _is_starting(entry: dict[str, Any]) -> bool:
    state = entry.get("state") or {}
    if "running" in state:
        return entry.get("started") is False
    reason, _ = waits_for(entry)
    return "terminated" not in state and is_waiting_to_start(reason)


def is_waiting_to_start(reason: str) -> bool:
    """Whether the reason for which a container waits is only that its turn has not come yet."""
    return reason in _BEFORE_THE_START


def stands_alone(snapshot: Snapshot, workload: Object, since: str = "") -> bool:
    """Whether every other workload that this one needs has its pods ready.

    One that needs this one in turn does not count: who names each other waits for nobody.

    Args:
        snapshot: what was seen.
        workload: the one that needs them.
        since: where given, an instant of the API before which they must have been so.
    """
    own, graph = ref(workload), Graph.of(snapshot)
    for where in graph.reach([own]):
        other = snapshot.at(where) if where.kind in KINDS and where != own else None
        if other is None or own in graph.reach([where]):
            continue
        ready = [pod for pod in pods_of(snapshot, other) if is_ready(pod)]
        counted = (other.get("status") or {}).get("readyReplicas", len(ready))
        if counted < other["spec"].get("replicas", 1):
            return False
        if not all(_was_ready(pod, since) for pod in ready):
            return False
    return True


def _was_ready(pod: Object, since: str) -> bool:
    """Whether a pod was ready before an instant, and for long enough to be led to."""
    began = str(condition(pod, "Ready").get("lastTransitionTime") or "")
    if not (since and began):
        return True
    try:
        apart = datetime.fromisoformat(since) - datetime.fromisoformat(began)
    except ValueError:
        return True
    return apart.total_seconds() >= SETTLING
