"""A survey asks once, and every answer that is read is evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import ExecResult, PodRef
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.vantage.survey import Answers, Failures, Survey
from nova_acceptance.vantage.transcript import ANSWER_LENGTH, Transcript
from testing.unit.probes.places import OwnContainers

FIRST, SECOND = PodRef("here", "pod-0"), PodRef("here", "pod-1")
OPEN, OTHER = Dial("a", 1), Dial("b", 2)


class Counting:
    """A stand-in for the API that answers every dial with `open`."""

    def __init__(self) -> None:
        self.asked: list[tuple[PodRef, int]] = []

    def exec(
        self, pod: PodRef, _argv: Sequence[str], *, stdin: str = "", **_: object
    ) -> ExecResult:
        questions = json.loads(stdin)
        self.asked.append((pod, len(questions)))
        answers = [{"state": "open", "seconds": 0.01} for _ in questions]
        return ExecResult(json.dumps(answers), "", 0, 0.01)


@pytest.fixture
def kube() -> Any:
    return Counting()


def test_survey_asks_nothing_before_it_is_read(kube: Any) -> None:
    Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN]})

    assert kube.asked == []


def test_survey_asks_each_pod_once(kube: Any) -> None:
    survey = Survey(
        OwnContainers(kube), Transcript(), {FIRST: [OPEN, OTHER], SECOND: [OPEN, OTHER]}
    )

    for pod in (FIRST, SECOND, FIRST):
        for question in (OPEN, OTHER):
            assert survey.answer(pod, question).state == "open"

    assert sorted(kube.asked) == [(FIRST, 2), (SECOND, 2)]


def test_unforeseen_question_is_asked_by_itself(kube: Any) -> None:
    survey = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN]})

    survey.answer(FIRST, OPEN)
    survey.answer(SECOND, OTHER)
    survey.answer(SECOND, OTHER)

    assert kube.asked == [(FIRST, 1), (SECOND, 1)]


def test_each_reader_gets_the_evidence(kube: Any) -> None:
    transcript = Transcript()
    survey = Survey(OwnContainers(kube), transcript, {FIRST: [OPEN, OTHER]})
    first: list[Evidence] = []
    second: list[Evidence] = []

    with transcript.listening(first.append):
        survey.answer(FIRST, OPEN)
    survey.answer(FIRST, OTHER)
    with transcript.listening(second.append):
        survey.answer(FIRST, OPEN)

    assert [item.target for item in first] == ["a:1"]
    assert first == second


def test_question_that_fails_is_evidence_too() -> None:
    transcript = Transcript()
    kept: list[Evidence] = []

    def fail() -> None:
        with transcript.asking("SELECT 1", source="runner", target="db"):
            raise RuntimeError("no route\nand more")

    with transcript.listening(kept.append), pytest.raises(RuntimeError):
        fail()

    assert [item.answer for item in kept] == ["RuntimeError: no route"]


def test_long_answers_are_shortened() -> None:
    transcript = Transcript()
    kept: list[Evidence] = []

    with (
        transcript.listening(kept.append),
        transcript.asking("GET", source="runner", target="x") as asking,
    ):
        asking.answered("x" * 10_000)

    assert len(kept[0].answer) == ANSWER_LENGTH + 1


def test_pod_that_cannot_be_asked_is_asked_once_and_spoils_no_other() -> None:
    asked = []

    class Partly(Counting):
        def exec(self, pod: PodRef, _argv: Sequence[str], **more: Any) -> ExecResult:
            asked.append(pod)
            if pod == SECOND:
                raise ProbeError("no container runs")
            return super().exec(pod, _argv, **more)

    partly: Any = Partly()
    survey = Survey(OwnContainers(partly), Transcript(), {FIRST: [OPEN], SECOND: [OPEN]})

    for _ in range(2):
        assert survey.answer(FIRST, OPEN).state == "open"
        with pytest.raises(ProbeError, match="no container runs"):
            survey.answer(SECOND, OPEN)
    assert list(survey.all_to(OPEN)) == [FIRST]
    assert sorted(asked) == [FIRST, SECOND]


def test_survey_tells_all_that_it_found_as_soon_as_it_has_asked() -> None:
    class Partly(Counting):
        def exec(self, pod: PodRef, _argv: Sequence[str], **more: Any) -> ExecResult:
            if pod == SECOND:
                raise ProbeError("no container runs")
            return super().exec(pod, _argv, **more)

    partly: Any = Partly()
    told: list[tuple[dict[Any, str], dict[PodRef, str]]] = []

    def tell(answers: Answers, failures: Failures) -> None:
        states = {key: answer.state for key, answer in answers.items()}
        told.append((states, {pod: error.message for pod, error in failures.items()}))

    survey = Survey(
        OwnContainers(partly), Transcript(), {FIRST: [OPEN, OTHER], SECOND: [OPEN]}, tell
    )
    assert told == []

    for _ in range(2):
        survey.answer(FIRST, OPEN)
    assert told == [
        ({(FIRST, OPEN): "open", (FIRST, OTHER): "open"}, {SECOND: "no container runs"})
    ]
