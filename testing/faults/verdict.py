"""What a run of the suite said, against what a fault's file expects it to say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from testing.faults import wording
from testing.faults.fault import Fault

UNKNOWN: Final = "UNKNOWN"
"""What a record has in the place of a cause where none is known."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One test that failed or could not be run.

    Attributes:
        nodeid: pytest's name of it.
        cause: the cause that it names first; empty where it names none.
        subject: the object at which that is.
        message: its first line.
        follows: the cause that the run says it only follows from, in the end; empty where none is.
    """

    nodeid: str
    cause: str = ""
    subject: str = ""
    message: str = ""
    follows: str = ""

    def is_of(self, causes: Collection[str]) -> bool:
        """Whether it names one of these causes, or what only follows from one."""
        return self.cause in causes or self.follows in causes


@dataclass(frozen=True, slots=True)
class Named:
    """A cause, the first time it was named."""

    cause: str
    subject: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Collected:
    """A test that a run had, and the names of what it is about."""

    nodeid: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of the suite, from its record.

    Attributes:
        exit_status: pytest's.
        passed: how many tests passed.
        failures: one a test.
        named: every cause by subject, with the seconds from the run's start.
        seconds: how long the run took.
        tests: every test that the run had.
        told: the sentences in which it told of causes, and with which it ended.
    """

    exit_status: int
    passed: int = 0
    failures: tuple[Failure, ...] = ()
    named: tuple[Named, ...] = ()
    seconds: float = 0.0
    tests: tuple[Collected, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one fault.

    Attributes:
        fault: its name.
        family: its family.
        caught: whether every pattern of `tests` has a test that failed; of what has to be
            survived, whether nothing failed.
        named: the cause that was named, if it is the right one at the right object.
        seconds: until it was named.
        others: causes that were named and should not have been.
        by: how many tests failed.
        false_alarms: tests that failed for nothing that the fault is about.
        late: that it was named later than it should be; how fast that is depends on the machine,
            so it is told and fails nothing.
        problems: what is wrong, a line each; empty where all is as it should be.
        phases: the seconds that each phase took, by its name.
        beside: the faults that were in at the same time; its phases are theirs as well.
        alone_since: why it was run alone, where it was in together with others before.
    """

    fault: str
    family: str
    caught: bool = False
    named: str = ""
    seconds: float | None = None
    others: tuple[str, ...] = ()
    by: int = 0
    false_alarms: tuple[str, ...] = ()
    late: str = ""
    problems: tuple[str, ...] = field(default=())
    phases: Mapping[str, float] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    alone_since: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it was caught, rightly named and taken out, without a false alarm."""
        return not self.problems


def seen_in(events: Iterable[dict[str, Any]]) -> Seen:
    """Return what a record says of a run."""
    listed = list(events)
    started = next((e["time"] for e in listed if e["type"] == "run-started"), "")
    ended = next((e for e in listed if e["type"] == "run-finished"), {})
    failures: dict[str, Failure] = {}
    passed = 0
    named: dict[tuple[str, str], Named] = {}
    deeper = _deeper(listed)
    for event in listed:
        for cause, subject in _causes(event):
            moment = _seconds(started, event["time"])
            named.setdefault((cause, subject), Named(cause, subject, moment))
        if event["type"] == "phase" and event.get("outcome") == "failed":
            diagnosis = event.get("diagnosis") or {}
            cause = str(diagnosis.get("cause", ""))
            failures.setdefault(
                event["nodeid"],
                Failure(
                    event["nodeid"],
                    "" if cause == UNKNOWN else cause,
                    _subject(diagnosis),
                    str(event.get("message", "")),
                    _end_of((cause, _subject(diagnosis)), deeper),
                ),
            )
        elif event["type"] in ("crashed", "collect-failed", "internal-error", "interrupted"):
            where = str(event.get("nodeid", event["type"]))
            text = str(event.get("message") or event.get("text", "")).split("\n", 1)[0]
            failures.setdefault(where, Failure(where, message=text))
        elif event["type"] == "phase" and event.get("when") == "call":
            passed += event.get("outcome") == "passed"
    return Seen(
        int(ended.get("exit_status", -1)),
        passed,
        tuple(failures.values()),
        tuple(named.values()),
        float(ended.get("seconds", 0.0)),
        _collected(listed),
        tuple(dict.fromkeys(wording.told_in_record(listed))),
    )


def _collected(events: Iterable[dict[str, Any]]) -> tuple[Collected, ...]:
    found: dict[str, Collected] = {}
    for event in events:
        for test in event.get("tests", ()) if event["type"] == "collected" else ():
            subjects = tuple(filter(None, test.get("subjects") or ()))
            found.setdefault(test["nodeid"], Collected(test["nodeid"], subjects))
    return tuple(found.values())


def judge(fault: Fault, seen: Seen) -> Verdict:
    """Return what became of a fault in one run."""
    if fault.expect is None:
        return _survived(fault, seen)
    wanted = fault.expect
    right = [
        each
        for each in seen.named
        if each.cause == wanted.cause and re.search(wanted.subject, each.subject)
    ]
    true = {wanted.cause, *wanted.also}
    others = sorted({each.cause for each in seen.failures if each.cause and not each.is_of(true)})
    nameless = [each.nodeid for each in seen.failures if not each.cause]
    unmatched = [
        pattern
        for pattern in wanted.tests
        if not any(fits(each.nodeid, pattern) for each in seen.failures)
    ]
    false = [
        each.nodeid
        for each in seen.failures
        if not each.is_of(true) and not any(fits(each.nodeid, pattern) for pattern in wanted.tests)
    ]
    seconds = min((each.seconds for each in right), default=None)
    problems = [
        *(f"no test like {pattern} failed" for pattern in unmatched),
        *([] if right else [f"{wanted.cause} at {wanted.subject or 'any object'} was not named"]),
        *(f"{cause} was named as well" for cause in others),
        *([f"{len(nameless)} failed without a cause: {nameless[0]}"] if nameless else []),
        *([f"{len(false)} false alarms: {false[0]}"] if false else []),
        *_left_open(fault, seen),
    ]
    is_late = seconds is not None and seconds > wanted.seconds
    return Verdict(
        fault.name,
        fault.family,
        caught=not unmatched and bool(seen.failures),
        named=wanted.cause if right else "",
        seconds=seconds,
        others=tuple(others),
        by=len(seen.failures),
        false_alarms=tuple(false),
        late=f"named after {seconds:.1f} s, later than {wanted.seconds:.0f} s" if is_late else "",
        problems=tuple(problems),
    )


def fits(nodeid: str, pattern: str) -> bool:
    """Whether a test is meant; in a pattern only `*` stands for something else than itself.

    A pattern without brackets means the test with whatever it runs over.
    """
    parameters = "" if "[" in pattern else r"(\[.*\])?"
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*") + parameters, nodeid) is not None


def _survived(fault: Fault, seen: Seen) -> Verdict:
    false = tuple(each.nodeid for each in seen.failures)
    problems = [f"{each.nodeid} failed: {each.message}" for each in seen.failures]
    others = sorted({each.cause for each in seen.named} if fault.normal else ())
    problems += [f"{cause} was named, and nothing is wrong" for cause in others]
    if seen.exit_status or not seen.passed:
        problems.append(f"the run ended with status {seen.exit_status}, {seen.passed} passed")
    problems += _left_open(fault, seen)
    return Verdict(
        fault.name,
        fault.family,
        caught=not problems,
        others=tuple(others),
        by=len(false),
        false_alarms=false,
        problems=tuple(problems),
    )


def _left_open(fault: Fault, seen: Seen) -> list[str]:
    return [
        f"a sentence says {found!r}: {sentence.strip()}"
        for found, sentence in wording.left_open_by(seen.told, [fault])
    ]


def _causes(event: dict[str, Any]) -> list[tuple[str, str]]:
    """The causes that an event names: a `diagnosis`, or a test's phase that has one."""
    found = event if event["type"] == "diagnosis" else event.get("diagnosis")
    if not isinstance(found, dict) or not found.get("cause"):
        return []
    return [(str(found["cause"]), _subject(found))]


def _deeper(events: Iterable[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what the run says that a cause follows from, by cause and object."""
    return {
        (str(event["cause"]), _subject(event)): (str(deeper["cause"]), _subject(deeper))
        for event in events
        if event["type"] == "diagnosis" and (deeper := event.get("follows"))
    }


def _end_of(known: tuple[str, str], deeper: Mapping[tuple[str, str], tuple[str, str]]) -> str:
    """Return the cause that another follows from in the end; empty where it follows from none."""
    seen = {known}
    end = known
    while (after := deeper.get(end)) and after not in seen:
        seen.add(after)
        end = after
    return end[0] if end != known else ""


def _subject(diagnosis: dict[str, Any]) -> str:
    return str(diagnosis.get("subject", ""))


def _seconds(start: str, end: str) -> float:
    if not start:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
