"""Waiting until what was applied is ready, or cannot become so, or the time is up."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from nova_acceptance.deploy.explanation import last_words, unready_pods, warnings
from nova_acceptance.deploy.findings import Finding, findings, of_claim, pods_of
from nova_acceptance.deploy.picture import API_VERSIONS, Observation, Picture, key_of
from nova_acceptance.diagnosis.status import CURRENT, State, Status, is_pod_ready, status_of
from nova_acceptance.errors import NotReadyError
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.progress import Step

_LOOK = 0.5
"""Seconds after which a state without change is looked at again, for its grace to run out."""
_WORKLOADS = frozenset({"DaemonSet", "Deployment", "Job", "Pod", "StatefulSet"})


class Patience:
    """How long each finding has lasted."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, str], float] = {}

    def exhausted(self, found: Iterable[Finding], now: float) -> list[Finding]:
        """Return the findings that have outlasted their grace; forget those that passed.

        Args:
            found: what was found at this moment.
            now: this moment, in seconds of a monotonic clock.
        """
        present = list(found)
        self._since = {each.key: self._since.get(each.key, now) for each in present}
        return [each for each in present if now - self._since[each.key] >= each.rule.grace]


class Readiness:
    """The wait for a set of applied objects.

    Args:
        kube: the API.
        applied: what was applied, as the server answered.
        observation: the watches that show how it fares.
        leftovers: uids of the pods that were there before. One that is broken is deleted once, so
            that its controller makes it anew from what was applied now: a StatefulSet would wait
            for it for ever, and a crashed pod's back-off can last five minutes.
    """

    def __init__(
        self,
        kube: Kube,
        applied: Sequence[Object],
        observation: Observation,
        leftovers: Iterable[str] = (),
    ) -> None:
        self._kube = kube
        self._applied = applied
        self._observation = observation
        self._leftovers = set(leftovers)
        self._renewed: set[str] = set()
        self._patience = Patience()

    @property
    def _picture(self) -> Picture:
        return self._observation.picture

    def wait(self, deadline: float, step: Step) -> None:
        """Return once everything is current.

        Args:
            deadline: when to give up, in seconds of `time.monotonic`.
            step: where to show how far it is.

        Raises:
            NotReadyError: something cannot become ready, or was not by the deadline.
            ClusterError: the API could not be watched.
        """
        self._observation.complete(deadline)
        while True:
            left = dict(self._left())
            if not left and self._observation.is_complete:
                return
            step.update(self._summary(left))
            for finding in self._patience.exhausted(self._found(), time.monotonic()):
                if not self._is_renewed(finding):
                    raise self._lost(finding)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise self._late(left)
            self._observation.advance(min(_LOOK, remaining))

    def _left(self) -> Iterator[tuple[str, Status]]:
        for obj in self._applied:
            status = self._status(obj)
            if not status.is_current:
                yield describe(obj), status

    def _status(self, applied: Object) -> Status:
        kind, namespace, name = key_of(applied)
        if kind == "Service":  # its spec is as applied; only what stands behind it changes
            return status_of(applied, self._picture.get("Endpoints", namespace, name))
        if kind not in API_VERSIONS:
            return CURRENT
        live = self._picture.get(kind, namespace, name)
        if live and _generation(live) < _generation(applied):
            return Status(State.IN_PROGRESS, "NotSeen", "what was applied is not seen yet")
        status = status_of(live)
        if live and status.is_current and not self._shows_pods(live):
            return Status(State.IN_PROGRESS, "NotSeen", "its ready pods are not seen yet")
        return status

    def _shows_pods(self, workload: Object) -> bool:
        """Whether the pods that a workload counts as ready are seen so: watches do not keep step.

        What comes after the wait reads the pods; a count that ran ahead would leave one out.
        """
        status = workload.get("status", {})
        counted = int(status.get("readyReplicas", status.get("numberReady", 0)))
        return sum(map(is_pod_ready, pods_of(self._picture, workload))) >= counted

    def _workloads(self) -> Iterator[Object]:
        for obj in self._applied:
            live = self._picture.get(*key_of(obj)) if obj["kind"] in _WORKLOADS else None
            if live and _generation(live) >= _generation(obj):
                yield live

    def _found(self) -> Iterator[Finding]:
        for workload in self._workloads():
            yield from findings(self._picture, workload)
        for obj in self._applied:
            if obj["kind"] == "PersistentVolumeClaim":
                claim = self._picture.get(*key_of(obj))
                yield from of_claim(self._picture, claim) if claim else ()

    def _is_renewed(self, finding: Finding) -> bool:
        """Delete a broken pod that was there before; False where the finding is of now."""
        metadata = finding.obj["metadata"]
        uid = metadata["uid"]
        if uid in self._leftovers and metadata.get("ownerReferences") and uid not in self._renewed:
            self._renewed.add(uid)
            name, namespace = metadata["name"], metadata["namespace"]
            self._kube.delete("v1", "Pod", name, namespace, precondition_uid=uid)
        return uid in self._renewed

    def _summary(self, left: dict[str, Status]) -> str:
        workloads = list(self._workloads())
        pods = [pod for workload in workloads for pod in pods_of(self._picture, workload)]
        ready = sum(map(is_pod_ready, pods))
        wanted = sum(obj["spec"].get("replicas", 1) for obj in workloads)
        if ready < wanted or not left:
            return f"{ready} of {wanted} pods ready"
        name, status = next(iter(left.items()))
        return f"{ready} of {wanted} pods ready, waiting for {name}: {status.message}"

    def _lost(self, finding: Finding) -> NotReadyError:
        names = (
            describe(workload)
            for workload in self._workloads()
            if any(each.key == finding.key for each in findings(self._picture, workload))
        )
        self._observation.list_events(finding.obj["metadata"]["namespace"])
        name = next(names, finding.subject)
        where = "" if finding.subject == name else f"{finding.subject}: "
        return NotReadyError(
            f"{name} cannot become ready: {where}{finding.reason}",
            hint=finding.rule.hint,
            evidence=[
                *filter(None, finding.message.splitlines()),
                *warnings(self._picture, finding.obj),
                *last_words(self._kube, finding),
            ],
        )

    def _late(self, left: dict[str, Status]) -> NotReadyError:
        return NotReadyError(
            f"not ready in time: {', '.join(left) or 'the API could not be watched'}",
            hint="what the pods themselves say is above; a slow machine may just need longer",
            evidence=[
                *(f"{name}: {status.message or status.reason}" for name, status in left.items()),
                *unready_pods(self._picture, self._workloads()),
            ],
        )


def _generation(obj: Object) -> int:
    return int(obj["metadata"].get("generation", 0))
