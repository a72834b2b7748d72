"""What a run names is recorded with what it follows from, whichever of the two is seen first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.diagnosis import Doctor, Explanation, Ranked
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.fixtures import SYSTEM
from nova_acceptance.phrase import Phrase
from nova_acceptance.plugin import facts
from nova_acceptance.plugin.diagnosing import Diagnosis
from nova_acceptance.report import load
from nova_acceptance.report.entries import entries_of
from testing.unit.diagnosis import members
from testing.unit.diagnosis.members import REDIS
from testing.unit.report.events import END, START, write
from testing.unit.report.schema import violations

LOST = Finding("WORKLOAD_MISSING", Ref("StatefulSet", REDIS, "redis"), Phrase("no redis"))
EMPTY = Finding(
    "SELECTOR_MATCHES_NOTHING", Ref("Service", REDIS, "redis-service"), Phrase("nothing")
)


class Recorder:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def tell(self, kind: str, **fields: Any) -> None:
        self.events.append({"type": kind, "time": "2030-01-01T00:00:00.000Z", **fields})


class Config:
    def __init__(self) -> None:
        self.stash = pytest.Stash()


def named(*found: Finding, known: tuple[Finding, ...] = ()) -> list[dict[str, Any]]:
    """Return what is recorded when causes are named one after the other.

    Args:
        found: the causes.
        known: what a look at the cluster shows besides.
    """
    config = Config()
    config.stash[SYSTEM] = members.system()
    config.stash[facts.RECORDER] = recorder = Recorder()  # type: ignore[misc]
    diagnosis = Diagnosis(config)  # type: ignore[arg-type]
    doctor = Doctor(members.snapshot())
    doctor.diagnoses = known
    diagnosis.examiner._doctor = doctor  # in place of a cluster
    for each in found:
        diagnosis.name(Explanation((Ranked(each),), (each.subject,)), "test")
    return recorder.events


@pytest.mark.parametrize(
    ("found", "known"),
    [((LOST, EMPTY), ()), ((EMPTY, LOST), ()), ((EMPTY,), (LOST, EMPTY))],
    ids=["cause first", "consequence first", "cause only seen"],
)
def test_consequence_is_read_under_its_cause(
    tmp_path: Path, found: tuple[Finding, ...], known: tuple[Finding, ...]
) -> None:
    events = named(*found, known=known)

    assert [violation for each in events for violation in violations(each)] == []
    (entry,) = entries_of(load(write(tmp_path, START, *events, END)).causes).every
    assert entry.cause == LOST.cause
    assert [each.cause for each in entry.consequences] == [EMPTY.cause]


def test_cause_that_a_look_shows_is_named_once_and_with_what_else_it_brings() -> None:
    unready = Finding("WORKLOAD_NOT_READY", LOST.subject, Phrase("not ready"))

    events = named(EMPTY, LOST, known=(LOST, unready))

    assert [each["cause"] for each in events] == [LOST.cause, EMPTY.cause]
    brought = sorted(each["cause"] for each in events[0]["symptoms"])
    assert brought == [EMPTY.cause, unready.cause]
    assert events[1]["follows"]["subject"] == str(LOST.subject)


def test_causes_that_have_nothing_to_do_with_each_other_are_told_so() -> None:
    other = Finding("REDIS_PERSISTENCE_OFF", LOST.subject, Phrase("off"))

    events = named(LOST, other)

    assert all("follows" not in each and each["symptoms"] == [] for each in events)
