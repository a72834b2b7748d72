"""Which of the objects that are not ready are lost: they, or what they need, cannot become so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.kubernetes.graces import NEXT_TRY, Key
from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.status import is_ready, status_of
from nova_acceptance.components.kubernetes.workloads import KINDS
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot, uid

PENDING: Final = "Pending"
"""A pod's phase until all of its containers have been made."""


@dataclass(frozen=True, slots=True)
class _Believed:
    since: float
    uid: str
    phase: str


class Verdict:
    """What is believed to be lost, and what is lost with it."""

    def __init__(self) -> None:
        self._believed: dict[Key, _Believed] = {}

    @property
    def keys(self) -> Collection[Key]:
        """The diagnoses that are believed."""
        return self._believed.keys()

    def believe(self, exhausted: Iterable[Finding], snapshot: Snapshot, now: float) -> bool:
        """Take in what is believed at this moment; whether something was not before.

        A crashing program runs now and then: what is said of a pod or a workload is believed
        until that is ready or gone, all else as long as it shows. What kept a pod from starting
        is over once it has started.
        """
        found = {each.key: each for each in exhausted}
        kept = {
            key: state
            for key, state in self._believed.items()
            if key in found or _still_holds(snapshot, key[1], state)
        }
        new = found.keys() - kept.keys()
        for key in new:
            kept[key] = _Believed(now, *_identity(snapshot, key[1]))
        self._believed = kept
        return bool(new)

    def lost(self, left: Collection[Ref], snapshot: Snapshot, now: float) -> list[Ref]:
        """Return which of the objects that are left will not become ready.

        What is only configured with something that is lost may become ready by itself, and is
        given a moment for it.
        """
        since: dict[Ref, float] = {}
        for (_, subject, _), state in self._believed.items():
            since[subject] = min(state.since, since.get(subject, now))
        if not since:
            return []
        graph = Graph(snapshot)
        return [where for where in left if _is_lost(graph, where, since, now)]


def _is_lost(graph: Graph, where: Ref, since: Mapping[Ref, float], now: float) -> bool:
    reached = graph.reach([where])
    for subject, moment in since.items():
        if subject in reached:
            is_own = not _passes_others(graph.chain([where], subject))
            if is_own or now - moment >= NEXT_TRY:
                return True
    return False


def _passes_others(chain: list[Ref]) -> bool:
    """Whether a chain leads out of a workload and on to a Service that it is configured with."""
    kinds = [where.kind in KINDS for where in chain]
    first = kinds.index(True) if True in kinds else len(chain)
    return any(where.kind == "Service" for where in chain[first:])


def _still_holds(snapshot: Snapshot, subject: Ref, before: _Believed) -> bool:
    obj = snapshot.at(subject)
    identity, phase = _identity(snapshot, subject)
    if obj is None or identity != before.uid:
        return False
    if subject.kind == "Pod":
        has_started = before.phase == PENDING != phase
        return not has_started and not is_ready(obj)
    return subject.kind in KINDS and not status_of(obj).is_current


def _identity(snapshot: Snapshot, subject: Ref) -> tuple[str, str]:
    """Return an object's uid and its phase, both empty where there is none."""
    obj = snapshot.at(subject) or {}
    return uid(obj) if obj else "", str((obj.get("status") or {}).get("phase") or "")
