"""The last runs on a cluster: what changed since it was green, and which tests flip by themselves.

Of earlier runs their `run.json` is read, and of no more of them than are shown: a directory with
years of reports must not make a report slow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from nova_acceptance.errors import UsageError
from nova_acceptance.report import record
from nova_acceptance.report.archives import NAME, began
from nova_acceptance.report.comparison import Comparison, compare
from nova_acceptance.report.model import BROKEN, Outcome, Run, Verdict
from nova_acceptance.report.outcomes import FILE_NAME, Past, outcome_of, read

MOST_READ: Final = 100
"""Earlier runs that are looked at, of whatever cluster, the newest first."""

MOST_RECORDS: Final = 10
"""How many of them may have no `run.json`, so that their record has to be read."""

LARGEST: Final = 50_000_000
"""Octets of such a record beyond which reading it would make every report after it slow."""

PAGE: Final = "report.html"
"""The file of a run's report, to which those of later runs lead."""

_RED: Final = "red"
_GREEN: Final = "green"


@dataclass(frozen=True, slots=True)
class Flip:
    """A test that came out otherwise than the time before, and nothing else had changed.

    Attributes:
        test: pytest's name of it.
        runs: the names of the runs in which it did, the oldest first.
    """

    test: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A run among those before it on its cluster.

    Attributes:
        runs: the oldest first; the run itself is the last.
        since_green: how it differs from the last accepted run before it; None where there is none.
        flips: tests that flip without a change, the most frequent first.
        elsewhere: the names of those runs of which no report lies beside this one's.
    """

    runs: tuple[Past, ...]
    since_green: Comparison | None = None
    flips: tuple[Flip, ...] = ()
    elsewhere: frozenset[str] = frozenset()


def history_of(
    run: Run, reports: Path, most: int = 20, kept: Iterable[tuple[str, Past]] = ()
) -> History:
    """Return a run among the last ones on its cluster.

    Args:
        run: the run.
        reports: the directory of all runs; its own may be one of those in it.
        most: how many runs to show, itself included.
        kept: runs that a history kept elsewhere has, by their names, the newest first.
    """
    now = outcome_of(run)
    beside = _earlier(now, reports, most - 1)
    others = _kept_only(now, beside, kept, most - 1)
    earlier = sorted([*beside, *others], key=_start, reverse=True)
    runs = (*reversed(earlier[: most - 1]), now)
    green = next((each for each in earlier if _is_green_like(each, now)), None)
    green = green or next((each for each in earlier if each.verdict is Verdict.ACCEPTED), None)
    return History(
        runs=runs,
        since_green=compare(green, now) if green else None,
        flips=tuple(flips_of(runs)),
        elsewhere=frozenset(run.name for run in runs[:-1] if not _has_report(reports, run)),
    )


def flips_of(runs: Sequence[Past]) -> list[Flip]:
    """Return the tests that flip without a change, the most frequent first.

    A test flips where it passes in one run and fails in the next one that has it, or the other way
    round, and both are of the same manifests, overlay, images and Kubernetes. Manifests of which a
    record does not tell the digest may have changed.

    Args:
        runs: the oldest first.
    """
    flipped: dict[str, list[str]] = {}
    colours: dict[str, str] = {}
    before: Past | None = None
    for run in runs:
        if before is None or not _is_unchanged(before, run):
            colours = {}
        before = run
        for test, taken in run.tests.items():
            if not (colour := _colour(taken.outcome)):
                continue
            if colours.setdefault(test, colour) != colour:
                flipped.setdefault(test, []).append(run.name)
                colours[test] = colour
    found = [Flip(test, tuple(names)) for test, names in flipped.items()]
    return sorted(found, key=lambda flip: (-len(flip.runs), flip.test))


def _has_report(reports: Path, run: Past) -> bool:
    """Tell whether a run's report lies there; one that was killed has left its record alone."""
    try:
        return (reports / run.name / PAGE).is_file()
    except (OSError, ValueError):
        return False  # a name that is none of a file


def _is_unchanged(before: Past, after: Past) -> bool:
    """Tell whether two runs were of the same, as far as both tell; an unknown digest is another."""
    if not after.manifests.digest or before.manifests != after.manifests:
        return False
    if before.cluster.version != after.cluster.version:
        return False
    if before.overlay and after.overlay and before.overlay != after.overlay:
        return False
    both = before.images.keys() & after.images.keys()
    return all(before.images[component] == after.images[component] for component in both)


def _colour(outcome: Outcome) -> str:
    if outcome is Outcome.PASSED:
        return _GREEN
    return _RED if outcome in BROKEN else ""


def _is_green_like(past: Past, now: Past) -> bool:
    """Tell whether a run was accepted and has at least half of the tests of this one.

    A run of one layer says little about one of all of them.
    """
    shared = len(past.tests.keys() & now.tests.keys())
    return past.verdict is Verdict.ACCEPTED and 2 * shared >= len(now.tests)


def _earlier(now: Past, reports: Path, most: int) -> list[Past]:
    """Return earlier runs on the same cluster, the newest first: until enough, a green one too."""
    found: dict[str, Past] = {}
    has_green = False
    records = 0
    others = (each for each in directories(reports) if each.name != now.name)
    for directory in islice(others, MOST_READ):
        if has_green and len(found) >= most:
            break
        try:
            if not (directory / FILE_NAME).is_file():
                records += 1
                size = (directory / record.FILE_NAME).stat().st_size
                if records > MOST_RECORDS or size > LARGEST:
                    continue
            past = read(directory)
        except (OSError, UsageError):
            continue  # of a later version, or gone meanwhile
        if past.name != now.name and _is_of(now, past) and _start(past) <= _start(now):
            # Its directory's name leads to it, whatever it says itself.
            found.setdefault(past.name, replace(past, name=directory.name))
            has_green = has_green or _is_green_like(past, now)
    return sorted(found.values(), key=_start, reverse=True)


def _kept_only(
    now: Past, beside: Iterable[Past], kept: Iterable[tuple[str, Past]], most: int
) -> list[Past]:
    """Return the runs that only a history kept elsewhere has: until enough, a green one too."""
    known = {now.name, *(past.name for past in beside)}
    found: list[Past] = []
    has_green = False
    for name, past in islice(kept, MOST_READ):
        if has_green and len(found) >= most:
            break
        if name in known or not _is_of(now, past) or _start(past) > _start(now):
            continue
        found.append(replace(past, name=name))
        has_green = has_green or _is_green_like(past, now)
    return found


def _is_of(now: Past, past: Past) -> bool:
    return (past.cluster.name, past.cluster.provider) == (now.cluster.name, now.cluster.provider)


def directories(reports: Path) -> Iterator[Path]:
    """Yield the directories that hold a record, that of the newest run first.

    A run's name tells when it began; of one with another name its record's last change does. Of
    thousands no more are looked into than are asked for.
    """
    try:
        with os.scandir(reports) as entries:
            names = [entry.name for entry in entries if not entry.is_symlink()]
    except OSError:
        return
    dated = [(moment, name) for name in names if (moment := _moment(reports, name))]
    for _, name in sorted(dated, reverse=True):
        if (reports / name / record.FILE_NAME).exists():
            yield reports / name


def _moment(reports: Path, name: str) -> str:
    """Return when a run began, as names of runs tell it; empty for what is none."""
    if NAME.fullmatch(name):
        return began(name)
    try:
        changed = (reports / name / record.FILE_NAME).stat().st_mtime
        return f"{datetime.fromtimestamp(changed, UTC):{record.MOMENT}}"
    except (OSError, ValueError, OverflowError):  # no record, or of a year that there is not
        return ""


def _start(past: Past) -> datetime:
    return past.started or datetime.min.replace(tzinfo=UTC)
