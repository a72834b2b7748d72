"""A run of very many tests, as a system of a hundred services would have it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from nova_acceptance.report.history import History
from nova_acceptance.report.model import Run
from nova_acceptance.report.outcomes import Taken, outcome_of
from nova_acceptance.report.texts import ENGLISH, texts
from testing.browser import nova
from testing.browser.story import Case, Fact, Story, asked

MANY: Final = 5_000
RUNS: Final = 20
"""Runs that a history shows."""

TRACEBACK: Final = 2_000
"""Characters of a failure, as most are."""

_KINDS: Final = ("GET /health", "SELECT count(*) FROM auth.users", "list Pod", "resolve", "connect")


def write_many(directory: Path, *, failing: int = MANY // 50, characters: int = TRACEBACK) -> Path:
    """Write the record of a run of `MANY` tests and return its directory.

    Args:
        directory: the run's own.
        failing: how many of them fail.
        characters: how long the text of each failure is.
    """
    chance = random.Random(1)  # noqa: S311 - the same record each time
    tests = list(islice(_cases(chance, failing, characters), MANY))
    story = Story(directory)
    story.begin(tests, versions={"python": "3.11.7"}, options={"cluster": "kind"})
    story.tell("cluster", after=0.5, **nova.cluster())
    story.tell("deployment", after=24.0, **nova.deployment(whole=True))
    story.tell("reachability", after=0.4, cells=nova.cells(whole=True))
    story.run(tests)
    story.tell("snapshot", **nova.snapshot(whole=True))
    return story.end(1)


def long_history(run: Run) -> History:
    """Return a history of `RUNS` runs of the same tests, each a little slower than the last."""
    now = outcome_of(run)
    earlier = [
        replace(
            now,
            name=f"run-{number}",
            tests={
                name: Taken(taken.outcome, taken.seconds + number / 1000)
                for name, taken in now.tests.items()
            },
        )
        for number in range(RUNS - 1)
    ]
    return History(runs=(*earlier, now))


def _cases(chance: random.Random, failing: int, characters: int) -> Iterator[Case]:
    """Yield a test of each function of the acceptance suite, for one service after the other."""
    english = texts(ENGLISH)
    functions = [key for key in english if key.startswith("tests.")]
    number = 0
    while True:
        service = f"service-{number // len(functions):03}"
        _, _, name = functions[number % len(functions)].partition(".")
        file, _, function = name.rpartition(".")
        fails = number < failing
        number += 1
        yield Case(
            f"tests/{file}::{function}[{service}]",
            (service, "postgres", "redis"),
            ("infra", "workloads"),
            "failed" if fails else "passed",
            evidence=tuple(_answers(chance, service)),
            text=_failure(chance, service, characters) if fails else "",
        )


def _answers(chance: random.Random, service: str) -> Iterator[Fact]:
    for _ in range(chance.randint(3, 6)):
        pod = f"nova-services/{service}-{chance.randbytes(5).hex()}-{chance.randbytes(3).hex()}"
        address = ".".join(str(chance.randrange(256)) for _ in range(4))
        yield asked(
            chance.choice(_KINDS),
            pod,
            f"{service}.nova-services.svc.cluster.local:{chance.randrange(1024, 65536)}",
            f"200 {address} {chance.randbytes(8).hex()} answered by {service}",
            chance.random() / 10,
        )


def _failure(chance: random.Random, service: str, characters: int) -> str:
    lines = [f"E   {service} did not answer"]
    lines += [f"  seen: {chance.randbytes(45).hex()}" for _ in range(characters // 100)]
    return "\n".join(lines)
