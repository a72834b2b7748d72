"""What a run was, from the events of its record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.report import Run, load
from nova_acceptance.report.model import Problem, Verdict
from testing.unit.report.events import (
    END,
    HEALTH,
    NAMES,
    REDIS,
    START,
    collected,
    finished,
    phase,
    write,
)


@pytest.fixture
def run_of(tmp_path: Path) -> Any:
    def built(*events: dict[str, Any]) -> Run:
        return load(write(tmp_path / "a-run", *events))

    return built


@pytest.mark.parametrize(
    ("phases", "outcome"),
    [
        ([("setup", "passed"), ("call", "passed"), ("teardown", "passed")], "passed"),
        ([("setup", "passed"), ("call", "failed"), ("teardown", "passed")], "failed"),
        ([("setup", "failed"), ("teardown", "passed")], "error"),
        ([("setup", "passed"), ("call", "quarantined"), ("teardown", "passed")], "quarantined"),
        ([("setup", "quarantined"), ("teardown", "passed")], "quarantined"),
        ([("setup", "passed"), ("call", "passed"), ("teardown", "quarantined")], "quarantined"),
        ([("setup", "passed"), ("call", "quarantined"), ("teardown", "failed")], "error"),
        ([("setup", "passed"), ("call", "quarantined")], "no result"),
        ([("setup", "passed"), ("call", "passed"), ("teardown", "failed")], "error"),
        ([("setup", "passed"), ("call", "failed"), ("teardown", "failed")], "failed"),
        ([("setup", "skipped"), ("teardown", "passed")], "skipped"),
        ([("setup", "passed"), ("call", "skipped"), ("teardown", "passed")], "skipped"),
        ([], "no result"),
        ([("setup", "passed")], "no result"),
        ([("setup", "passed"), ("call", "passed")], "no result"),
        ([("setup", "passed"), ("call", "failed")], "failed"),
        # A subtest reports its own call before that of the whole test.
        (
            [("setup", "passed"), ("call", "failed"), ("call", "passed"), ("teardown", "passed")],
            "failed",
        ),
    ],
)
def test_outcome_follows_from_the_phases(
    run_of: Any, phases: list[tuple[str, str]], outcome: str
) -> None:
    run = run_of(
        START, collected(REDIS), *(phase(REDIS, when, result) for when, result in phases), END
    )

    assert [test.outcome for test in run.tests] == [outcome]


def test_expected_failure_is_neither_pass_nor_failure(run_of: Any) -> None:
    run = run_of(START, *finished(REDIS, "skipped", expected_failure=True), END)

    assert run.tests[0].outcome == "xfailed"
    assert run.verdict == "incomplete"


def test_crash_makes_its_test_an_error_and_names_the_worker(run_of: Any) -> None:
    crash = {"type": "crashed", "nodeid": REDIS, "worker": "gw1", "text": "worker 'gw1' crashed"}

    run = run_of(START, collected(REDIS), phase(REDIS, "setup"), crash, END)

    assert run.tests[0].outcome == "error"
    assert run.problems == (Problem("crashed", {"worker": "gw1", "test": REDIS}),)


def test_texts_of_several_phases_are_kept_and_the_first_is_the_message(run_of: Any) -> None:
    run = run_of(
        START,
        phase(REDIS, "setup"),
        phase(REDIS, "call", "failed", text="long\nfirst", message="first"),
        phase(REDIS, "teardown", "failed", text="long\nsecond"),
        END,
    )

    assert run.tests[0].message == "first"
    assert run.tests[0].text == "long\nfirst\n\nlong\nsecond"


def test_seconds_evidence_and_output_of_all_phases_add_up(run_of: Any) -> None:
    entry = {"asked": "PING", "source": "a", "target": "b", "answer": "PONG", "seconds": 0.1}
    run = run_of(
        START,
        phase(REDIS, "setup", evidence=[entry], sections=[["Captured stdout setup", "one"]]),
        phase(REDIS, "call", evidence=[entry], sections=[["Captured stdout call", "two"]]),
        phase(REDIS, "teardown"),
        END,
    )

    (test,) = run.tests
    assert test.seconds == 1.5
    assert test.evidence == [entry, entry]
    assert [text for _, text in test.sections] == ["one", "two"]


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([START, collected(REDIS), *finished(REDIS), END], "accepted"),
        ([START, collected(REDIS), *finished(REDIS, "failed"), END], "rejected"),
        ([START, collected(REDIS), *finished(REDIS)], "incomplete"),
        ([START, collected(REDIS, HEALTH), *finished(REDIS), END], "incomplete"),
        ([START, collected(REDIS, HEALTH), *finished(REDIS, "failed")], "rejected"),
        ([START, collected(REDIS), *finished(REDIS, "skipped"), END], "incomplete"),
        ([START, collected(), END], "incomplete"),
        ([START, END], "incomplete"),
        ([], "incomplete"),
        (
            [START, *finished(REDIS), {"type": "interrupted", "text": "Ctrl-C"}, END],
            "incomplete",
        ),
        ([START, *finished(REDIS), {"type": "internal-error", "text": "x"}, END], "incomplete"),
        (
            [START, *finished(REDIS), {"type": "collect-failed", "nodeid": "a.py", "text": "x"}],
            "rejected",
        ),
    ],
)
def test_verdict_accepts_only_what_was_shown_whole(
    run_of: Any, events: list[dict[str, Any]], verdict: str
) -> None:
    assert run_of(*events).verdict == verdict


def _row(component: str, wanted: int, ready: int, **more: Any) -> dict[str, Any]:
    return {
        "layer": "infrastructure",
        "component": component,
        "kind": "StatefulSet",
        "wanted": wanted,
        "ready": ready,
        **more,
    }


def test_component_is_judged_by_readiness_and_its_tests(run_of: Any) -> None:
    rows = [_row("redis", 1, 1), _row("etcd", 3, 3), _row("postgres", 3, 2), _row("dns", 1, 1)]
    described = {"nodeid": REDIS, "markers": ["infra", "redis"], "subjects": ["etcd"]}
    run = run_of(
        START,
        {"type": "collected", "tests": [described, {"nodeid": NAMES, "subjects": ["etcd"]}]},
        {"type": "snapshot", "rows": rows},
        *finished(REDIS),
        *finished(NAMES, "failed"),
        END,
    )

    infrastructure, networking = run.layers
    assert {each.name: str(each.verdict) for each in infrastructure.components} == {
        "redis": "accepted",
        "etcd": "rejected",
        "postgres": "rejected",
        "dns": "not verified",
    }
    assert infrastructure.verdict == "rejected"
    assert networking.verdict == "rejected"


def test_service_is_not_judged_by_tests_of_the_workload_that_has_its_name(run_of: Any) -> None:
    service = _row("redis", 1, 1, kind="Service", layer="networking")
    run = run_of(
        START,
        collected(REDIS, NAMES, subjects=["redis"]),
        {"type": "snapshot", "rows": [_row("redis", 1, 1), service]},
        *finished(REDIS, "failed"),
        *finished(NAMES),
        END,
    )

    infrastructure, networking = run.layers
    assert (infrastructure.verdict, networking.verdict) == ("rejected", "accepted")
    assert [part.outcomes.total() for layer in run.layers for part in layer.components] == [2, 1]


def test_layer_is_not_rejected_by_a_test_of_another(run_of: Any) -> None:
    described = [{"nodeid": REDIS}, {"nodeid": NAMES, "subjects": ["redis"]}]
    run = run_of(
        START,
        {"type": "collected", "tests": described},
        {"type": "snapshot", "rows": [_row("redis", 1, 1)]},
        *finished(REDIS),
        *finished(NAMES, "failed"),
        END,
    )

    infrastructure, networking = run.layers
    assert (infrastructure.verdict, networking.verdict) == ("accepted", "rejected")
    assert infrastructure.components[0].verdict == "rejected"
    assert run.verdict == "rejected"


def test_component_that_is_not_ready_rejects_a_run_whose_tests_pass(run_of: Any) -> None:
    run = run_of(START, {"type": "snapshot", "rows": [_row("etcd", 3, 2)]}, *finished(REDIS), END)

    assert run.verdict == "rejected"


def test_component_that_is_not_ready_rejects_no_run_in_which_that_is_known(run_of: Any) -> None:
    known = {"reason": "a reason", "owner": "an owner", "until": "2030-01-31"}
    diagnosis = {"cause": "IMAGE_PULL", "subject": "Pod a/b", "summary": "it is not there"}
    run = run_of(
        START,
        {"type": "snapshot", "rows": [_row("etcd", 3, 2)]},
        collected(REDIS, subjects=["etcd"]),
        *finished(REDIS, "quarantined", quarantined=known, diagnosis=diagnosis),
        *finished(HEALTH),
        END,
    )

    (test, _) = run.tests
    assert str(test.quarantine) == "2030-01-31: a reason (an owner)"
    assert run.verdict is Verdict.ACCEPTED
    assert [named.tests for named in run.causes] == [0]


def test_run_in_which_nothing_passes_is_not_accepted(run_of: Any) -> None:
    run = run_of(START, collected(REDIS), *finished(REDIS, "quarantined"), END)

    assert run.verdict is Verdict.INCOMPLETE


def test_last_snapshot_counts(run_of: Any) -> None:
    run = run_of(
        START,
        {"type": "snapshot", "rows": [_row("etcd", 3, 0)], "counts": {"pods": 1}},
        {"type": "snapshot", "rows": [_row("etcd", 3, 3)], "counts": {"pods": 12}},
        *finished(REDIS),
        END,
    )

    assert run.counts == {"pods": 12}
    assert run.verdict == "accepted"


def test_deployment_that_has_a_timeline_is_told_of_several(run_of: Any) -> None:
    run = run_of(
        START,
        {"type": "deployment", "overlay": "b", "timeline": []},
        {"type": "deployment", "overlay": "a", "timeline": [{"pod": "x/y"}]},
        {"type": "deployment", "overlay": "c", "timeline": []},
        END,
    )

    assert run.deployment["overlay"] == "a"


def test_deployment_by_which_pods_became_ready_is_told_of_several(run_of: Any) -> None:
    def deployment(overlay: str, *ready: float | None) -> dict[str, Any]:
        rows = [{"pod": f"x/{number}", "ready": each} for number, each in enumerate(ready)]
        return {"type": "deployment", "overlay": overlay, "timeline": rows}

    found = deployment("found", 0.0, 0.0, 0.0)
    run = run_of(START, found, deployment("made", 0.0, 2.5, None), found, END)

    assert run.deployment["overlay"] == "made"


def test_tests_that_were_left_out_are_counted_once_however_many_workers_tell_it(
    run_of: Any,
) -> None:
    told = [{"type": "collected", "deselected": number} for number in (0, 3, 5, 3, 5, 0)]

    assert run_of(START, *told, END).deselected == 5


def test_run_that_deploys_nothing_is_told_from_one_that_does(run_of: Any) -> None:
    assert run_of(START | {"options": {"no-deploy": True}}, END).is_as_found
    assert not run_of(START | {"options": {"teardown": True}}, END).is_as_found


def test_odd_events_do_not_keep_a_run_from_being_read(run_of: Any) -> None:
    run = run_of(
        {"type": "run-started", "schema": 1, "versions": None, "options": [], "time": "late"},
        {"type": "collected", "tests": "all", "deselected": "some"},
        {"type": "snapshot", "rows": [{"wanted": "three"}, 7], "counts": {"pods": None}},
        {"type": "phase", "seconds": None, "evidence": "x", "sections": [["only"]]},
        {"type": "something-new"},
        {"type": "crashed"},
    )

    assert run.verdict == "rejected"
    assert run.counts == {}


ROWS = [
    {"layer": "infrastructure", "component": "redis", "kind": "StatefulSet", "wanted": 1},
    {"layer": "services", "component": "user-service", "kind": "Deployment", "wanted": 1},
]


@pytest.mark.parametrize(
    ("cause", "subject", "affected"),
    [
        ("REPLICAS_WRONG", "Deployment nova-services/user-service", ["redis"]),
        ("URL_PASSWORD_WRONG", "Secret nova-services/user-service-secrets", ["redis"]),
        ("REDIS_LOADING", "Pod nova-redis/redis-0", ["user-service"]),
        ("NODE_NOT_READY", "Node nova-worker", ["redis", "user-service"]),
        ("UNKNOWN", "Deployment nova-services/user-service", []),
    ],
)
def test_component_whose_failures_are_of_another_is_affected(
    tmp_path: Path, cause: str, subject: str, affected: list[str]
) -> None:
    nodeid = "tests/networking/test_reachability.py::test_service_reaches"
    found = {"cause": cause, "subject": subject}
    run = load(
        write(
            tmp_path,
            START,
            collected(nodeid, subjects=["redis", "user-service"]),
            {"type": "snapshot", "rows": [{**row, "ready": 1} for row in ROWS]},
            *finished(nodeid, "failed", diagnosis=found),
            END,
        )
    )

    components = [each for layer in run.layers for each in layer.components]
    assert [each.name for each in components if each.is_affected] == affected
    assert {each.verdict for each in components} == {Verdict.REJECTED}


def test_component_that_is_not_ready_is_not_merely_affected(tmp_path: Path) -> None:
    found = {"cause": "NODE_NOT_READY", "subject": "Node a"}
    rows = {"type": "snapshot", "rows": [{**ROWS[0], "ready": 0}]}
    told = collected(REDIS, subjects=["redis"])
    run = load(write(tmp_path, START, told, rows, *finished(REDIS, "failed", diagnosis=found)))

    (component,) = run.layers[0].components
    assert not component.is_affected


def test_run_that_found_no_cluster_says_nothing_of_the_system(tmp_path: Path) -> None:
    told = {"type": "no-cluster", "text": "there is no context nope"}
    error = phase(REDIS, "setup", "failed", text="there is no context nope")
    events = [collected(REDIS), told, told, error, phase(REDIS, "teardown")]
    run = load(write(tmp_path, START, *events, END))

    assert run.verdict is Verdict.NOT_VERIFIED
    assert run.problems == (Problem("no-cluster", {"text": "there is no context nope"}),)


@pytest.mark.parametrize(("deselected", "is_partial"), [(0, False), (2, True)])
def test_run_that_left_tests_out_is_of_a_part(
    tmp_path: Path, deselected: int, is_partial: bool
) -> None:
    told = collected(REDIS) | {"deselected": deselected}

    assert load(write(tmp_path, START, told, *finished(REDIS), END)).is_partial is is_partial


def test_run_that_wanted_nothing_of_a_layer_is_of_a_part(tmp_path: Path) -> None:
    one = collected(REDIS) | {"uncollected": ["networking", "services", "of a later version"]}
    other = collected(REDIS) | {"uncollected": "all"}

    run = load(write(tmp_path, START, one, other, *finished(REDIS), END))

    assert run.uncollected == ("services", "networking")
    assert run.is_partial


def test_run_without_a_test_of_a_layer_is_of_a_part(tmp_path: Path) -> None:
    rows = {"type": "snapshot", "rows": [{**row, "ready": 1} for row in ROWS]}

    assert load(write(tmp_path, START, collected(REDIS), rows, *finished(REDIS), END)).is_partial
