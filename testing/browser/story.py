"""A record that is written as a run writes it, with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nova_acceptance.report.reading import layer_of
from nova_acceptance.report.record import SCHEMA, Record
from nova_acceptance.report.texts import ENGLISH, texts

Fact = dict[str, Any]

BEGINNING = datetime(2030, 1, 1, 8, tzinfo=UTC)


def asked(question: str, source: str, target: str, answer: str, seconds: float = 0.004) -> Fact:
    """Return one question and its answer, as a record has them."""
    return {
        "asked": question,
        "source": source,
        "target": target,
        "answer": answer,
        "seconds": seconds,
    }


@dataclass(frozen=True, slots=True)
class Case:
    """A test and what becomes of it.

    Attributes:
        nodeid: pytest's name of it.
        subjects: names that tie it to components.
        markers: its markers.
        outcome: `passed`, `failed`, `error`, `skipped`, `xfailed`, `quarantined`, or `no
            result`.
        seconds: of its call.
        evidence: what was asked and answered.
        text: its failure in full.
        sections: what it wrote, (heading, text).
        diagnosis: what explains its failure.
        doc: the fact that it shows; by default that of the acceptance test of this name.
        worker: the worker that ran it.
    """

    nodeid: str
    subjects: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    outcome: str = "passed"
    seconds: float = 0.2
    evidence: tuple[Fact, ...] = ()
    text: str = ""
    sections: tuple[tuple[str, str], ...] = ()
    diagnosis: Mapping[str, Any] | None = None
    doc: str = ""
    worker: str = ""

    def described(self) -> Fact:
        """Return it as it is collected."""
        path, _, function = self.nodeid.partition("[")[0].removeprefix("tests/").partition("::")
        return {
            "nodeid": self.nodeid,
            "layer": layer_of(self.nodeid),
            "markers": list(self.markers),
            "subjects": list(self.subjects),
            "doc": self.doc or texts(ENGLISH).get(f"tests.{path}.{function}"),
        }


class Story:
    """Writes the record of one run.

    Args:
        directory: the run's own.
        began: when it began.
    """

    def __init__(self, directory: Path, began: datetime = BEGINNING) -> None:
        self.directory = directory
        self._record = Record(directory)
        self._now = began

    def tell(self, kind: str, *, after: float = 0.01, **fields: Any) -> None:
        """Write an event, so many seconds after the one before it."""
        self._now += timedelta(seconds=after)
        time = self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._record.append({"type": kind, "time": time, **fields})

    def begin(self, cases: Iterable[Case], **fields: Any) -> None:
        """Tell that the run started, and what it collected."""
        start = {"schema": SCHEMA, "run": self.directory.name, "versions": {}, "options": {}}
        self.tell("run-started", after=0, **{**start, **fields})
        self.tell("collected", tests=[case.described() for case in cases], deselected=0)

    def run(self, cases: Iterable[Case]) -> None:
        """Tell what became of tests, one after the other."""
        for case in cases:
            if case.outcome == "no result":
                continue
            if case.diagnosis:
                self.tell("diagnosis", source="test", nodeid=case.nodeid, **case.diagnosis)
            in_setup = case.outcome in ("error", "skipped")
            self._phase(case, "setup", tells=in_setup)
            if not in_setup:
                self._phase(case, "call", tells=True)
            self._phase(case, "teardown", tells=False)

    def end(self, exit_status: int = 0) -> Path:
        """Tell that the run finished, and return its directory."""
        self.tell("run-finished", exit_status=exit_status, seconds=1.0)
        self._record.close()
        return self.directory

    def _phase(self, case: Case, when: str, *, tells: bool) -> None:
        result = {"error": "failed", "xfailed": "skipped", "no result": ""}
        seconds = case.seconds if when == "call" else 0.001
        told: Fact = {
            "outcome": result.get(case.outcome, case.outcome) if tells else "passed",
            "expected_failure": tells and case.outcome == "xfailed",
            "text": case.text if tells else "",
            "evidence": list(case.evidence) if tells else [],
            "sections": [list(section) for section in case.sections] if tells else [],
        }
        if tells and case.outcome == "quarantined":
            told["quarantined"] = {
                "reason": "its volume is slow",
                "owner": "the platform team",
                "until": "2030-01-31",
            }
        if tells and case.diagnosis:
            told["diagnosis"] = dict(case.diagnosis)
        self.tell(
            "phase",
            after=seconds,
            nodeid=case.nodeid,
            when=when,
            seconds=seconds,
            worker=case.worker,
            **told,
        )
