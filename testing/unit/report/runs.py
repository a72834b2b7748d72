"""What came of runs, as short as a test wants to write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nova_acceptance.report import history, outcomes
from nova_acceptance.report.model import Manifests, Outcome, Verdict
from nova_acceptance.report.outcomes import Past, PastCause, PastCluster, Taken
from testing.unit.report.events import END, START, finished, write

START_OF_ALL = datetime(2030, 1, 1, tzinfo=UTC)
CLUSTER = PastCluster("nova", "kind", "v1.33.1", 3)
MANIFESTS = Manifests("a" * 40, is_changed=False, digest="d" * 64)


def past(
    name: str = "a-run", *, hours: float = 0, verdict: str = "accepted", **fields: Any
) -> Past:
    """Return what came of a run that began so many hours after the first; its tests by outcome.

    `tests` are outcomes by name, or outcomes with seconds.
    """
    tests = fields.pop("tests", {})
    taken = {
        test: Taken(Outcome(value), 0.5)
        if isinstance(value, str)
        else Taken(Outcome(value[0]), value[1])
        for test, value in tests.items()
    }
    return Past(
        name=name,
        started=START_OF_ALL + timedelta(hours=hours),
        verdict=Verdict(verdict),
        tests=taken,
        **{
            "seconds": 60.0,
            "finished": True,
            "exit_status": 0,
            "cluster": CLUSTER,
            "manifests": MANIFESTS,
            "overlay": "multi-node",
            "versions": {"python": "3.11.7"},
            "images": {"redis": ("redis:7",)},
            **fields,
        },
    )


def named(cause: str, subject: str = "Pod a/b", tests: int = 1) -> PastCause:
    return PastCause(cause, subject, tests)


def keep(reports: Path, run: Past) -> Path:
    """Write a run among others: a record that says nothing of it, what came of it, its report."""
    directory = write(reports / run.name, START)
    (directory / history.PAGE).touch()
    (directory / outcomes.FILE_NAME).write_text(outcomes.render(run), encoding="utf-8")
    return directory


def recorded(directory: Path, nodeid: str, outcome: str = "passed") -> Path:
    """Write the record of a run of one test."""
    start = START | {"run": directory.name}
    cluster = {"type": "cluster", "name": "nova", "provider": "kind", "version": "v1.33.1"}
    return write(directory, start, cluster, *finished(nodeid, outcome), END)
