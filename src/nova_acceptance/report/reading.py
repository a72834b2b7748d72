"""From the events of a record to the model of the run.

Nothing is taken for granted: events may be missing (a killed run), repeated (workers of
pytest-xdist each tell what they see) or odd (a record written by a crash).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from nova_acceptance.report.causes import causes_of
from nova_acceptance.report.model import (
    LAYERS,
    OTHER,
    Component,
    Layer,
    Manifests,
    Outcome,
    Problem,
    Run,
    Test,
    count,
)
from nova_acceptance.report.record import Events, read
from nova_acceptance.report.recorder import Fact
from nova_acceptance.report.staging import scene_of
from nova_acceptance.report.values import (
    dicts,
    integer,
    last_line,
    mapping,
    moment,
    number,
    strings,
)

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
    tests = _Tests(next((moment(event.get("time")) for event in events), None))
    for event in events:
        tests.take(event)
    by_type: dict[str, list[Fact]] = {}
    for event in events:
        by_type.setdefault(event["type"], []).append(event)
    start = by_type.get("run-started", [{}])[0]
    end = by_type.get("run-finished", [{}])[-1]
    snapshot = by_type.get("snapshot", [{}])[-1]
    collected = by_type.get("collected", [{}])[-1]
    times = [time for event in events if (time := moment(event.get("time")))]
    all_tests = tests.finished()
    cluster = by_type.get("cluster", [{}])[-1]
    deployment = _deployment(by_type.get("deployment", []))
    reachability = by_type.get("reachability", [{}])[-1]
    return Run(
        name=str(start.get("run") or events.run),
        started=times[0] if times else None,
        ended=times[-1] if times else None,
        finished=bool(end),
        exit_status=end.get("exit_status"),
        problems=tuple(_problems(events, by_type, all_tests)),
        tests=all_tests,
        layers=tuple(_layers(all_tests, dicts(snapshot.get("rows")))),
        deselected=integer(collected.get("deselected")),
        versions={str(k): str(v) for k, v in mapping(start.get("versions")).items()},
        options=dict(mapping(start.get("options"))),
        arguments=tuple(str(argument) for argument in start.get("arguments") or ()),
        cluster=cluster,
        deployment=deployment,
        counts={str(k): integer(v) for k, v in mapping(snapshot.get("counts")).items()},
        external=tuple(dicts(snapshot.get("external"))),
        notes=tuple(dict.fromkeys(str(note.get("text", "")) for note in by_type.get("note", []))),
        causes=causes_of(events),
        scene=scene_of(cluster, deployment, snapshot, reachability),
        manifests=_manifests(mapping(start.get("manifests"))),
    )


def layer_of(nodeid: str) -> str:
    """Return the layer that a test belongs to by its directory, or `OTHER`."""
    prefix = nodeid.split("/", 2)[:2]
    return next((layer for layer in LAYERS if prefix == ["tests", layer]), OTHER)


class _Tests:
    """The tests of a run, put together event by event."""

    def __init__(self, started: datetime | None) -> None:
        self._started = started
        self._tests: dict[str, Test] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}

    def take(self, event: Fact) -> None:
        match event["type"]:
            case "collected":
                for row in dicts(event.get("tests")):
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
        seconds = number(event.get("seconds")) or 0.0
        test.seconds += seconds
        ended = moment(event.get("time"))
        if test.began is None and ended and self._started:
            test.began = max(0.0, (ended - self._started).total_seconds() - seconds)
        found = mapping(event.get("diagnosis"))
        if found and not test.cause:
            test.cause = str(found.get("cause") or "")
            test.culprit = str(found.get("subject") or "")
        test.worker = str(event.get("worker") or test.worker)
        test.evidence += dicts(event.get("evidence"))
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
            test.message = test.message or str(event.get("message") or last_line(text))
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
) -> Iterable[Problem]:
    for event in by_type.get("interrupted", []):
        yield Problem("interrupted", {"text": str(event.get("text", ""))})
    for event in by_type.get("internal-error", []):
        message = str(event.get("message") or last_line(str(event.get("text", ""))))
        yield Problem("internal-error", {"text": message})
    for event in by_type.get("crashed", []):
        worker, test = str(event.get("worker", "?")), str(event.get("nodeid", "?"))
        yield Problem("crashed", {"worker": worker, "test": test})
    for event in by_type.get("worker-lost", []):
        worker, text = str(event.get("worker", "?")), str(event.get("text", ""))
        yield Problem("worker-lost", {"worker": worker, "text": text})
    for event in by_type.get("collected-material", []):
        for line in event.get("failed") or ():
            cause = str(event.get("cause", "?"))
            yield Problem("not-collected", {"cause": cause, "text": str(line)})
    if "run-finished" not in by_type:
        yield Problem("cut-off")
    if without := count(tests)[Outcome.NO_RESULT]:
        yield Problem("without-result", {"n": without})
    if events.damaged:
        yield Problem("damaged", {"n": events.damaged})


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
        wanted=integer(row.get("wanted")),
        ready=integer(row.get("ready")),
        restarts=None if restarts is None else integer(restarts),
        nodes=strings(row.get("node") or row.get("nodes")),
        images=strings(row.get("image") or row.get("images")),
        outcomes=count(test for test in tests if test.concerns(name)),
    )


def _deployment(facts: list[Fact]) -> Fact:
    """Choose the fact that tells most: of several workers only one deploys."""
    return max(facts, key=lambda fact: len(fact.get("timeline") or ()), default={})


def _manifests(fact: Mapping[str, object]) -> Manifests:
    return Manifests(
        commit=str(fact.get("commit") or ""),
        is_changed=bool(fact.get("changed")),
        digest=str(fact.get("digest") or ""),
    )


def _layer(value: object) -> str:
    return value if isinstance(value, str) and value in LAYERS else ""
