"""What came of a run, in short: `run.json`, which later runs are compared with.

The record holds everything and grows with every question that was asked; this is what other runs
want to know of it, and is read in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import Field, TypeAdapter

from nova_acceptance.report.model import Manifests, Outcome, Run, Verdict
from nova_acceptance.report.reading import load
from nova_acceptance.report.values import moment

FILE_NAME: Final = "run.json"
SCHEMA: Final = 1
LARGEST: Final = 50_000_000
"""Octets of a `run.json` beyond which it is none: that of 5,000 tests has half a million."""

Seconds = Annotated[float, Field(ge=0, le=1e9)]


class Taken(NamedTuple):
    """What became of a test, and how many seconds it took."""

    outcome: Outcome
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class PastCause:
    """A cause that a run named: where it was, and how many tests it explained."""

    cause: str
    subject: str
    tests: int


@dataclass(frozen=True, slots=True)
class PastCluster:
    """The cluster of a run; `version` is that of Kubernetes, `nodes` how many there were."""

    name: str = ""
    provider: str = ""
    version: str = ""
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class Past:
    """What came of a run.

    Attributes:
        name: the run's name.
        started: its first event's time; None where it has none.
        seconds: from its first event to its last.
        verdict: what it said of the system.
        finished: whether it came to its own end.
        exit_status: pytest's; None where it did not come to it.
        cluster: which cluster it verified.
        overlay: the kustomize overlay that was deployed.
        manifests: which manifests it was about.
        versions: of the tools, by name.
        images: of each component, by its name.
        causes: those it named, the deepest first.
        tests: what became of each, by pytest's name of it.
        is_partial: whether it looked at a part only, so that a test which it lacks may exist.
        usage: how often the API was asked, by what was asked; empty where that is not known.
    """

    name: str
    started: datetime | None
    seconds: Seconds
    verdict: Verdict
    finished: bool
    exit_status: int | None
    cluster: PastCluster = field(default_factory=PastCluster)
    overlay: str = ""
    manifests: Manifests = field(default_factory=Manifests)
    versions: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    causes: tuple[PastCause, ...] = ()
    tests: Mapping[str, Taken] = field(default_factory=dict)
    is_partial: bool = False
    usage: Mapping[str, Annotated[int, Field(ge=0)]] = field(default_factory=dict)


def outcome_of(run: Run) -> Past:
    """Return what came of a run, in short."""
    return Past(
        name=run.name,
        started=run.started,
        seconds=run.seconds,
        verdict=run.verdict,
        finished=run.finished,
        exit_status=run.exit_status,
        cluster=PastCluster(
            name=str(run.cluster.get("name") or ""),
            provider=str(run.cluster.get("provider") or ""),
            version=str(run.cluster.get("version") or ""),
            nodes=len(run.topology.nodes),
        ),
        overlay=str(run.deployment.get("overlay") or ""),
        manifests=run.manifests,
        versions=run.versions,
        images={
            part.name: part.images
            for layer in run.layers
            for part in layer.components
            if part.images
        },
        causes=tuple(PastCause(each.cause, each.subject, each.tests) for each in run.causes),
        tests={test.nodeid: Taken(test.outcome, round(test.seconds, 4)) for test in run.tests},
        is_partial=run.is_partial,
        usage=run.usage,
    )


def render(past: Past) -> str:
    """Return what came of a run as `run.json` has it."""
    fields = {"schema": SCHEMA, **asdict(past)}
    return json.dumps(fields, ensure_ascii=False, default=datetime.isoformat)


def read(path: Path) -> Past:
    """Read what came of a run; from its record where there is no `run.json` that can be read.

    Args:
        path: a run's directory, or its record.

    Raises:
        UsageError: there is no record either, or one of an unknown schema.
    """
    file = path / FILE_NAME
    try:
        if file.is_file() and file.stat().st_size <= LARGEST:
            return parsed(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        pass
    return outcome_of(load(path))


def parsed(octets: bytes) -> Past:
    """Return what a `run.json` says.

    Args:
        octets: the whole file.

    Raises:
        ValueError: it says nothing that is known here.
        RecursionError: it is nested beyond what any is.
    """
    found = json.loads(octets)
    if not isinstance(found, dict) or found.pop("schema", None) != SCHEMA:
        raise ValueError("another schema")
    found["started"] = moment(found.get("started"))
    return _adapter().validate_python(found)


@cache
def _adapter() -> TypeAdapter[Past]:
    return TypeAdapter(Past)
