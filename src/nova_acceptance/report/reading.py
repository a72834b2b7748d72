"""From the events of a record to the model of the run.

Nothing is taken for granted: events may be missing (a killed run), repeated (workers of
pytest-xdist each tell what they see) or odd (a record written by a crash).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from nova_acceptance.report.cause_texts import UNKNOWN
from nova_acceptance.report.causes import causes_of
from nova_acceptance.report.model import (
    LAYERS,
    OTHER,
    REJECTING,
    UNBEGUN,
    Component,
    Layer,
    Manifests,
    Outcome,
    Problem,
    Quarantine,
    Run,
    Test,
    count,
)
from nova_acceptance.report.phrases import phrase_of
from nova_acceptance.report.record import Events, Reading
from nova_acceptance.report.recorder import Fact
from nova_acceptance.report.topology import topology_of
from nova_acceptance.report.values import (
    dicts,
    flat,
    integer,
    last_line,
    mapping,
    moment,
    number,
    strings,
    text,
)

_SEVERITY: Final = tuple(Outcome)
_USAGE: Final = ("requests", "execs", "forwards")


def load(path: Path) -> Run:
    """Read a run from its record.

    Args:
        path: a run's directory, or its `run.jsonl`.

    Raises:
        UsageError: there is no record, or one of an unknown schema.
    """
    return run_of(Reading(path))


def run_of(events: Events | Reading) -> Run:
    """Build the model of a run from its events, of which tests take what is theirs at once.

    Raises:
        UsageError: they cannot be read.
    """
    tests = _Tests()
    told: list[Fact] = []  # but for what tests have taken, which is nearly all
    started = ended = None
    for event in events:
        if time := moment(event.get("time")):
            started, ended = started or time, time
        tests.take(event, started)
        if event["type"] == "collected":
            told.append({**event, "tests": []})
        elif event["type"] != "phase" or event.get("diagnosis"):
            told.append(event)
    by_type: dict[str, list[Fact]] = {}
    for event in told:
        by_type.setdefault(event["type"], []).append(event)
    start = by_type.get("run-started", [{}])[0]
    end = by_type.get("run-finished", [{}])[-1]
    snapshot = by_type.get("snapshot", [{}])[-1]
    all_tests = tests.finished()
    cluster = by_type.get("cluster", [{}])[-1]
    deployment = _deployment(by_type.get("deployment", []))
    reachability = by_type.get("reachability", [{}])[-1]
    return Run(
        name=text(start.get("run")) or events.run,
        started=started,
        ended=ended,
        finished=bool(end),
        exit_status=integer(end.get("exit_status")) if end else None,
        problems=tuple(_problems(told, by_type, all_tests, events.damaged)),
        tests=all_tests,
        layers=tuple(_layers(all_tests, dicts(snapshot.get("rows")))),
        # Each worker of xdist tells all of them; its controller knows of none.
        deselected=max(integer(each.get("deselected")) for each in by_type.get("collected", [{}])),
        versions={name: text(version) for name, version in flat(start.get("versions")).items()},
        options=flat(start.get("options")),
        arguments=tuple(map(text, _listed(start.get("arguments")))),
        cluster=flat(cluster),
        deployment=flat(deployment),
        counts={kind: integer(n) for kind, n in flat(snapshot.get("counts")).items()},
        external=tuple(map(_external, dicts(snapshot.get("external")))),
        notes=tuple(dict.fromkeys(phrase_of(note, "text") for note in by_type.get("note", []))),
        causes=causes_of(told, started),
        reason=phrase_of(cluster, "reason"),
        topology=topology_of(cluster, deployment, snapshot, reachability),
        manifests=_manifests(mapping(start.get("manifests"))),
        usage=_usage(by_type.get("usage", [])),
        uncollected=_uncollected(by_type.get("collected", [])),
    )


def _uncollected(events: Iterable[Fact]) -> tuple[str, ...]:
    """Return the layers that were not collected, in their order."""
    found = {text(layer) for event in events for layer in _listed(event.get("uncollected"))}
    return tuple(layer for layer in LAYERS if layer in found)


def layer_of(nodeid: str) -> str:
    """Return the layer that a test belongs to by its directory, or `OTHER`."""
    prefix = nodeid.split("/", 2)[:2]
    return next((layer for layer in LAYERS if prefix == ["tests", layer]), OTHER)


class _Tests:
    """The tests of a run, put together event by event."""

    def __init__(self) -> None:
        self._tests: dict[str, Test] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}

    def take(self, event: Fact, started: datetime | None) -> None:
        """Take what an event says of a test.

        Args:
            event: any event.
            started: when the run began, as far as is known.
        """
        match event["type"]:
            case "collected":
                for row in dicts(event.get("tests")):
                    self._describe(row)
            case "phase":
                self._take_phase(event, started)
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
        nodeid = text(event.get("nodeid"))
        return self._tests.setdefault(nodeid, Test(nodeid=nodeid, layer=layer_of(nodeid)))

    def _describe(self, row: Fact) -> None:
        test = self._test(row)
        test.layer = _layer(row.get("layer")) or test.layer
        test.doc = text(row.get("doc")) or test.doc
        test.markers = list(strings(row.get("markers"))) or test.markers
        test.subjects = list(strings(row.get("subjects"))) or test.subjects

    def _take_phase(self, event: Fact, started: datetime | None) -> None:
        test = self._test(event)
        if isinstance(event.get("test"), dict):
            self._describe({**event["test"], "nodeid": test.nodeid})
        when = text(event.get("when")) or "call"
        seconds = number(event.get("seconds")) or 0.0
        test.seconds += seconds
        ended = moment(event.get("time"))
        if test.began is None and ended and started:
            test.began = max(0.0, (ended - started).total_seconds() - seconds)
        found = mapping(event.get("diagnosis"))
        if found and not test.cause:
            test.cause = text(found.get("cause"))
            test.culprit = text(found.get("subject"))
        test.worker = text(event.get("worker")) or test.worker
        test.evidence += map(_evidence, dicts(event.get("evidence")))
        test.sections += [
            (text(heading), text(content)) for heading, content in _pairs(event.get("sections"))
        ]
        test.why_not = phrase_of(event, "why_not") or test.why_not
        if isinstance(known := event.get("quarantined"), dict):
            fields = (text(known.get(name)) for name in ("reason", "owner", "until"))
            test.quarantine = test.quarantine or Quarantine(*fields)
        outcome = {
            "passed": Outcome.PASSED,
            "skipped": Outcome.XFAILED if event.get("expected_failure") else Outcome.SKIPPED,
            "not asked": Outcome.NOT_ASKED,
            "quarantined": Outcome.QUARANTINED,
        }.get(text(event.get("outcome")), Outcome.FAILED if when == "call" else Outcome.ERROR)
        self._fail(test, when, outcome, event)

    def _fail(self, test: Test, when: str, outcome: Outcome, event: Fact) -> None:
        """Note what a phase came to; of several results of one phase the worst counts."""
        seen = self._outcomes.setdefault(test.nodeid, {})
        seen[when] = min(seen.get(when, outcome), outcome, key=_SEVERITY.index)
        if said := text(event.get("text")):
            test.message = test.message or text(event.get("message")) or last_line(said)
            test.text = f"{test.text}\n\n{said}" if test.text else said


def _final(phases: Mapping[str, Outcome]) -> Outcome:
    """Return a test's outcome; one whose teardown was never reported has no result."""
    bad = [outcome for outcome in phases.values() if outcome in (Outcome.FAILED, Outcome.ERROR)]
    if bad:
        return min(bad, key=_SEVERITY.index)
    if "teardown" not in phases:
        return Outcome.NO_RESULT
    if Outcome.QUARANTINED in phases.values():
        return Outcome.QUARANTINED
    if phases.get("setup", Outcome.PASSED) is not Outcome.PASSED:
        return phases["setup"]
    return phases.get("call", Outcome.NO_RESULT)


def _problems(
    told: list[Fact], by_type: Mapping[str, list[Fact]], tests: Iterable[Test], damaged: int
) -> Iterable[Problem]:
    for event in by_type.get("interrupted", []):
        yield Problem("interrupted", {"text": text(event.get("text"))})
    unbegun = [event for event in told if event["type"] in UNBEGUN][:1]
    for event in unbegun:
        yield Problem(event["type"], {"text": phrase_of(event, "text")})
    for event in by_type.get("internal-error", []):
        message = text(event.get("message")) or last_line(text(event.get("text")))
        yield Problem("internal-error", {"text": message})
    for event in by_type.get("crashed", []):
        worker, test = text(event.get("worker")) or "?", text(event.get("nodeid")) or "?"
        yield Problem("crashed", {"worker": worker, "test": test})
    for event in by_type.get("worker-lost", []):
        worker, said = text(event.get("worker")) or "?", text(event.get("text"))
        yield Problem("worker-lost", {"worker": worker, "text": said})
    for event in by_type.get("shard-missing", []):
        yield Problem("shard-missing", {"shard": text(event.get("shard")) or "?"})
    for event in by_type.get("collected-material", []):
        for line in strings(event.get("failed")):
            cause = text(event.get("cause")) or "?"
            yield Problem("not-collected", {"cause": cause, "text": line})
    if "run-finished" not in by_type:
        yield Problem("cut-off")
    if without := count(tests)[Outcome.NO_RESULT]:
        yield Problem("without-result", {"n": without})
    # of a run that could not be begun it is the reason above
    unasked = Counter(
        test.why_not for test in tests if test.outcome is Outcome.NOT_ASKED and not unbegun
    )
    for why, tests_of_it in unasked.most_common():
        yield Problem("not-asked", {"n": tests_of_it, "text": why})
    if damaged:
        yield Problem("damaged", {"n": damaged})


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
    layer = _layer(row.get("layer")) or OTHER
    name, kind = text(row.get("component")) or "?", text(row.get("kind"))
    restarts = row.get("restarts")

    def is_its(test: Test) -> bool:
        # A Service often has the name of the workload behind it, which other layers are about.
        return kind != "Service" or test.layer == layer

    its = [test for test in tests if test.concerns(name) and is_its(test)]
    return Component(
        layer=layer,
        name=name,
        kind=kind,
        namespace=text(row.get("namespace")),
        wanted=integer(row.get("wanted")),
        ready=integer(row.get("ready")),
        restarts=None if restarts is None else integer(restarts),
        nodes=strings(row.get("node") or row.get("nodes")),
        images=strings(row.get("image") or row.get("images")),
        outcomes=count(its),
        is_blamed=any(_blames(test, name) for test in its if test.outcome in REJECTING),
    )


def _blames(test: Test, component: str) -> bool:
    """Tell whether a failure is a component's own, or may be: its cause is there, or unknown.

    What belongs to a component begins with its name: its pods, its Secret.
    """
    if test.cause in ("", UNKNOWN.id):
        return True
    name = test.culprit.rpartition("/")[2].rpartition(" ")[2]
    return name == component or name.startswith(f"{component}-")


def _deployment(facts: list[Fact]) -> Fact:
    """Choose the fact that tells most: of several workers only one deploys, the others find it."""

    def told(fact: Fact) -> tuple[int, int]:
        pods = dicts(fact.get("timeline"))
        return sum(bool(number(pod.get("ready"))) for pod in pods), len(pods)

    return max(facts, key=told, default={})


def _evidence(row: Fact) -> Fact:
    fields = {name: text(row.get(name)) for name in ("asked", "source", "target", "answer")}
    return {**fields, "seconds": number(row.get("seconds")) or 0.0}


def _external(row: Fact) -> Fact:
    return {
        "name": text(row.get("name")) or "?",
        "address": text(row.get("address")),
        "used_by": strings(row.get("used_by")),
    }


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    for pair in _listed(value):
        if len(found := _listed(pair)) > 1:
            yield found[0], found[1]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _manifests(fact: Mapping[str, object]) -> Manifests:
    return Manifests(
        commit=text(fact.get("commit")),
        is_changed=bool(fact.get("changed")),
        digest=text(fact.get("digest")),
    )


def _usage(facts: Iterable[Fact]) -> dict[str, int]:
    """Return what all processes of a run told together."""
    found: Counter[str] = Counter()
    for fact in facts:
        for name in _USAGE:
            found[name] += max(0, integer(fact.get(name)))
    return dict(found)


def _layer(value: object) -> str:
    return value if isinstance(value, str) and value in LAYERS else ""
