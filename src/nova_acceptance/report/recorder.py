"""What fixtures hand to the record: facts about the run, and the evidence of one test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from nova_acceptance.evidence import Evidence
from nova_acceptance.phrase import told

Fact = dict[str, Any]
"""One event of the record: a `type`, a `time`, and whatever the type holds; JSON-like."""


def timestamp() -> str:
    """Return the wall-clock time as the record writes it."""
    return spelled(datetime.now(UTC))


def event(kind: str, **fields: Any) -> Fact:
    """Return a fact of this moment; with its phrases goes what they are made of."""
    return told({"type": kind, "time": timestamp(), **fields})


def spelled(moment: datetime) -> str:
    """Return a time in UTC as the record writes it: ISO 8601, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EvidenceLog:
    """The questions and answers of one test, in the order in which they came.

    May be added to from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Evidence] = []
        self._drained = 0

    def add(self, evidence: Evidence | Iterable[Evidence]) -> None:
        """Keep one piece of evidence, or several."""
        entries = [evidence] if isinstance(evidence, Evidence) else list(evidence)
        with self._lock:
            self._entries += entries

    def drain(self) -> list[Evidence]:
        """Return what was added since the last drain; it stays in the log."""
        with self._lock:
            fresh = self._entries[self._drained :]
            self._drained = len(self._entries)
        return fresh

    def __iter__(self) -> Iterator[Evidence]:
        return iter(tuple(self._entries))


class Recorder:
    """Takes facts about the run from fixtures and sends them on to the record.

    In one process they are written at once. In a worker of pytest-xdist they travel to the
    controller, which alone writes the record, on the next test report; see `plugin.workers`.

    Args:
        send: takes one fact; may be called from several threads.
    """

    def __init__(self, send: Callable[[Fact], None]) -> None:
        self._send = send

    def tell(self, kind: str, **fields: Any) -> None:
        """Record a fact of this moment.

        Args:
            kind: its type, one of those that `report.record` lists.
            fields: what it holds, as the schema of the record has it.
        """
        self._send(event(kind, **fields))
