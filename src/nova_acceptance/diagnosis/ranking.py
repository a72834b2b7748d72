"""The deepest cause first, and its consequences under it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref
from nova_acceptance.diagnosis.graph import Graph


@dataclass(frozen=True, slots=True)
class Ranked:
    """A cause that stands by itself, and what it brought about.

    Attributes:
        root: the diagnosis to act on.
        symptoms: those that go away with it.
    """

    root: Diagnosis
    symptoms: tuple[Diagnosis, ...] = ()


def ranked(found: Iterable[Diagnosis], graph: Graph, order: Sequence[Cause]) -> tuple[Ranked, ...]:
    """Sort diagnoses into causes and their consequences.

    A symptom comes under the deepest diagnosis that its subject depends on, be it of the same
    subject; what is no symptom stands by itself.

    Args:
        found: diagnoses of one moment.
        graph: what needs what, at that moment.
        order: the catalogue, deepest first; it decides between causes of one depth.
    """
    place = {cause.id: index for index, cause in enumerate(order)}
    diagnoses = sorted(
        {each.key: each for each in found}.values(),
        key=lambda each: (each.cause.is_symptom, place[each.cause.id], each.subject),
    )
    roots: dict[tuple[str, Ref, str], list[Diagnosis]] = {}
    for each in diagnoses:
        deeper = _deeper(each, diagnoses, graph)
        if deeper is None:
            roots.setdefault(each.key, [])
        else:
            roots.setdefault(deeper.key, []).append(each)
    by_key = {each.key: each for each in diagnoses}
    return tuple(
        Ranked(by_key[key], tuple(roots[key]))
        for key in sorted(roots, key=lambda key: diagnoses.index(by_key[key]))
    )


def _deeper(each: Diagnosis, diagnoses: Sequence[Diagnosis], graph: Graph) -> Diagnosis | None:
    """Return what a symptom comes under; None for what stands by itself.

    Symptoms that need each other (the members of a ring) come under the first of them.
    """
    if not each.cause.is_symptom:
        return None
    steps = graph.reach([each.subject])
    position = {other.key: index for index, other in enumerate(diagnoses)}
    below = [other for other in diagnoses if other.subject in steps and other is not each]
    causes = [other for other in below if not other.cause.is_symptom]
    if causes:
        return min(causes, key=lambda other: (position[other.key], steps[other.subject]))
    mutual = {other.key for other in below if each.subject in graph.reach([other.subject])}
    deeper = [
        other
        for other in below
        if other.key not in mutual or position[other.key] < position[each.key]
    ]
    ends = [other for other in deeper if _deeper_is_none(other, diagnoses, graph)]
    return min(ends, key=lambda other: position[other.key]) if ends else None


def _deeper_is_none(each: Diagnosis, diagnoses: Sequence[Diagnosis], graph: Graph) -> bool:
    return _deeper(each, diagnoses, graph) is None
