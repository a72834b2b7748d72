"""Finds the cause that explains a failed test, by looking at the cluster.

A look lists all kinds of objects, and one fault makes many tests fail. So a look serves every test
that fails within a few seconds, and after `MOST_LOOKS` of them the last one serves the whole run.
Where only symptoms show and pods are still starting, the cluster is looked at again until they show
more, for at most `timeouts.STARTS_SHOW`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.causes import ANY, explaining, family
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.backends import endpoints_of
from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.pods import is_on_its_way
from nova_acceptance.components.kubernetes.status import is_unseen, status_of
from nova_acceptance.components.kubernetes.workloads import workload_of
from nova_acceptance.components.registry import kinds
from nova_acceptance.diagnosis import Doctor, Explanation, Ranked
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import System
from nova_acceptance.verification.answers import of_error
from nova_acceptance.verification.scope import API, Scope, home_of

MOST_LOOKS: Final = 10
"""Looks at the cluster that a run takes for its failures."""
_MOMENT: Final = 1.0
"""Seconds between two looks at what is just starting; the change may be in any of ten kinds."""

_SETTINGS: Final = ("ConfigMap", "Secret")


@dataclass(eq=False)
class Examiner:
    """Explains failures by looks at one cluster; threads may share it.

    Args:
        look: takes a look at the cluster.
        system: what nova.yaml says.
        clock: seconds.
        sleep: waits for that many of them.
    """

    _look: Callable[[], Snapshot]
    _system: System
    are_policies_enforced: bool = field(default=True, init=False)
    _clock: Callable[[], float] = time.monotonic
    _sleep: Callable[[float], None] = time.sleep
    _patience: float = field(default=timeouts.STARTS_SHOW, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _doctor: Doctor | None = field(default=None, init=False)
    _failure: NovaError | None = field(default=None, init=False)
    _looked: float = field(default=float("-inf"), init=False)
    _looks: int = field(default=0, init=False)

    @property
    def snapshot(self) -> Snapshot | None:
        """What the last look saw; None where there was none."""
        return self._doctor.snapshot if self._doctor else None

    @property
    def doctor(self) -> Doctor | None:
        """Who examined what the last look saw; None where there was none."""
        return self._doctor

    def explain(self, scope: Scope, shown: Finding | None, summary: str) -> Explanation:
        """Return why a test failed.

        Args:
            scope: its objects.
            shown: what the failure itself shows, if anything.
            summary: what failed, in a sentence.
        """
        own = self._placed(shown, scope) if shown else None
        if own and not own.is_symptom and not explaining(own.cause):
            known = self.fresh() if own.subject != API else None  # of an object a look tells more
            own = _at_its_workload(known, own) if known else own
            return self._finding(_folded(own, known), scope, summary, known)
        doctor = self.fresh()
        if doctor is None:
            own = own or self._unreachable()
            return self._finding(_alone(own) if own else Explanation(()), scope, summary, None)
        found = self._by_objects(doctor, scope, own)
        later: Doctor | None = doctor
        while not _is_deep(found) and later and _is_on_its_way(later.snapshot, scope):
            if later := self._later():
                again = self._by_objects(later, scope, own)
                if _is_deep(again):
                    doctor, found = later, again
        return self._finding(found, scope, summary, doctor)

    def overall(self) -> tuple[Ranked, ...]:
        """Return all that the cluster's objects show to be wrong; nothing where it is away."""
        doctor = self.fresh()
        return doctor.overall() if doctor else ()

    def fresh(self) -> Doctor | None:
        """Return a look that is recent, or the last one once there were many; None if it failed."""
        with self._lock:
            is_recent = self._clock() - self._looked < timeouts.LOOK_SERVES
            if is_recent or self._looks >= MOST_LOOKS:
                return self._doctor
            self._looks += 1
            return self._looked_at()

    def _later(self) -> Doctor | None:
        """Return a look of a moment later; None once all patience is used up, or if it failed."""
        with self._lock:
            began = self._clock()
            if self._patience <= 0:
                return None
            self._sleep(_MOMENT)
            doctor = self._looked_at()
            self._patience -= self._clock() - began
            return doctor

    def _looked_at(self) -> Doctor | None:
        try:
            seen = self._look()
            seen.are_policies_enforced = self.are_policies_enforced
            self._doctor, self._failure = Doctor(seen), None
        except NovaError as error:
            self._doctor, self._failure = None, error
        self._looked = self._clock()
        return self._doctor

    def _by_objects(self, doctor: Doctor, scope: Scope, own: Finding | None) -> Explanation:
        weak = own if own and own.is_symptom else None
        best: Explanation | None = None
        start: list[Ref] = []
        for tier in scope.tiers or ((),):
            start += _with_workloads(doctor.snapshot, tier)
            found = doctor.explain(start, weak)
            if more := [each for each in self._behind(found, own) if each not in start]:
                start += more
                found = doctor.explain(start, weak)
            if said := _said_by(found, own, doctor.graph.reach(start, others=False)):
                return said
            best = best if best and best.causes else found
        if own and (not weak or own.cause in _of_the_data()):
            return _alone(own)
        if beneath := [each for each in self._beneath(start) if each not in start]:
            start += beneath
            parts = doctor.graph.reach(start, others=False)
            if said := _said_by(doctor.explain(start, weak), own, parts):
                return said
        return _specific(best) if best else Explanation(())

    def _beneath(self, start: Iterable[Ref]) -> Iterator[Ref]:
        """Yield what a workload stands on although it runs: Patroni waits for etcd in silence."""
        for component, needed in self._needs():
            if component in start:
                yield needed

    def _behind(self, found: Explanation, own: Finding | None) -> Iterator[Ref]:
        """Yield objects behind what was found that no configuration names."""
        shown = [each for ranked in found.causes for each in (ranked.root, *ranked.symptoms)]
        behind = {each.meaning.behind for each in (*shown, *([own] if own else ()))}
        if "needs" in behind:
            yield from (needed for _, needed in self._needs())
        if "nodes" in behind and self.snapshot:
            yield from map(ref, self.snapshot.of_kind("Node"))
        if own and own.meaning.behind == "workloads":
            for workload in self._system.every_workload:
                if workload.namespace in (own.subject.namespace, own.subject.name):
                    yield workload.ref
        if "dns" in behind:
            yield DNS

    def _needs(self) -> Iterator[tuple[Ref, Ref]]:
        """Yield workloads with those that they stand on without naming them anywhere."""
        for component in self._system.components:
            for name in component.needs:
                needed = self._system.component(name).workload
                yield component.workload.ref, needed.ref

    def _placed(self, shown: Finding, scope: Scope) -> Finding:
        known = home_of(shown.cause, self._system, scope)
        return shown.at(known or next(iter((*scope.targets, *scope.sources)), API))

    def _unreachable(self) -> Finding | None:
        shown = of_error(self._failure) if self._failure else None
        return self._placed(shown, Scope((API,))) if shown else None

    def _finding(
        self, found: Explanation, scope: Scope, summary: str, doctor: Doctor | None
    ) -> Explanation:
        asked = (*scope.targets, *scope.sources)
        refs = dict.fromkeys((*found.chain, *(each.root.subject for each in found.causes), *asked))
        seen = tuple(_seen(doctor.snapshot, scope.targets)) if doctor else ()
        return replace(found, summary=summary, seen=seen, refs=tuple(refs))


@cache
def _of_the_data() -> frozenset[str]:
    """Return the causes that components tell by their own protocols."""
    return frozenset(cause.id for kind in kinds() for cause in family(kind.room))


def _said_by(found: Explanation, own: Finding | None, parts: Collection[Ref]) -> Explanation | None:
    """Return the explanation from its first cause that is none of a symptom, and fits.

    Args:
        found: what is wrong with all that the test's objects need.
        own: what the failure itself says, if it says anything.
        parts: what these objects are made of. Whatever is plainly answered comes of no settings
            but those: what another program is told, this one does not ask with.
    """
    is_plain = own is not None and not own.is_symptom
    fits = {*explaining(own.cause), own.cause} if own and is_plain else {ANY}
    said = [
        each
        for each in found.causes
        if not each.root.is_symptom
        and not fits.isdisjoint({ANY, each.root.cause})
        and not (is_plain and _is_told_to_another(each.root, parts))
    ]
    if not said:
        return None
    rest = tuple(each for each in found.causes if each not in said)
    return replace(found, causes=(*said, *rest))


def _is_told_to_another(root: Finding, parts: Collection[Ref]) -> bool:
    return root.subject.kind in _SETTINGS and root.subject not in parts


def _specific(found: Explanation) -> Explanation:
    """Put what a database says of itself before what its pods' probes say of it."""
    every = [each for ranked in found.causes for each in (ranked.root, *ranked.symptoms)]
    named = [each for each in every if each.cause in _of_the_data()]
    if not named:
        return found
    root, *_ = named
    rest = [ranked for ranked in found.causes if ranked.root is not root]
    return replace(found, causes=(Ranked(root), *rest))


def _is_deep(found: Explanation) -> bool:
    return bool(found.causes) and not found.causes[0].root.is_symptom


def _is_on_its_way(snapshot: Snapshot, scope: Scope) -> bool:
    """Whether pods among what a test needs have yet to show what comes of them."""
    start = [*_with_workloads(snapshot, (*scope.targets, *scope.sources))]
    for where in Graph.of(snapshot).reach(start):
        found = snapshot.at(where)
        if found and (is_on_its_way(found) if where.kind == "Pod" else is_unseen(found)):
            return True
    return False


def _alone(own: Finding) -> Explanation:
    return Explanation((Ranked(own),), (own.subject,))


def _at_its_workload(doctor: Doctor, own: Finding) -> Finding:
    """Return what objects show of the same at a pod's workload, which is where it is mended."""
    if own.subject.kind != "Pod":
        return own
    start = list(_with_workloads(doctor.snapshot, (own.subject,)))
    roots = (each.root for each in doctor.explain(start, None).causes)
    return next((root for root in roots if root.cause == own.cause), own)


def _folded(own: Finding, doctor: Doctor | None) -> Explanation:
    """Return what a failure shows, under what it only follows from where a look shows that."""
    end = doctor.folding.end_of(own, doctor.diagnoses) if doctor else None
    if not (doctor and end):
        return _alone(own)
    chain = doctor.graph.chain([own.subject], end.subject)
    return Explanation((Ranked(end, (own,)),), tuple(chain or (end.subject,)))


def _with_workloads(snapshot: Snapshot, tier: Iterable[Ref]) -> Iterator[Ref]:
    """Yield objects, and after a pod its workload, at which most that is wrong with it is told."""
    for where in tier:
        yield where
        pod = snapshot.at(where) if where.kind == "Pod" else None
        workload = workload_of(snapshot, pod) if pod else None
        if workload:
            yield ref(workload)


def _seen(snapshot: Snapshot, refs: Iterable[Ref]) -> Iterator[str]:
    for where in refs:
        found = snapshot.at(where)
        if found is None:
            known = snapshot.knows(where.kind, where.namespace)
            yield f"{where}: {'absent' if known else 'not looked at'}"
            continue
        endpoints = endpoints_of(snapshot, where) if where.kind == "Service" else ()
        status = status_of(found, endpoints)
        yield f"{where}: {status.message or status.reason or status.state.value}"
    yield from snapshot.unread
