"""The causes that a run named, put together from its record: each once, the deepest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from nova_acceptance.causes import causes
from nova_acceptance.report.model import Named
from nova_acceptance.report.phrases import phrase_of
from nova_acceptance.report.recorder import Fact
from nova_acceptance.report.values import dicts, moment, strings, text

_DEPTH: Final = {name: depth for depth, name in enumerate(causes())}
_Key = tuple[str, str]


def causes_of(events: Iterable[Fact]) -> tuple[Named, ...]:
    """Return the causes of a record's events, the deepest first."""
    said: dict[_Key, Fact] = {}
    times: dict[_Key, datetime | None] = {}
    tests: dict[_Key, set[str]] = {}
    sources: dict[_Key, str] = {}
    kept: dict[_Key, list[str]] = {}
    start: datetime | None = None
    for event in events:
        start = start or moment(event.get("time"))
        if event["type"] == "collected-material":
            key = text(event.get("cause")) or "?", text(event.get("subject"))
            directory = text(event.get("directory"))
            files = (f"{directory}/{name}" for name in strings(event.get("written")))
            kept.setdefault(key, []).extend(files)
            continue
        found = event if event["type"] == "diagnosis" else event.get("diagnosis")
        if event["type"] not in ("diagnosis", "phase") or not isinstance(found, dict):
            continue
        key = text(found.get("cause")) or "?", text(found.get("subject"))
        said.setdefault(key, found)
        times.setdefault(key, moment(event.get("time")))
        if event["type"] == "diagnosis":
            sources.setdefault(key, text(event.get("source")))
        if nodeid := text(event.get("nodeid")):
            tests.setdefault(key, set()).add(nodeid)
    named = [
        _named(
            key,
            found,
            tests=len(tests.get(key, ())),
            seconds=_seconds(start, times[key]),
            source=sources.get(key, ""),
            collected=tuple(dict.fromkeys(kept.get(key, ()))),
        )
        for key, found in said.items()
    ]
    return tuple(sorted(named, key=lambda each: _DEPTH.get(each.cause, len(_DEPTH))))


def _named(
    key: _Key,
    found: Fact,
    *,
    tests: int,
    seconds: float | None,
    source: str,
    collected: tuple[str, ...],
) -> Named:
    return Named(
        cause=key[0],
        subject=key[1],
        summary=phrase_of(found, "summary"),
        cure=phrase_of(found, "cure"),
        evidence=strings(found.get("evidence")),
        chain=strings(found.get("chain")),
        symptoms=tuple(
            (text(each.get("cause")) or "?", phrase_of(each, "summary"))
            for each in dicts(found.get("symptoms"))
        ),
        tests=tests,
        seconds=seconds,
        source=source,
        collected=collected,
    )


def _seconds(start: datetime | None, named: datetime | None) -> float | None:
    return (named - start).total_seconds() if start and named else None
