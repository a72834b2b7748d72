"""When what happened, and what the deployment waited for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.report import load
from nova_acceptance.report.timeline import (
    FAILED,
    MOST_ROWS,
    TESTS,
    Bar,
    critical_path,
    timeline_of,
)
from nova_acceptance.report.topology import PodSteps
from testing.unit.report import events
from testing.unit.report.events import END, START, collected, finished

NEEDS = {"web": ("db", "cache"), "db": ("etcd",)}


def pod(workload: str, started: float, ready: float | None) -> PodSteps:
    return PodSteps(f"app/{workload}-0", workload, started=started, ready=ready)


def names(*pods: PodSteps) -> list[str]:
    return [steps.workload for steps in critical_path(pods, NEEDS)]


def test_path_goes_back_through_what_each_pod_waited_for() -> None:
    assert names(pod("etcd", 1, 4), pod("db", 2, 8), pod("web", 3, 9)) == ["etcd", "db", "web"]


def test_what_was_ready_before_a_pod_started_did_not_hold_it_up() -> None:
    assert names(pod("etcd", 1, 1.5), pod("db", 2, 8), pod("web", 3, 9)) == ["db", "web"]


def test_of_two_that_a_pod_waited_for_the_later_one_counts() -> None:
    assert names(pod("cache", 1, 5), pod("db", 1, 4), pod("web", 3, 9)) == ["cache", "web"]


def test_what_nobody_asks_is_on_no_path_but_its_own() -> None:
    assert names(pod("db", 1, 4), pod("batch", 1, 12), pod("web", 3, 9)) == ["batch"]


def test_members_that_need_each_other_end() -> None:
    ring = {"a": ("b",), "b": ("a",)}
    path = critical_path([pod("a", 1, 5), pod("b", 1, 6)], ring)

    assert [steps.workload for steps in path] == ["a", "b"]


def test_pods_that_never_became_ready_have_no_path() -> None:
    assert critical_path([pod("web", 1, None)], NEEDS) == ()


def deployment(*rows: dict[str, object]) -> dict[str, object]:
    return {"type": "deployment", "seconds": 10.0, "timeline": list(rows)}


def test_steps_are_counted_from_the_start_of_the_run(tmp_path: Path) -> None:
    row = {"pod": "app/web-0", "workload": "web", "node": "a", "created": 0.5, "applied": 0.0}
    row |= {"scheduled": 1.0, "pulled": 3.0, "started": 4.0, "ready": 9.0}
    directory = events.write(
        tmp_path,
        {"time": "2030-01-01T00:00:00.000Z", **START},
        {"time": "2030-01-01T00:00:15.000Z", **deployment(row)},
        END,
    )

    timeline = timeline_of(load(directory))

    assert [(bar.step, bar.start, bar.end) for bar in timeline.bars] == [
        ("scheduling", 5.0, 6.0),
        ("pulling", 6.0, 8.0),
        ("starting", 8.0, 9.0),
        ("becoming-ready", 9.0, 14.0),
    ]
    (leg,) = timeline.legs
    assert (leg.step, leg.seconds) == ("becoming-ready", 5.0)


def test_pod_that_was_there_before_has_no_bar(tmp_path: Path) -> None:
    row = {"pod": "app/web-0", "created": 0.0, "scheduled": 0.0, "started": 0.0, "ready": 0.0}

    assert timeline_of(load(events.write(tmp_path, START, deployment(row), END))).bars == ()


def test_milestone_that_was_not_seen_is_passed_over(tmp_path: Path) -> None:
    row = {"pod": "app/web-0", "created": 1.0, "scheduled": 2.0, "started": None, "ready": None}

    bars = timeline_of(load(events.write(tmp_path, START, deployment(row), END))).bars
    assert [bar.step for bar in bars] == ["scheduling", "pulling"]


def test_pod_that_never_became_ready_is_shown_until_it_was_given_up(tmp_path: Path) -> None:
    row = {"pod": "app/web-0", "created": 1.0, "scheduled": 2.0, "pulled": 4.0, "started": None}
    directory = events.write(
        tmp_path, START, {"time": "2030-01-01T00:00:10.000Z", **deployment(row)}, END
    )

    last = timeline_of(load(directory)).bars[-1]
    assert last == Bar("app/web-0", "starting", 4.0, 10.0)


def test_tests_of_a_module_are_one_bar_until_another_comes_between(tmp_path: Path) -> None:
    first, other = "tests/infrastructure/test_a.py", "tests/networking/test_b.py"
    order = [f"{first}::test_one", f"{first}::test_two", f"{other}::test_x", f"{first}::test_last"]
    run = [phase for nodeid in order for phase in finished(nodeid)]

    bars = timeline_of(load(events.write(tmp_path, START, collected(*order), *run, END))).bars

    assert {bar.step for bar in bars} == {TESTS}
    assert [bar.row for bar in bars] == ["infrastructure/test_a.py"] * 2 + ["networking/test_b.py"]


@pytest.mark.parametrize(
    ("modules", "row"), [(MOST_ROWS, "networking/test_0.py"), (MOST_ROWS + 1, "networking")]
)
def test_very_many_modules_are_shown_by_layer(tmp_path: Path, modules: int, row: str) -> None:
    nodeids = [f"tests/networking/test_{number}.py::test_a" for number in range(modules)]
    run = [{**finished(nodeid)[0], "time": "2030-01-01T00:00:09Z"} for nodeid in nodeids]

    bars = timeline_of(load(events.write(tmp_path, START, collected(*nodeids), *run))).bars
    assert bars[0].row == row


def test_slowest_tests_come_first(tmp_path: Path) -> None:
    slow, quick = "tests/networking/test_b.py::test_slow", "tests/networking/test_b.py::test_quick"
    run = [*finished(quick, seconds=0.2), *finished(slow, seconds=7.0)]

    slowest = timeline_of(load(events.write(tmp_path, START, *run, END))).slowest
    assert [(test.nodeid, seconds) for test, seconds in slowest] == [(slow, 8.0), (quick, 1.2)]


def verified(tmp_path: Path, outcome: str = "passed") -> Path:
    """Return a run of 20 s: a cluster after 2 s, deployed from 5 to 15 s, and a test of it."""

    def at(second: int, **event: Any) -> dict[str, Any]:
        return {"time": f"2030-01-01T00:00:{second:02}.000Z", **event}

    nodeid = "tests/services/test_a.py::test_a"
    phases = {"namespaces": 0.5, "configuration": 1.0, "workloads": 0.5, "ready": 8.0}
    return events.write(
        tmp_path,
        at(0, **START),
        at(2, type="cluster", name="nova"),
        at(15, **deployment(), phases=phases),
        at(16, **{**events.phase(nodeid, "setup"), "seconds": 14.0}),
        at(18, **{**events.phase(nodeid, "call", outcome), "seconds": 2.0}),
        at(18, **{**events.phase(nodeid, "teardown"), "seconds": 0.0}),
        at(20, **END),
    )


def test_run_has_a_row_of_its_own_until_the_system_is_there(tmp_path: Path) -> None:
    bars = timeline_of(load(verified(tmp_path))).bars

    assert [(bar.step, bar.start, bar.end) for bar in bars if not bar.row] == [
        ("cluster", 0.0, 2.0),
        ("preparing", 2.0, 5.0),
        ("applying", 5.0, 7.0),
        ("waiting", 7.0, 15.0),
    ]


@pytest.mark.parametrize(("outcome", "step"), [("passed", TESTS), ("failed", FAILED)])
def test_test_begins_where_it_no_longer_waits_for_the_system(
    tmp_path: Path, outcome: str, step: str
) -> None:
    timeline = timeline_of(load(verified(tmp_path, outcome)))

    assert timeline.bars[-1] == Bar("services/test_a.py", step, 15.0, 18.0)
    assert [seconds for _, seconds in timeline.slowest] == [3.0]


def test_tests_before_the_system_is_there_have_a_bar_of_their_own(tmp_path: Path) -> None:
    directory = verified(tmp_path)
    early = [
        {"time": f"2030-01-01T00:00:01.{number}00Z", **event, "seconds": 0.1}
        for number, event in enumerate(events.finished("tests/services/test_a.py::test_early"))
    ]
    record = directory / "run.jsonl"
    lines = record.read_text().splitlines()
    record.write_text("\n".join([lines[0], *map(json.dumps, early), *lines[1:]]) + "\n")

    found = [(bar.start, bar.end) for bar in timeline_of(load(directory)).bars if bar.row]
    assert found == [(pytest.approx(0.9), pytest.approx(1.2)), (15.0, 18.0)]


def test_test_that_wants_a_cluster_begins_where_there_is_one(tmp_path: Path) -> None:
    nodeid = "tests/infrastructure/test_cluster.py::test_a"
    directory = events.write(
        tmp_path,
        START,
        {"time": "2030-01-01T00:01:10.000Z", "type": "cluster", "name": "nova"},
        {"time": "2030-01-01T00:01:11.000Z", **events.phase(nodeid, "setup"), "seconds": 71.0},
        {"time": "2030-01-01T00:01:12.000Z", **END},
    )

    assert timeline_of(load(directory)).bars[-1] == Bar(
        "infrastructure/test_cluster.py", TESTS, 70.0, 71.0
    )


def test_bar_of_tests_tells_whether_one_of_them_failed(tmp_path: Path) -> None:
    module = "tests/services/test_a.py"
    run = [*finished(f"{module}::test_a", "failed"), *finished(f"{module}::test_b")]

    (bar,) = timeline_of(load(events.write(tmp_path, START, *run, END))).bars
    assert bar.step == FAILED
