"""When what happened: each pod's steps, then the tests, and what the run waited for longest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from nova_acceptance.report.model import REJECTING, Run, Test
from nova_acceptance.report.topology import PodSteps
from nova_acceptance.report.values import moment, number

OF_THE_RUN: Final = ("cluster", "preparing", "applying", "waiting")
"""What a run does before its tests, in this order."""

STEPS: Final = ("scheduling", "pulling", "starting", "becoming-ready")
"""What a pod does between two of its milestones, in their order."""

TESTS: Final = "tests"
FAILED: Final = "failed"
"""Tests of which some failed."""
MOST_ROWS: Final = 60
"""Modules of tests beyond which only their layers are shown."""

_LEAST: Final = 0.05
"""Seconds below which a step of the run is not shown."""
_READY: Final = "ready"
_MILESTONES: Final = ("applied", "scheduled", "pulled", "started", "ready")


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time.

    Attributes:
        row: whose: a pod as `namespace/name`, a module of tests, or a layer; empty for the run.
        step: one of `OF_THE_RUN`, of `STEPS`, `TESTS` or `FAILED`.
        start: seconds since the run's start.
        end: likewise.
        is_critical: whether it is on the critical path.
    """

    row: str
    step: str
    start: float
    end: float
    is_critical: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the critical path: a pod that everything after it waited for.

    Attributes:
        steps: the pod's milestones.
        step: what took it longest, of `STEPS`.
        seconds: how long that took.
    """

    steps: PodSteps
    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run in time.

    Attributes:
        bars: row by row, in the order in which they are shown.
        legs: the critical path of the deployment, its last leg the last pod to be ready.
        slowest: the tests that took longest, at most ten, the slowest first, with their seconds:
            without those for which they waited for the cluster and the system.
    """

    bars: tuple[Bar, ...]
    legs: tuple[Leg, ...]
    slowest: tuple[tuple[Test, float], ...]

    @property
    def rows(self) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
        """The name of each row with its bars, in the order in which they are shown."""
        rows = groupby(self.bars, key=lambda bar: bar.row)
        return tuple((name, tuple(bars)) for name, bars in rows)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of which there are bars, in the order in which they come to pass."""
        there = {bar.step for bar in self.bars}
        return tuple(step for step in (*OF_THE_RUN, *STEPS, TESTS, FAILED) if step in there)


def timeline_of(run: Run) -> Timeline:
    """Return when what happened in a run, as far as its record tells."""
    began = _deployment_began(run)
    path = critical_path(run.topology.steps, run.topology.needs or {})
    critical = {steps.pod for steps in path}
    bars = [
        bar
        for steps in sorted(run.topology.steps, key=_order)
        if steps.ready != 0.0  # it was there before anything was applied
        for bar in (
            *_bars(steps, began, is_critical=steps.pod in critical),
            *_unfinished(steps, began, number(run.deployment.get("seconds"))),
        )
    ]
    took = [(test, test.seconds - _waited(test, run)) for test in run.tests]
    slowest = sorted(took, key=lambda entry: -entry[1])[:10]
    return Timeline(
        bars=(*_of_the_run(run, began), *bars, *_tests(run)),
        legs=tuple(leg for steps in path if (leg := _leg(steps))),
        slowest=tuple((test, seconds) for test, seconds in slowest if seconds > 0),
    )


def critical_path(
    pods: Sequence[PodSteps], needs: Mapping[str, Sequence[str]]
) -> tuple[PodSteps, ...]:
    """Return the pods of which each became ready late enough to hold up the next.

    It ends with the last pod to be ready. Before it comes the last of those that it asks, if that
    became ready only after this one's containers had started, and so on.

    Args:
        pods: the milestones of all of them.
        needs: which components each component asks.
    """
    ready = [steps for steps in pods if steps.ready]
    if not ready:
        return ()
    path = [max(ready, key=lambda steps: steps.ready or 0.0)]
    while True:
        first = path[0]
        held_up = [
            steps
            for steps in ready
            if steps.workload in needs.get(first.workload, ())
            and steps not in path
            and first.started is not None
            and first.started < (steps.ready or 0.0) <= (first.ready or 0.0)
        ]
        if not held_up:
            return tuple(path)
        path.insert(0, max(held_up, key=lambda steps: steps.ready or 0.0))


def _of_the_run(run: Run, began: float) -> Iterator[Bar]:
    """Yield what the run did until it had a system to verify."""
    found = _since(run, moment(run.cluster.get("time")))
    ready = run.topology.phases.get(_READY, 0.0)
    applied = sum(run.topology.phases.values()) - ready
    stretches = [("cluster", 0.0, found)] if found is not None else []
    if run.topology.phases:
        stretches += [
            ("preparing", found or began, began),
            ("applying", began, began + applied),
            ("waiting", began + applied, began + applied + ready),
        ]
    for step, start, end in stretches:
        if end - start >= _LEAST:
            yield Bar("", step, start, end)


def _waited(test: Test, run: Run) -> float:
    """Return for how many of its seconds a test waited: for a cluster, and for the system on it."""
    began = test.began
    if began is None:
        return 0.0
    came = (_since(run, moment(fact.get("time"))) for fact in (run.cluster, run.deployment))
    return max(
        (at - began for at in came if at and began < at <= began + test.seconds), default=0.0
    )


def _since(run: Run, time: datetime | None) -> float | None:
    return (time - run.started).total_seconds() if time and run.started else None


def _bars(steps: PodSteps, began: float, *, is_critical: bool) -> Iterator[Bar]:
    for step, start, end in _stretches(steps):
        if end > start:
            yield Bar(steps.pod, step, began + start, began + end, is_critical)


def _unfinished(steps: PodSteps, began: float, given_up: float | None) -> Iterator[Bar]:
    """Yield what a pod that never became ready was at, until nobody waited for it any more."""
    if steps.ready is not None or given_up is None:
        return
    at, step = steps.applied if steps.applied is not None else steps.created, STEPS[0]
    for milestone, after in zip(_MILESTONES[1:-1], STEPS[1:], strict=True):
        reached = getattr(steps, milestone)
        if reached is not None:
            at, step = reached, after
    if at is not None and at < given_up:
        yield Bar(steps.pod, step, began + at, began + given_up)


def _stretches(steps: PodSteps) -> Iterator[tuple[str, float, float]]:
    """Yield what the pod did from when to when; a milestone that was not seen is passed over."""
    at = steps.applied if steps.applied is not None else steps.created
    for step, milestone in zip(STEPS, _MILESTONES[1:], strict=True):
        reached = getattr(steps, milestone)
        if at is None or reached is None:
            continue
        yield step, at, max(at, reached)
        at = max(at, reached)


def _leg(steps: PodSteps) -> Leg | None:
    stretches = list(_stretches(steps))
    if not stretches:
        return None
    step, start, end = max(stretches, key=lambda stretch: stretch[2] - stretch[1])
    return Leg(steps, step, end - start)


def _tests(run: Run) -> Iterator[Bar]:
    """Yield when each module's tests ran, row by row; of very many modules when each layer's did.

    Tests of one row that ran one after the other are one bar: disruptive ones come last, and some
    need no system and come before it is there.
    """
    timed = [test for test in run.tests if test.began is not None]
    by_module = len({_module(test) for test in timed}) <= MOST_ROWS
    bars: dict[str, list[Bar]] = {}
    before: dict[str, str] = {}
    for test in sorted(timed, key=lambda test: test.began or 0.0):
        row = _module(test) if by_module else test.layer
        waited = _waited(test, run)
        began = (test.began or 0.0) + waited
        end = (test.began or 0.0) + test.seconds
        step = FAILED if test.outcome in REJECTING else TESTS
        mine = bars.setdefault(row, [])
        if mine and before.get(test.worker) == row and not waited:
            worse = FAILED if FAILED in (step, mine[-1].step) else TESTS
            mine[-1] = replace(mine[-1], step=worse, end=max(mine[-1].end, end))
        else:
            mine.append(Bar(row, step, began, end))
        before[test.worker] = row
    yield from (bar for mine in bars.values() for bar in mine)


def _module(test: Test) -> str:
    return test.nodeid.partition("::")[0].removeprefix("tests/")


def _deployment_began(run: Run) -> float:
    """Return when the deployment began, in seconds since the run's start."""
    ended, seconds = _since(run, moment(run.deployment.get("time"))), run.deployment.get("seconds")
    took = number(seconds)
    return 0.0 if ended is None or took is None else max(0.0, ended - took)


def _order(steps: PodSteps) -> tuple[float, str]:
    return steps.ready if steps.ready is not None else float("inf"), steps.pod
