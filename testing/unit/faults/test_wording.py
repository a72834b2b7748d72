from __future__ import annotations

from typing import Any

from testing.faults.fault import Expectation, Fault, Pods, Step, Value
from testing.faults.verdict import Failure, Named, Seen, judge
from testing.faults.wording import (
    left_open,
    left_open_by,
    told_at_the_end,
    told_in_record,
    told_in_summary,
)

FAULT = Fault(
    name="one",
    family="configuration",
    title="x",
    breaks=(
        Step(value=Value(namespace="here", name="front-secrets", key="BROKERS", written="TODO")),
    ),
    expect=Expectation(cause="VALUE_IS_PLACEHOLDER", tests=("tests/a.py::*",)),
)
NORMAL = Fault(
    name="two",
    family="normal",
    title="x",
    breaks=(Step(restart=Pods(namespace="here", workload="front")),),
    normal=True,
)
SEEN = Seen(
    1,
    passed=5,
    failures=(Failure("tests/a.py::one", "VALUE_IS_PLACEHOLDER", "Secret here/front-secrets"),),
    named=(Named("VALUE_IS_PLACEHOLDER", "Secret here/front-secrets", 1.0),),
)


def told(*sentences: str) -> Seen:
    return Seen(SEEN.exit_status, SEEN.passed, SEEN.failures, SEEN.named, told=sentences)


def test_sentence_that_leaves_something_open_is_a_problem() -> None:
    cure = "REVOKE … FROM PUBLIC"

    assert judge(FAULT, told("write the value into its Secret")).is_right
    assert judge(FAULT, told(cure)).problems == (f"a sentence says '…': {cure}",)
    assert not judge(FAULT, told("a claim does not hold: assert 1 == 2")).is_right


def test_sentence_about_a_normal_thing_is_looked_at_as_well() -> None:
    assert judge(NORMAL, Seen(0, passed=5, told=("all is well",))).is_right
    assert not judge(NORMAL, Seen(0, passed=5, told=("see <the report>",))).is_right


def test_what_the_fault_itself_writes_may_be_quoted() -> None:
    assert judge(FAULT, told("BROKERS of Secret here/front-secrets is TODO")).is_right
    assert left_open_by(["TODO", "NAME"], [FAULT]) == [("NAME", "NAME")]
    assert left_open_by(["TODO"], [NORMAL]) == [("TODO", "TODO")]


def test_sentences_of_a_record_are_the_summary_and_the_cure_of_each_cause() -> None:
    events: list[dict[str, Any]] = [
        {"type": "diagnosis", "cause": "A", "summary": "it is so", "cure": "mend it"},
        {"type": "phase", "diagnosis": {"summary": "it is otherwise", "cure": ""}},
        {"type": "phase", "diagnosis": None, "text": "assert 1"},
        {"type": "note", "text": "a note"},
    ]

    assert list(told_in_record(events)) == ["it is so", "mend it", "it is otherwise"]


def test_end_of_the_output_is_what_follows_the_suites_own_heading() -> None:
    output = (
        "E   assert 1 found\n"
        "=== Nova acceptance ===\n"
        "verdict: REJECTED  1 passed\n\n"
        "=== short test summary info ===\n"
        "ERROR tests/a.py::one - ST...\n"
        "FAILED tests/a.py::two - assert 1 == 2\n"
    )

    lines = told_at_the_end(output)

    assert lines[0] == "verdict: REJECTED  1 passed"
    assert "ERROR tests/a.py::one - ST" in lines  # it is pytest that cuts this line
    assert [found for line in lines for found in left_open(line)] == ["assert "]
    assert told_at_the_end("nothing of ours\nassert 1\n") == []


def test_names_of_causes_in_a_summary_are_no_placeholders() -> None:
    markdown = "- **NODE\\_SELECTOR\\_UNMATCHED** at `Pod here/a`: x\n\n- ask \\<somebody\\>\n"

    assert [left_open(line) for line in told_in_summary(markdown)] == [[], ["<somebody>"]]
