"""The causes of a run as they are read: one entry a cause, and under it what only follows.

A sick system names the same cause at many objects, and names what comes of a cause beside it. An
entry is one thing to do: a cause with all the objects at which it stands by itself, what the run
named that follows from it there, and how many tests turn green with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nova_acceptance.causes import causes
from nova_acceptance.report.cause_texts import UNKNOWN
from nova_acceptance.report.model import Key, Named, Symptom

FIRST: Final = 5
"""Things to do that a report opens with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cause at every object at which it stands by itself.

    Attributes:
        cause: its stable name, or `UNKNOWN`.
        places: it at each of its objects; there is one at least.
        consequences: what the run named besides and what only follows from it, by cause.
        tests: how many tests are red for it or for what follows from it.
        alone: how many of these have no other cause beside it that keeps them red.
    """

    cause: str
    places: tuple[Named, ...]
    consequences: tuple[Entry, ...] = ()
    tests: int = 0
    alone: int = 0

    @property
    def first(self) -> Named:
        """It at the first of its objects."""
        return self.places[0]

    @property
    def is_policy(self) -> bool:
        """Whether it breaks a rule and keeps nothing from working."""
        return _is_policy(self.cause)

    @property
    def symptoms(self) -> Mapping[str, tuple[Symptom, ...]]:
        """What it brought about and the run did not name by itself, by cause."""
        members = (*self.places, *(one for each in self.consequences for one in each.places))
        named = {member.key for member in members}
        found: dict[str, dict[tuple[str, str], Symptom]] = {}
        for member in members:
            for each in member.symptoms:
                if each.key not in named:
                    same = (each.subject, each.summary)
                    found.setdefault(each.cause, {}).setdefault(same, each)
        return {cause: tuple(each.values()) for cause, each in found.items()}


@dataclass(frozen=True, slots=True)
class Entries:
    """All that a run named.

    Attributes:
        working: what keeps the system from working, in the order in which a person would mend it.
        policy: what breaks a rule, of security or of resources, while all works in spite of it.
    """

    working: tuple[Entry, ...]
    policy: tuple[Entry, ...]

    @property
    def every(self) -> tuple[Entry, ...]:
        """Both, in this order."""
        return (*self.working, *self.policy)

    @property
    def first(self) -> tuple[Entry, ...]:
        """The few to begin with: those that turn tests green, if any does."""
        for each in (self.working, self.policy):
            if each:
                return (tuple(entry for entry in each if entry.tests) or each)[:FIRST]
        return ()

    @property
    def rest(self) -> int:
        """How many there are besides."""
        return len(self.every) - len(self.first)


def entries_of(named: Sequence[Named]) -> Entries:
    """Return the causes of a run as entries.

    Args:
        named: each once, the deepest first.
    """
    root_of = _roots(named)
    wanted = _wanted(named, root_of)
    entries = []
    for cause, places in _by_cause(each for each in named if root_of[each.key] == each.key):
        own = {each.key for each in places}
        below = [each for each in named if root_of[each.key] in own and each.key not in own]
        tests = _tests((*places, *below))
        entry = Entry(
            cause,
            (*places, *(each for each in below if each.cause == cause)),
            tuple(
                Entry(name, members, tests=len(_tests(members)))
                for name, members in _by_cause(each for each in below if each.cause != cause)
            ),
            tests=len(tests),
            alone=sum(wanted[test] == {cause} for test in tests),
        )
        entries.append(entry)
    # what no test is red for can wait; of the rest comes first what the others stand on
    entries.sort(key=lambda each: not each.tests)
    return Entries(
        tuple(each for each in entries if not each.is_policy),
        tuple(each for each in entries if each.is_policy),
    )


def _roots(named: Sequence[Named]) -> Mapping[Key, Key]:
    """Return for each what it comes under in the end, which is itself where it stands alone.

    What the run said of a cause goes before what it said of another's consequences; what would
    close a circle is left out.
    """
    under: dict[Key, Key] = {}

    def end_of(key: Key) -> Key:
        while key in under:
            key = under[key]
        return key

    by_key = {each.key: each for each in named}
    told = [(each.key, each.follows) for each in named if each.follows]
    told += [(symptom.key, each.key) for each in named for symptom in each.symptoms]
    for key, deeper in told:
        is_known = key in by_key and deeper in by_key and key not in under
        may_fold = UNKNOWN.id not in (key[0], deeper[0]) and not _is_policy(deeper[0])
        if is_known and may_fold and not _is_policy(key[0]) and end_of(deeper) != key:
            under[key] = deeper
    return {key: end_of(key) for key in by_key}


def _wanted(named: Iterable[Named], root_of: Mapping[Key, Key]) -> Mapping[str, set[str]]:
    """Return for each red test the causes that have to be mended until it is green."""
    found: dict[str, set[str]] = {}
    for each in named:
        for test in each.explained:
            others = {root_of[key][0] for key in test.others if key in root_of}
            besides = {cause for cause in others if not _is_policy(cause)}
            found.setdefault(test.nodeid, set()).update(besides, {root_of[each.key][0]})
    return found


def _by_cause(named: Iterable[Named]) -> Iterable[tuple[str, tuple[Named, ...]]]:
    """Return them by cause, in the order in which the causes come."""
    found: dict[str, list[Named]] = {}
    for each in named:
        found.setdefault(each.cause, []).append(each)
    return [(cause, tuple(members)) for cause, members in found.items()]


def _tests(named: Iterable[Named]) -> set[str]:
    return {test.nodeid for each in named for test in each.explained}


def _is_policy(cause: str) -> bool:
    known = causes().get(cause)
    return known is not None and known.is_policy
