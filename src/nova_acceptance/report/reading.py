"""From the events of a record to the model of the run.

Nothing is taken for granted: events may be missing (a killed run), repeated (workers of
pytest-xdist each tell what they see) or odd (a record written by a crash).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from nova_acceptance.report.causes import causes_of
from nova_acceptance.report.model import (
    LAYERS,
    OTHER,
    Component,
    Layer,
    Outcome,
    Run,
    Test,
    count,
)
from nova_acceptance.report.record import Events, read
from nova_acceptance.report.recorder import Fact

_SEVERITY: Final = tuple(Outcome)


def load(path: Path) -> Run:
    """Read a run from its record.

    Args:
        path: a run's directory, or its `run.jsonl`.

    Raises:
        UsageError: there is no record, or one of an unknown schema.
    """
    return run_of(read(path))


def run_of(events: Events) -> Run:
    """Build the model of a run from its events."""
    tests = _Tests()
    for event in events:
        tests.take(event)
    by_type: dict[str, list[Fact]] = {}
    for event in events:
        by_type.setdefault(event["type"], []).append(event)
    start = by_type.get("run-started", [{}])[0]
    end = by_type.get("run-finished", [{}])[-1]
    snapshot = by_type.get("snapshot", [{}])[-1]
    collected = by_type.get("collected", [{}])[-1]
    times = [moment for event in events if (moment := _moment(event.get("time")))]
    all_tests = tests.finished()
    return Run(
        name=str(start.get("run") or events.run),
        started=times[0] if times else None,
        ended=times[-1] if times else None,
        finished=bool(end),
        exit_status=end.get("exit_status"),
        problems=tuple(_problems(events, by_type, all_tests)),
        tests=all_tests,
        layers=tuple(_layers(all_tests, _dicts(snapshot.get("rows")))),
        deselected=_integer(collected.get("deselected")),
        versions={str(k): str(v) for k, v in _mapping(start.get("versions")).items()},
        options=dict(_mapping(start.get("options"))),
        arguments=tuple(str(argument) for argument in start.get("arguments") or ()),
        cluster=by_type.get("cluster", [{}])[-1],
        deployment=_deployment(by_type.get("deployment", [])),
        counts={str(k): _integer(v) for k, v in _mapping(snapshot.get("counts")).items()},
        external=tuple(_dicts(snapshot.get("external"))),
        notes=tuple(dict.fromkeys(str(note.get("text", "")) for note in by_type.get("note", []))),
        causes=causes_of(events),
    )


def layer_of(nodeid: str) -> str:
    """Return the layer that a test belongs to by its directory, or `OTHER`."""
    prefix = nodeid.split("/", 2)[:2]
    return next((layer for layer in LAYERS if prefix == ["tests", layer]), OTHER)


class _Tests:
    """The tests of a run, put together event by event."""

    def __init__(self) -> None:
        self._tests: dict[str, Test] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}

    def take(self, event: Fact) -> None:
        match event["type"]:
            case "collected":
                for row in _dicts(event.get("tests")):
                    self._describe(row)
            case "phase":
                self._take_phase(event)
            case "crashed":
                test = self._test(event)
                self._fail(test, "crash", Outcome.ERROR, event)
            case "collect-failed":
                test = self._test(event)
                self._fail(test, "collect", Outcome.ERROR, event)

    def finished(self) -> tuple[Test, ...]:
        for nodeid, test in self._tests.items():
            test.outcome = _final(self._outcomes.get(nodeid, {}))
        return tuple(self._tests.values())

    def _test(self, event: Fact) -> Test:
        nodeid = str(event.get("nodeid", ""))
        return self._tests.setdefault(nodeid, Test(nodeid=nodeid, layer=layer_of(nodeid)))

    def _describe(self, row: Fact) -> None:
        test = self._test(row)
        test.layer = _layer(row.get("layer")) or test.layer
        test.doc = str(row.get("doc") or test.doc)
        test.markers = [str(marker) for marker in row.get("markers") or test.markers]
        test.subjects = [str(subject) for subject in row.get("subjects") or test.subjects]

    def _take_phase(self, event: Fact) -> None:
        test = self._test(event)
        if isinstance(event.get("test"), dict):
            self._describe({**event["test"], "nodeid": test.nodeid})
        when = str(event.get("when", "call"))
        test.seconds += float(event.get("seconds") or 0.0)
        test.worker = str(event.get("worker") or test.worker)
        test.evidence += _dicts(event.get("evidence"))
        test.sections += [
            (str(pair[0]), str(pair[1])) for pair in event.get("sections") or () if len(pair) > 1
        ]
        outcome = {
            "passed": Outcome.PASSED,
            "skipped": Outcome.XFAILED if event.get("expected_failure") else Outcome.SKIPPED,
        }.get(str(event.get("outcome")), Outcome.FAILED if when == "call" else Outcome.ERROR)
        self._fail(test, when, outcome, event)

    def _fail(self, test: Test, when: str, outcome: Outcome, event: Fact) -> None:
        """Note what a phase came to; of several results of one phase the worst counts."""
        seen = self._outcomes.setdefault(test.nodeid, {})
        seen[when] = min(seen.get(when, outcome), outcome, key=_SEVERITY.index)
        text = str(event.get("text") or "")
        if text:
            test.message = test.message or str(event.get("message") or _last_line(text))
            test.text = f"{test.text}\n\n{text}" if test.text else text


def _final(phases: Mapping[str, Outcome]) -> Outcome:
    """Return a test's outcome; one whose teardown was never reported has no result."""
    bad = [outcome for outcome in phases.values() if outcome in (Outcome.FAILED, Outcome.ERROR)]
    if bad:
        return min(bad, key=_SEVERITY.index)
    if "teardown" not in phases:
        return Outcome.NO_RESULT
    if phases.get("setup", Outcome.PASSED) is not Outcome.PASSED:
        return phases["setup"]
    return phases.get("call", Outcome.NO_RESULT)


def _problems(
    events: Events, by_type: Mapping[str, list[Fact]], tests: Iterable[Test]
) -> Iterable[str]:
    for event in by_type.get("interrupted", []):
        yield f"interrupted: {event.get('text', '')}"
    for event in by_type.get("internal-error", []):
        message = str(event.get("message") or _last_line(str(event.get("text", ""))))
        yield f"internal error: {message}"
    for event in by_type.get("crashed", []):
        yield f"worker {event.get('worker', '?')} crashed while running {event.get('nodeid', '?')}"
    for event in by_type.get("worker-lost", []):
        yield f"worker {event.get('worker', '?')} was lost: {event.get('text', '')}"
    for event in by_type.get("collected-material", []):
        for line in event.get("failed") or ():
            yield f"not collected for {event.get('cause', '?')}: {line}"
    if "run-finished" not in by_type:
        yield "the run was cut off: its record has no end"
    without = count(tests)[Outcome.NO_RESULT]
    if without:
        yield f"{without} collected {'test has' if without == 1 else 'tests have'} no result"
    if events.damaged:
        yield f"{events.damaged} damaged line(s) in the record"


def _layers(tests: Iterable[Test], rows: list[Fact]) -> Iterable[Layer]:
    tests = tuple(tests)
    components = [_component(row, tests) for row in rows]
    names = [*LAYERS, OTHER]
    for name in names:
        mine = tuple(component for component in components if component.layer == name)
        outcomes = count(test for test in tests if test.layer == name)
        if mine or outcomes:
            yield Layer(name=name, components=mine, outcomes=outcomes)


def _component(row: Fact, tests: Iterable[Test]) -> Component:
    name = str(row.get("component", "?"))
    restarts = row.get("restarts")
    return Component(
        layer=_layer(row.get("layer")) or OTHER,
        name=name,
        kind=str(row.get("kind") or ""),
        namespace=str(row.get("namespace") or ""),
        wanted=_integer(row.get("wanted")),
        ready=_integer(row.get("ready")),
        restarts=None if restarts is None else _integer(restarts),
        nodes=_names(row.get("node") or row.get("nodes")),
        images=_names(row.get("image") or row.get("images")),
        outcomes=count(test for test in tests if test.concerns(name)),
    )


def _deployment(facts: list[Fact]) -> Fact:
    """Choose the fact that tells most: of several workers only one deploys."""
    return max(facts, key=lambda fact: len(fact.get("timeline") or ()), default={})


def _layer(value: object) -> str:
    return value if isinstance(value, str) and value in LAYERS else ""


def _names(value: object) -> tuple[str, ...]:
    if not value:
        return ()
    values = value if isinstance(value, list | tuple) else str(value).split(", ")
    return tuple(dict.fromkeys(str(each) for each in values))


def _dicts(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _integer(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return 0


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
