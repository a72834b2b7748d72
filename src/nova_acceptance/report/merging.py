"""Records of shards put together: one suite that ran in several pieces, as one run."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.phrase import Phrase, told
from nova_acceptance.report.model import Run
from nova_acceptance.report.reading import run_of
from nova_acceptance.report.record import FILE_NAME, SCHEMA, Events, Record, read
from nova_acceptance.report.recorder import Fact, spelled
from nova_acceptance.report.shards import Shard, every
from nova_acceptance.report.values import dicts, integer, mapping, moment, text

SHARDS: Final = "shards"
"""The directory beside a merged record that holds what was collected, a directory a shard."""

_ONCE: Final = frozenset({"run-started", "collected", "run-finished"})
"""Types of which a merged record has one event."""

_OF_SHARDS: Final = frozenset({"shard"})
"""Types that tell of a part, and nothing of the whole."""

_OPTIONS_OF_SHARDS: Final = ("shard", "run-id")

_FAILED: Final = 1
"""pytest's exit status of a run that some test failed in, which is said before all others."""


@dataclass(frozen=True, slots=True)
class _Shard:
    """A record that is merged, and where what was collected in it goes."""

    path: Path
    events: Events
    run: Run
    place: str

    @property
    def directory(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    def of_type(self, kind: str) -> list[Fact]:
        return [event for event in self.events if event["type"] == kind]


def merge(into: Path, paths: Sequence[Path]) -> Record:
    """Write one record from those of several shards.

    Its events are in the order of their times. It is a whole run only where each of the shards is
    one. A test that several of them ran has all of its phases, and the worst counts. Where they say
    which of how many shards they are, one that is missing is told, and the run is incomplete.

    Args:
        into: the directory of the merged run; made when it is not there.
        paths: the directories of the shards, or their records.

    Returns:
        The record, closed.

    Raises:
        UsageError: a record cannot be read, they are not of the same cluster, manifests and run,
            two are of the same shard, or there is a record already.
        NovaError: the merged run cannot be written.
    """
    if (into / FILE_NAME).exists():
        raise UsageError(f"{into}: there is a record already", hint="name another directory")
    shards = []
    for number, path in enumerate(paths, 1):
        events = read(path)
        shards.append(_Shard(path, events, run_of(events), f"{SHARDS}/{number}"))
    _check_same("clusters", shards, {shard.path: _cluster(shard.run) for shard in shards})
    _check_same("manifests", shards, {shard.path: _manifests(shard.run) for shard in shards})
    _check_same("runs", shards, {shard.path: _run_id(shard.run) for shard in shards})
    _check_same("ways to split it", shards, {shard.path: _split(shard) for shard in shards})
    missing = _missing(shards)
    try:
        record = Record(into)
        for event in _merged(into.resolve().name, shards, missing):
            record.append(event)
        record.close()
        for shard in shards:
            _copy_collected(shard, into)
    except OSError as error:
        raise NovaError(f"{into}: the merged run cannot be written: {error}") from error
    return record


def _check_same(what: str, shards: Iterable[_Shard], said: Mapping[Path, str]) -> None:
    """Refuse shards that say different things; one that says nothing contradicts none."""
    if len({each for each in said.values() if each}) > 1:
        raise UsageError(
            f"these are not shards of one run: they are of different {what}",
            hint="merge those of one cluster and one commit; `nova-report diff` compares others",
            evidence=[f"{shard.path}: {said[shard.path] or 'unknown'}" for shard in shards],
        )


def _cluster(run: Run) -> str:
    name = text(run.cluster.get("name"))
    return f"{name} ({text(run.cluster.get('provider')) or '?'})" if name else ""


def _run_id(run: Run) -> str:
    return text(run.options.get("run-id"))


def _split(shard: _Shard) -> str:
    """Return which test is whose, as a digest; empty where the record does not tell."""
    said = next(iter(shard.of_type("shard")), {})
    split = text(said.get("split"))
    return f"{split} of {integer(said.get('tests'))} tests" if split else ""


def _missing(shards: Sequence[_Shard]) -> list[Shard]:
    """Return the shards of which there is no record, as far as the others tell how many there are.

    Raises:
        UsageError: two records are of one shard, or of different numbers of them.
    """
    said = {shard.path: text(shard.run.options.get("shard")) for shard in shards}
    _check_same(
        "numbers of shards",
        shards,
        {path: each.partition("/")[2] for path, each in said.items()},
    )
    there = [Shard.parse(each) for each in said.values() if each]
    if len(set(there)) < len(there):
        raise UsageError(
            "these are not the shards of one run: one of them is there twice",
            hint="give each shard's record once",
            evidence=[f"{path}: {each}" for path, each in said.items()],
        )
    return [shard for shard in every(there[0].of) if shard not in there] if there else []


def _manifests(run: Run) -> str:
    found = run.manifests
    words = [found.commit, "with changes" if found.is_changed else "", found.digest]
    return ", ".join(filter(None, words))


def _merged(name: str, shards: Sequence[_Shard], missing: Iterable[Shard]) -> list[Fact]:
    timed = sorted(
        (time, number, position, event)
        for number, shard in enumerate(shards)
        for position, (time, event) in enumerate(_timed(shard))
        if event["type"] not in _ONCE | _OF_SHARDS
    )
    began, ended = _span(shards)
    starts = [event for shard in shards for event in shard.of_type("run-started")]
    first: Fact = min(starts, key=_time, default={})
    start = dict(first)
    start["options"] = {
        name: value
        for name, value in mapping(start.get("options")).items()
        if name not in _OPTIONS_OF_SHARDS
    }
    events: list[Fact] = [
        {"time": spelled(began), **start, "type": "run-started", "schema": SCHEMA, "run": name},
        *_collected(shards),
        *(event for _, _, _, event in timed),
        *(
            {"type": "shard-missing", "time": spelled(ended), "shard": str(shard)}
            for shard in missing
        ),
        told(
            {
                "type": "note",
                "time": spelled(ended),  # what is said of them now makes none of them longer
                "text": Phrase("merged from {runs}", runs=[shard.run.name for shard in shards]),
            }
        ),
    ]
    ends = [shard.of_type("run-finished")[-1:] for shard in shards]
    if all(ends):
        events.append(_end([end for (end,) in ends], shards))
    return events


def _timed(shard: _Shard) -> Iterable[tuple[datetime, Fact]]:
    """Yield the events with their times; one without a time has that of the event before it."""
    time = datetime.min.replace(tzinfo=UTC)
    for event in shard.events:
        time = moment(event.get("time")) or time
        if event["type"] == "collected-material":
            directory = f"{shard.place}/{text(event.get('directory'))}"
            yield time, {**event, "directory": directory}
        else:
            yield time, event
    if damaged := shard.events.damaged:
        said = f"{damaged} damaged line(s) in the record of {shard.run.name}"
        ended = spelled(_span([shard])[1])
        yield time, {"type": "internal-error", "time": ended, "message": said, "text": said}


def _collected(shards: Iterable[_Shard]) -> Iterable[Fact]:
    """Yield one event of all tests that were collected.

    What one shard leaves out another one runs: left out is what none of them collected, of as many
    tests as the shard knew that knew most.
    """
    rows: dict[str, Fact] = {}
    known = 0
    times = []
    uncollected: tuple[str, ...] = ()
    for shard in shards:
        events = shard.of_type("collected")
        mine = [row for event in events for row in dicts(event.get("tests"))]
        for row in mine:
            nodeid = text(row.get("nodeid"))
            rows[nodeid] = {**rows.get(nodeid, {}), **row}
        left_out = shard.run.deselected
        uncollected = uncollected or shard.run.uncollected  # one command line for all of them
        known = max(known, len({text(row.get("nodeid")) for row in mine}) + left_out)
        times += [_time(event) for event in events]
    if times:
        tests, left_out = list(rows.values()), max(0, known - len(rows))
        yield {
            "type": "collected",
            "time": min(times),
            "tests": tests,
            "deselected": left_out,
            "uncollected": uncollected,
        }


def _end(ends: Sequence[Fact], shards: Iterable[_Shard]) -> Fact:
    last = max(ends, key=_time)
    begun, ended = _span(shards)
    statuses = [integer(end.get("exit_status")) for end in ends]
    return {
        **last,
        "exit_status": _FAILED if _FAILED in statuses else max(statuses),
        "seconds": round((ended - begun).total_seconds(), 3),
    }


def _span(shards: Iterable[_Shard]) -> tuple[datetime, datetime]:
    """Return when the first began and the last ended; now where none of them tells."""
    begun = [shard.run.started for shard in shards if shard.run.started]
    ended = [shard.run.ended for shard in shards if shard.run.ended]
    now = datetime.now(UTC)
    return min(begun, default=now), max(ended, default=now)


def _time(event: Mapping[str, Any]) -> str:
    """Return an event's time; the record writes all of them in one form, which sorts as text."""
    return text(event.get("time"))


def _copy_collected(shard: _Shard, into: Path) -> None:
    """Copy what was kept beside a shard's record, and nothing that is elsewhere."""
    home = shard.directory.resolve()
    for event in shard.of_type("collected-material"):
        # No path has a NUL in it.
        source = (home / text(event.get("directory")).replace("\0", "")).resolve()
        if source.is_dir() and source != home and source.is_relative_to(home):
            target = into / shard.place / source.relative_to(home)
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
