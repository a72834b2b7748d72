"""Every cause that has a name, and the rules that find them.

A family is a module with `CAUSES`, deepest first, and three groups of rules, each a function of
the snapshot that yields diagnoses:

    BEFOREHAND   look at specifications and at the cluster's abilities alone, so that they hold for
                 rendered manifests before the first write as well as for a live system
    LIVE         look at what the cluster says of itself
    (neither)    some causes no object of the API shows; tests name them by what they were told
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Final

from nova_acceptance.diagnosis import families
from nova_acceptance.diagnosis.cause import Cause, Diagnosis
from nova_acceptance.diagnosis.snapshot import Snapshot

Rule = Callable[[Snapshot], Iterable[Diagnosis]]

FAMILIES: Final[tuple[ModuleType, ...]] = families.DEEPEST_FIRST
CAUSES: Final[tuple[Cause, ...]] = tuple(
    cause for family in FAMILIES for cause in getattr(family, "CAUSES", ())
)
BY_ID: Final[dict[str, Cause]] = {cause.id: cause for cause in CAUSES}


def beforehand(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield what is wrong with what is wanted, given what the cluster can do."""
    return _found(snapshot, "BEFOREHAND")


def examine(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Yield all that is wrong, in no particular order."""
    yield from beforehand(snapshot)
    yield from _found(snapshot, "LIVE")


def _found(snapshot: Snapshot, group: str) -> Iterator[Diagnosis]:
    for family in FAMILIES:
        for rule in getattr(family, group, ()):
            yield from rule(snapshot)
