"""The causes that a run named, put together from its record: each once, the deepest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nova_acceptance.causes import places
from nova_acceptance.report.model import Explained, Key, Named, Outcome, Symptom
from nova_acceptance.report.phrases import phrase_of
from nova_acceptance.report.recorder import Fact
from nova_acceptance.report.values import dicts, mapping, moment, strings, text


@dataclass(slots=True)
class _Told:
    """What the events told of one cause so far."""

    found: Fact | None = None
    time: datetime | None = None
    source: str = ""
    tests: dict[str, set[Key]] = field(default_factory=dict)
    symptoms: dict[Key, Symptom] = field(default_factory=dict)
    follows: Key | None = None
    collected: list[str] = field(default_factory=list)


def causes_of(events: Iterable[Fact], start: datetime | None) -> tuple[Named, ...]:
    """Return the causes of a record's events, the deepest first.

    Args:
        events: those that may tell of one.
        start: when the run began; None where that is not known.
    """
    by_key: dict[Key, _Told] = {}
    for event in events:
        kind = event["type"]
        found = event.get("diagnosis") if kind == "phase" else event
        if kind not in ("collected-material", "diagnosis", "phase") or not isinstance(found, dict):
            continue
        key = text(found.get("cause")) or "?", text(found.get("subject"))
        told = by_key.setdefault(key, _Told())
        if kind == "collected-material":
            directory = text(event.get("directory"))
            told.collected += (f"{directory}/{name}" for name in strings(event.get("written")))
            continue
        if told.found is None:
            told.found, told.time = found, moment(event.get("time"))
        if kind == "diagnosis":
            told.source = told.source or text(event.get("source"))
            told.follows = told.follows or _key(mapping(event.get("follows")))
        told.symptoms |= {each.key: each for each in _symptoms(found) if each.key != key}
        is_known = event.get("outcome") == Outcome.QUARANTINED
        if (nodeid := text(event.get("nodeid"))) and not is_known:
            others = {_key(each) for each in dicts(found.get("others"))}
            told.tests.setdefault(nodeid, set()).update(each for each in others if each)
    named = [
        Named(
            cause=cause,
            subject=subject,
            summary=phrase_of(told.found, "summary"),
            cure=phrase_of(told.found, "cure"),
            evidence=strings(told.found.get("evidence")),
            chain=strings(told.found.get("chain")),
            symptoms=tuple(told.symptoms.values()),
            explained=tuple(
                Explained(nodeid, frozenset(others)) for nodeid, others in told.tests.items()
            ),
            seconds=(told.time - start).total_seconds() if start and told.time else None,
            source=told.source,
            collected=tuple(dict.fromkeys(told.collected)),
            follows=told.follows,
        )
        for (cause, subject), told in by_key.items()
        if told.found is not None
    ]
    return tuple(sorted(named, key=lambda each: places().get(each.cause, len(places()))))


def _symptoms(found: Fact) -> Iterator[Symptom]:
    for each in dicts(found.get("symptoms")):
        cause, subject = _key(each) or ("?", text(each.get("subject")))
        yield Symptom(cause, subject, phrase_of(each, "summary"))


def _key(named: Mapping[str, object]) -> Key | None:
    cause = text(named.get("cause"))
    return (cause, text(named.get("subject"))) if cause else None
