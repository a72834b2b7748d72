"""Which tests verify a fault: those that concern it, and a sample of the others."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

from testing.faults.fault import Fault
from testing.faults.reach import Owners, Reach
from testing.faults.verdict import Collected, fits

SAMPLED: Final = 10
"""Of the tests that a fault does not concern, every so many'th is looked at for false alarms."""

MOST_CASES: Final = 10
"""Cases of one test about one component, at most, in files where a fault is not expected to show;
what a role must not do has fifty of them, and each takes a connection."""


class Selection:
    """Chooses tests for faults.

    Args:
        owners: which component an object belongs to.
        tests: every test of the run that was green before the first fault.
        seed: what the samples are drawn by; the same seed draws the same.
        every: whether all tests verify each fault.
    """

    def __init__(
        self, owners: Owners, tests: Sequence[Collected], *, seed: int, every: bool = False
    ) -> None:
        self._owners = owners
        self._tests = tests
        self._seed = seed
        self._every = every

    def of(self, faults: Sequence[Fault]) -> tuple[str, ...]:
        """Return the tests that verify faults that are in together, in the order of a run.

        Nothing stands for all of them.
        """
        if self._every or any(self._owners.reach(fault).is_everything for fault in faults):
            return ()
        names = " ".join(fault.name for fault in faults)
        draw = random.Random(f"{self._seed} {names}")  # noqa: S311 - a sample is no secret
        chosen = {test for fault in faults for test in self._concerning(fault, draw)}
        others = [test.nodeid for test in self._tests if test.nodeid not in chosen]
        chosen.update(draw.sample(others, -(-len(others) // SAMPLED)))
        return tuple(test.nodeid for test in self._tests if test.nodeid in chosen)

    def _concerning(self, fault: Fault, draw: random.Random) -> Iterator[str]:
        """Yield the tests that could show a fault.

        Those that it is expected to fail; of those about its components all that are in the same
        files, and elsewhere some of each function. What is expected to show nowhere could show
        anywhere, and has all that are about its components.
        """
        reach, expected = self._owners.reach(fault), self.expected(fault)
        files = {_file(nodeid) for nodeid in expected}
        elsewhere: dict[tuple[str, frozenset[str]], list[str]] = {}  # by function, and about what
        for test in self._tests:
            if test.nodeid in expected:
                yield test.nodeid
            elif about := self._shared(test, reach):
                if not files or _file(test.nodeid) in files:
                    yield test.nodeid
                else:
                    function = test.nodeid.partition("[")[0]
                    elsewhere.setdefault((function, about), []).append(test.nodeid)
        for cases in elsewhere.values():
            yield from draw.sample(cases, min(len(cases), MOST_CASES))

    def expected(self, fault: Fault) -> frozenset[str]:
        """Return the tests that a fault's file expects to fail, of which one a pattern has to."""
        patterns = fault.expect.tests if fault.expect else ()
        return frozenset(
            test.nodeid for test in self._tests for each in patterns if fits(test.nodeid, each)
        )

    def owners_of(self, nodeid: str) -> frozenset[str]:
        """Return the components that a test is about."""
        words = next((_words(test) for test in self._tests if test.nodeid == nodeid), ())
        return frozenset(owner for word in words if (owner := self._owners.of(word)))

    def _shared(self, test: Collected, reach: Reach) -> frozenset[str]:
        """Return what a test and a fault are both about: components, and names of objects."""
        components = reach.components.union(
            *(
                self._owners.in_namespace(each.partition("/")[0])  # whom a stranger lives among
                for each in reach.components
                if "/" in each
            )
        )
        words = _words(test)
        named = {
            name
            for name in reach.names
            for word in words
            if word == name or word.startswith(f"{name}-")
        }
        owners = {owner for word in words if (owner := self._owners.of(word))}
        return frozenset(owners & components | named)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _words(test: Collected) -> tuple[str, ...]:
    """Return what a test is about: its subjects, and what it runs over."""
    parameters = test.nodeid.partition("[")[2].removesuffix("]")
    return tuple(filter(None, (*test.subjects, parameters)))
