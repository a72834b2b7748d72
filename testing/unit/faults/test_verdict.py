from __future__ import annotations

from typing import Any

from testing.faults.fault import Expectation, Fault, Pods, Step
from testing.faults.verdict import Failure, Named, Seen, fits, judge, seen_in

FAULT = Fault(
    name="one",
    family="services",
    title="x",
    breaks=(Step(restart=Pods(namespace="here", workload="front")),),
    expect=Expectation(
        cause="SELECTOR_WRONG",
        subject="Service here/front",
        also=("PORT_CLOSED",),
        tests=("tests/a.py::*[front]",),
        seconds=10,
    ),
)
SURVIVED = FAULT.model_copy(update={"expect": None, "survives": True})
NORMAL = FAULT.model_copy(update={"expect": None, "normal": True})
RIGHT = Failure("tests/a.py::test_one[front]", "SELECTOR_WRONG", "Service here/front")
IN_TIME = Named("SELECTOR_WRONG", "Service here/front", 3.0)


def seen(*failures: Failure, named: tuple[Named, ...] = (IN_TIME,)) -> Seen:
    return Seen(1, passed=5, failures=failures, named=named)


def test_fault_is_right_when_caught_and_named() -> None:
    verdict = judge(FAULT, seen(RIGHT))

    assert verdict.is_right
    assert verdict.caught
    assert (verdict.named, verdict.seconds, verdict.by) == ("SELECTOR_WRONG", 3.0, 1)


def test_fault_that_no_test_notices_is_not_caught() -> None:
    verdict = judge(FAULT, Seen(0, passed=9))

    assert not verdict.caught
    assert "no test like tests/a.py::*[front] failed" in verdict.problems


def test_cause_at_another_object_is_not_the_right_one() -> None:
    verdict = judge(FAULT, seen(RIGHT, named=(Named("SELECTOR_WRONG", "Service here/back", 1),)))

    assert verdict.caught
    assert verdict.named == ""
    assert not verdict.is_right


def test_other_cause_that_is_named_as_well_is_a_problem() -> None:
    other = Failure("tests/a.py::test_two[front]", "IMAGE_PULL", "Pod here/front-1")
    verdict = judge(FAULT, seen(RIGHT, other))

    assert verdict.others == ("IMAGE_PULL",)
    assert not verdict.is_right


def test_cause_that_is_true_as_well_is_no_problem() -> None:
    also = Failure("tests/a.py::test_two[front]", "PORT_CLOSED", "Service here/front")

    assert judge(FAULT, seen(RIGHT, also)).is_right


def test_what_the_run_says_only_follows_from_the_cause_is_no_problem() -> None:
    said: dict[str, Any] = {"type": "diagnosis", "time": "2026-01-02T03:04:05Z"}
    lost = {"cause": "ETCD_MEMBER_LOST", "subject": "StatefulSet here/etcd"}
    wrong = {"cause": "SELECTOR_WRONG", "subject": "Service here/front"}
    between = {"cause": "WORKLOAD_NOT_READY", "subject": "StatefulSet here/back"}
    test: dict[str, Any] = {
        "type": "phase",
        "time": said["time"],
        "when": "call",
        "outcome": "failed",
    }
    events: list[dict[str, Any]] = [
        {**said, **wrong},
        {**said, **lost, "follows": between},
        {**said, **between, "follows": wrong},
        {**test, "nodeid": "tests/a.py::test_one[front]", "diagnosis": wrong},
        {**test, "nodeid": "tests/etcd.py::test_members", "diagnosis": lost},
    ]

    assert judge(FAULT, seen_in(events)).is_right
    del events[2]["follows"]
    assert judge(FAULT, seen_in(events)).others == ("ETCD_MEMBER_LOST",)


def test_test_of_something_else_is_a_false_alarm() -> None:
    other = Failure("tests/b.py::test_dns", "DNS_DOWN", "Service kube-system/kube-dns")
    verdict = judge(FAULT, seen(RIGHT, other))

    assert verdict.false_alarms == ("tests/b.py::test_dns",)
    assert not verdict.is_right


def test_test_of_something_else_that_names_the_cause_is_none() -> None:
    other = Failure("tests/b.py::test_health", "SELECTOR_WRONG", "Service here/front")

    assert judge(FAULT, seen(RIGHT, other)).false_alarms == ()


def test_failure_without_a_cause_is_a_problem() -> None:
    verdict = judge(FAULT, seen(RIGHT, Failure("tests/a.py::test_two[front]")))

    assert "1 failed without a cause: tests/a.py::test_two[front]" in verdict.problems


def test_cause_that_is_named_late_is_told_and_is_right_all_the_same() -> None:
    verdict = judge(
        FAULT, seen(RIGHT, named=(Named("SELECTOR_WRONG", "Service here/front", 10.1),))
    )

    assert verdict.named
    assert verdict.late == "named after 10.1 s, later than 10 s"
    assert verdict.is_right


def test_what_has_to_be_survived_fails_nothing() -> None:
    assert judge(SURVIVED, Seen(0, passed=9)).is_right
    assert not judge(SURVIVED, Seen(0, passed=0)).is_right
    assert not judge(SURVIVED, Seen(1, passed=9)).is_right
    assert judge(SURVIVED, seen(RIGHT)).false_alarms == (RIGHT.nodeid,)


def test_brackets_of_a_pattern_stand_for_themselves() -> None:
    assert fits("tests/a.py::test_one[front]", "tests/*[front]")
    assert not fits("tests/a.py::test_onef", "tests/*[front]")
    assert not fits("tests/a.py::test_one[front]", "tests/a.py")


def test_pattern_without_brackets_means_a_test_whatever_it_runs_over() -> None:
    assert fits("tests/a.py::test_one[front]", "tests/a.py::test_one")
    assert fits("tests/a.py::test_one", "tests/a.py::test_one")
    assert not fits("tests/a.py::test_one_more", "tests/a.py::test_one")
    assert not fits("tests/a.py::test_one[front]", "tests/a.py::test_one[back]")


def test_record_is_read_from_its_events() -> None:
    diagnosis = {"cause": "IMAGE_PULL", "subject": "Pod here/front-1"}
    phase: dict[str, Any] = {"type": "phase", "when": "call", "outcome": "passed"}
    events: list[dict[str, Any]] = [
        {"type": "run-started", "time": "2026-01-02T03:04:05.000Z"},
        {"type": "diagnosis", "time": "2026-01-02T03:04:07.500Z", **diagnosis},
        {**phase, "nodeid": "t::one", "time": "2026-01-02T03:04:08.000Z"},
        {
            **phase,
            "nodeid": "t::two",
            "outcome": "failed",
            "message": "IMAGE_PULL: …",
            "time": "2026-01-02T03:04:09.000Z",
            "diagnosis": diagnosis,
        },
        {
            **phase,
            "nodeid": "t::two",
            "when": "teardown",
            "outcome": "failed",
            "time": "2026-01-02T03:04:10.000Z",
        },
        {
            "type": "run-finished",
            "time": "2026-01-02T03:04:11.000Z",
            "exit_status": 1,
            "seconds": 6,
        },
    ]

    found = seen_in(events)

    assert (found.exit_status, found.passed, found.seconds) == (1, 1, 6.0)
    assert found.failures == (Failure("t::two", "IMAGE_PULL", "Pod here/front-1", "IMAGE_PULL: …"),)
    assert found.named == (Named("IMAGE_PULL", "Pod here/front-1", 2.5),)


def test_end_of_the_machinery_is_a_failure() -> None:
    started = {"type": "run-started", "time": "2026-01-02T03:04:05.000Z"}
    crash = {"type": "internal-error", "time": "2026-01-02T03:04:06.000Z", "message": "boom\nat"}

    assert seen_in([started, crash]).failures == (Failure("internal-error", message="boom"),)


def test_normal_thing_at_which_nothing_fails_and_nothing_is_named_is_right() -> None:
    verdict = judge(NORMAL, Seen(0, passed=9))

    assert verdict.is_right
    assert verdict.caught


def test_cause_that_is_named_of_a_normal_thing_is_a_problem_without_a_failure() -> None:
    verdict = judge(NORMAL, Seen(0, passed=9, named=(IN_TIME,)))

    assert verdict.problems == ("SELECTOR_WRONG was named, and nothing is wrong",)
    assert verdict.others == ("SELECTOR_WRONG",)
    assert judge(SURVIVED, Seen(0, passed=9, named=(IN_TIME,))).is_right


def test_test_that_fails_at_a_normal_thing_is_a_false_alarm() -> None:
    verdict = judge(NORMAL, seen(RIGHT))

    assert verdict.false_alarms == (RIGHT.nodeid,)
    assert not verdict.is_right
