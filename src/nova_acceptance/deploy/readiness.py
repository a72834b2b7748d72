"""Waiting until what was applied is ready, or cannot become so, or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from nova_acceptance import timeouts
from nova_acceptance.collect.loopbacks import Loopbacks
from nova_acceptance.components.kubernetes.backends import endpoints_of
from nova_acceptance.components.kubernetes.graces import Patience
from nova_acceptance.components.kubernetes.status import (
    CURRENT,
    State,
    Status,
    is_ready,
    status_of,
)
from nova_acceptance.components.kubernetes.workloads import KINDS, pods_of, workload_of
from nova_acceptance.deploy.name_servers import NameServers
from nova_acceptance.deploy.outcome import RolloutError, explained, rollout_error
from nova_acceptance.deploy.verdict import Verdict
from nova_acceptance.deploy.watches import Watches
from nova_acceptance.deploy.words import LastWords
from nova_acceptance.diagnosis import Doctor, Explanation, examine
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Kube, Object
from nova_acceptance.kube.kinds import is_watched
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Step

_LOOK = 0.5
"""Seconds between two examinations; a state without change is examined again for its grace."""
_WORKLOADS = frozenset({*KINDS, "Pod"})


class Readiness:
    """The wait for a set of applied objects.

    Args:
        kube: the API.
        applied: what was applied, as the server answered.
        watches: what shows how it fares.
        leftovers: uids of the pods that were there before. One that is broken is deleted once, so
            that its controller makes it anew from what was applied now: a StatefulSet would wait
            for it for ever, and a crashed pod's back-off can last five minutes.
        on_lost: called whenever something more is believed to be lost, with why.
    """

    def __init__(
        self,
        kube: Kube,
        applied: Sequence[Object],
        watches: Watches,
        leftovers: Iterable[str] = (),
        on_lost: Callable[[Explanation], None] = lambda _explanation: None,
    ) -> None:
        self._kube = kube
        self._applied = {ref(obj): obj for obj in applied}
        self._watches = watches
        self._leftovers = set(leftovers)
        self._renewed: set[str] = set()
        self._on_lost = on_lost
        self._patience = Patience()
        self._verdict = Verdict()
        self._words = LastWords(kube, watches.snapshot)
        self._loopbacks = Loopbacks(kube, watches.snapshot)
        self._name_servers = NameServers(kube, watches.snapshot)
        self._examined_at = float("-inf")

    @property
    def _snapshot(self) -> Snapshot:
        return self._watches.snapshot

    def wait(self, deadline: float, step: Step) -> None:
        """Return once everything is current.

        What is lost does not end the wait for what does not need it.

        Args:
            deadline: when to give up, in seconds of `time.monotonic`.
            step: where to show how far it is.

        Raises:
            RolloutError: what is left cannot become ready, or was not by the deadline.
            ClusterError: the API could not be watched.
        """
        self._watches.complete(deadline)
        while True:
            left = dict(self._left())
            if not left and self._watches.is_complete:
                return
            lost = self._lost(left) if left else []
            step.update(self._summary(left, lost))
            if left and len(lost) == len(left):
                raise self._error(left, in_time=True)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise self._error(left, in_time=False)
            self._watches.advance(min(_LOOK, remaining))

    def _left(self) -> Iterator[tuple[Ref, Status]]:
        for where, obj in self._applied.items():
            status = self._status(where, obj)
            if not status.is_current:
                yield where, status

    def _status(self, where: Ref, applied: Object) -> Status:
        if where.kind == "Service":  # its spec is as applied; only what stands behind it changes
            return status_of(applied, endpoints_of(self._snapshot, where))
        if not is_watched(where.kind):
            return CURRENT
        live = self._snapshot.at(where)
        if live and _generation(live) < _generation(applied):
            return Status(State.IN_PROGRESS, "NotSeen", Phrase("what was applied is not seen yet"))
        status = status_of(live)
        if live and status.is_current and not self._shows_pods(live):
            return Status(State.IN_PROGRESS, "NotSeen", Phrase("its ready pods are not seen yet"))
        return status

    def _shows_pods(self, workload: Object) -> bool:
        """Whether the pods that a workload counts as ready are seen so: watches do not keep step.

        What comes after the wait reads the pods; a count that ran ahead would leave one out.
        """
        status = workload.get("status", {})
        counted = int(status.get("readyReplicas", status.get("numberReady", 0)))
        return counted == 0 or (sum(map(is_ready, pods_of(self._snapshot, workload))) >= counted)

    def _lost(self, left: Mapping[Ref, Status]) -> list[Ref]:
        """Return what of it is lost, after a new examination if the last one is not of now."""
        now = time.monotonic()
        if now - self._examined_at >= _LOOK:
            self._examined_at = now
            self._words.refresh()
            self._name_servers.refresh()
            self._loopbacks.refresh(now + timeouts.LOOK)
            found = [each for each in examine(self._snapshot) if not self._is_outdated(each)]
            exhausted = self._patience.exhausted(found, now)
            broken = [each for each in exhausted if not self._is_renewed(each)]
            if self._verdict.believe(broken, self._snapshot, now):
                subjects = self._verdict.lost(list(left), self._snapshot, now)
                if subjects:
                    doctor = Doctor(self._snapshot)
                    self._on_lost(explained(doctor, subjects, self._verdict.keys))
        return self._verdict.lost(list(left), self._snapshot, now)

    def _is_outdated(self, found: Finding) -> bool:
        """Whether it was found at a workload of which what was applied is not seen yet."""
        applied, live = self._applied.get(found.subject), self._snapshot.at(found.subject)
        return bool(applied and live and _generation(live) < _generation(applied))

    def _is_renewed(self, found: Finding) -> bool:
        """Delete our broken pods that were there before; False where there are none.

        What a template itself says is as true of the pods to come.
        """
        old = [
            pod
            for pod in self._pods_at(found.subject)
            if uid(pod) in self._leftovers
            and pod["metadata"].get("ownerReferences")
            and self._is_of_applied(pod)
            and not is_ready(pod)
        ]
        for pod in old:
            metadata = pod["metadata"]
            if uid(pod) not in self._renewed:
                self._renewed.add(uid(pod))
                self._kube.delete(
                    "v1",
                    "Pod",
                    metadata["name"],
                    metadata["namespace"],
                    precondition_uid=uid(pod),
                )
        return bool(old)

    def _is_of_applied(self, pod: Object) -> bool:
        """Whether a pod is made from what was applied; others in the namespace are not ours."""
        workload = workload_of(self._snapshot, pod)
        return workload is not None and ref(workload) in self._applied

    def _pods_at(self, subject: Ref) -> list[Object]:
        obj = self._snapshot.at(subject)
        if obj is None or subject.kind not in _WORKLOADS or subject.kind == "Job":
            return []
        return pods_of(self._snapshot, obj)

    def _workloads(self) -> Iterator[Object]:
        for where, obj in self._applied.items():
            live = self._snapshot.at(where) if where.kind in _WORKLOADS else None
            if live and _generation(live) >= _generation(obj):
                yield live

    def _summary(self, left: Mapping[Ref, Status], lost: Sequence[Ref]) -> str:
        workloads = list(self._workloads())
        pods = [pod for workload in workloads for pod in pods_of(self._snapshot, workload)]
        ready = sum(map(is_ready, pods))
        wanted = sum(obj["spec"].get("replicas", 1) for obj in workloads)
        counted = f"{ready} of {wanted} pods ready"
        if lost:
            return f"{counted}, lost: {', '.join(where.name for where in lost)}"
        if ready < wanted or not left:
            return counted
        name, status = next(iter(left.items()))
        return f"{counted}, waiting for {name}: {status.message}"

    def _error(self, left: Mapping[Ref, Status], *, in_time: bool) -> RolloutError:
        self._watches.list_events(dict.fromkeys(where.namespace for where in left))
        self._words.refresh()
        return rollout_error(Doctor(self._snapshot), left, self._verdict.keys, in_time=in_time)


def _generation(obj: Object) -> int:
    return int(obj["metadata"].get("generation", 0))
