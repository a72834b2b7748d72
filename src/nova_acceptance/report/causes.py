"""The causes that a run named, put together from its record: each once, the deepest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from nova_acceptance.diagnosis import CAUSES
from nova_acceptance.report.model import Named
from nova_acceptance.report.recorder import Fact

_DEPTH: Final = {cause.id: depth for depth, cause in enumerate(CAUSES)}
_Key = tuple[str, str]


def causes_of(events: Iterable[Fact]) -> tuple[Named, ...]:
    """Return the causes of a record's events, the deepest first."""
    said: dict[_Key, Fact] = {}
    times: dict[_Key, str] = {}
    tests: dict[_Key, set[str]] = {}
    sources: dict[_Key, str] = {}
    kept: dict[_Key, list[str]] = {}
    start = ""
    for event in events:
        start = start or str(event.get("time") or "")
        if event["type"] == "collected-material":
            key = str(event.get("cause") or "?"), str(event.get("subject") or "")
            directory = str(event.get("directory") or "")
            files = (f"{directory}/{name}" for name in _texts(event.get("written")))
            kept.setdefault(key, []).extend(files)
            continue
        found = event if event["type"] == "diagnosis" else event.get("diagnosis")
        if event["type"] not in ("diagnosis", "phase") or not isinstance(found, dict):
            continue
        key = str(found.get("cause") or "?"), str(found.get("subject") or "")
        said.setdefault(key, found)
        times.setdefault(key, str(event.get("time") or ""))
        if event["type"] == "diagnosis":
            sources.setdefault(key, str(event.get("source") or ""))
        if nodeid := event.get("nodeid"):
            tests.setdefault(key, set()).add(str(nodeid))
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
        summary=str(found.get("summary") or ""),
        cure=str(found.get("cure") or ""),
        evidence=tuple(_texts(found.get("evidence"))),
        chain=tuple(_texts(found.get("chain"))),
        symptoms=tuple(
            f"{each.get('cause', '?')}: {each.get('summary', '')}"
            for each in found.get("symptoms") or ()
            if isinstance(each, dict)
        ),
        tests=tests,
        seconds=seconds,
        source=source,
        collected=collected,
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (str(each) for each in value)


def _seconds(start: str, moment: str) -> float | None:
    try:
        return (datetime.fromisoformat(moment) - datetime.fromisoformat(start)).total_seconds()
    except ValueError:
        return None
