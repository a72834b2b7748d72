"""The deepest cause first, and its consequences under it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from nova_acceptance.causes import places
from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.findings import Finding, Ref

_CLOSED_TO_NEW_PODS: Final = "NODE_CORDONED"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A cause that stands by itself, and what it brought about.

    Attributes:
        root: the diagnosis to act on.
        symptoms: those that go away with it.
    """

    root: Finding
    symptoms: tuple[Finding, ...] = ()


def ranked(found: Iterable[Finding], graph: Graph) -> tuple[Ranked, ...]:
    """Sort diagnoses into causes and their consequences.

    A symptom comes under the deepest diagnosis that its subject depends on, be it of the same
    subject, and sooner under one of its own parts than of another program that it asks; what is
    no symptom stands by itself. A matter of policy comes last, and nothing comes under it.

    Args:
        found: diagnoses of one moment.
        graph: what needs what, at that moment.
    """
    # between causes of one depth the catalogue decides, which is written deepest first
    diagnoses = sorted(
        {each.key: each for each in found}.values(),
        key=lambda each: (
            each.meaning.is_policy,
            each.is_symptom,
            places()[each.cause],
            each.subject,
        ),
    )
    order_of = _Depths(diagnoses, graph)
    roots: dict[tuple[str, Ref, str], list[Finding]] = {}
    for each in diagnoses:
        deeper = order_of.deeper(each)
        if deeper is None:
            roots.setdefault(each.key, [])
        else:
            roots.setdefault(deeper.key, []).append(each)
    return tuple(
        Ranked(order_of.diagnoses[key], tuple(roots[key]))
        for key in sorted(roots, key=order_of.position.__getitem__)
    )


def behind(found: Iterable[Finding], reached: Collection[Ref], graph: Graph) -> list[Finding]:
    """Return the diagnoses that may be why something that needs these objects goes wrong.

    Those are the ones at these objects; but a node that takes no new pods is behind the pods that
    wait for it alone: what runs there goes on as before.

    Args:
        found: diagnoses of one moment.
        reached: the objects, as far as they are needed.
        graph: what needs what, at that moment.
    """
    return [
        each
        for each in found
        if each.subject in reached
        and (each.cause != _CLOSED_TO_NEW_PODS or graph.is_awaited(each.subject, reached))
    ]


class _Depths:
    """What each diagnosis of one moment comes under, worked out once for each of them."""

    def __init__(self, diagnoses: Sequence[Finding], graph: Graph) -> None:
        self.diagnoses = {each.key: each for each in diagnoses}
        self.position = {each.key: index for index, each in enumerate(diagnoses)}
        self._graph = graph
        self._steps: dict[tuple[Ref, bool], dict[Ref, int]] = {}
        self._deeper: dict[tuple[str, Ref, str], Finding | None] = {}

    def deeper(self, each: Finding) -> Finding | None:
        """Return what a symptom comes under; None for what stands by itself.

        Symptoms that need each other (the members of a ring) come under the first of them.
        """
        if each.key not in self._deeper:
            self._deeper[each.key] = self._work_out(each) if each.is_symptom else None
        return self._deeper[each.key]

    def _work_out(self, each: Finding) -> Finding | None:
        steps = self._reach(each.subject)
        below = [
            other
            for other in behind(self.diagnoses.values(), steps, self._graph)
            if other is not each and not other.meaning.is_policy
        ]
        causes = [other for other in below if not other.is_symptom]
        if causes:
            parts = self._reach(each.subject, others=False) if causes[1:] else {}
            return min(
                causes,
                key=lambda other: (
                    other.subject not in parts,
                    self.position[other.key],
                    steps[other.subject],
                ),
            )
        deeper = [
            other
            for other in below
            if each.subject not in self._reach(other.subject)
            or self.position[other.key] < self.position[each.key]
        ]
        ends = [other for other in deeper if self.deeper(other) is None]
        return min(ends, key=lambda other: self.position[other.key]) if ends else None

    def _reach(self, where: Ref, *, others: bool = True) -> dict[Ref, int]:
        if (where, others) not in self._steps:
            self._steps[where, others] = self._graph.reach([where], others=others)
        return self._steps[where, others]
