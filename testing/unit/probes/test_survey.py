"""A survey asks once, and every answer that is read is evidence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import ExecResult, PodRef
from nova_acceptance.vantage import survey
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.vantage.survey import Answers, Asked, Failures, Survey
from nova_acceptance.vantage.transcript import ANSWER_LENGTH, Transcript
from testing.unit.probes.places import OwnContainers
from testing.unit.waiting import SOON

FIRST, SECOND = PodRef("here", "pod-0"), PodRef("here", "pod-1")
OPEN, OTHER = Dial("a", 1), Dial("b", 2)


def lines(answers: Sequence[object]) -> str:
    """Return answers as the agent writes them."""
    return "".join(f"{json.dumps(each)}\n" for each in enumerate(answers))


class Counting:
    """A stand-in for the API that answers every dial with `open`."""

    def __init__(self) -> None:
        self.asked: list[tuple[PodRef, int]] = []

    def exec(
        self, pod: PodRef, _argv: Sequence[str], *, stdin: str = "", **_: object
    ) -> ExecResult:
        questions = json.loads(stdin.splitlines()[-1])
        self.asked.append((pod, len(questions)))
        answers = [{"state": "open", "seconds": 0.01} for _ in questions]
        return ExecResult(lines(answers), "", 0, 0.01)


@pytest.fixture
def kube() -> Any:
    return Counting()


def test_survey_asks_nothing_before_it_is_read(kube: Any) -> None:
    Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN]})

    assert kube.asked == []


def test_survey_asks_each_pod_once(kube: Any) -> None:
    found = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN, OTHER], SECOND: [OPEN, OTHER]})

    for pod in (FIRST, SECOND, FIRST):
        for question in (OPEN, OTHER):
            assert found.answer(pod, question).state == "open"

    assert sorted(kube.asked) == [(FIRST, 2), (SECOND, 2)]


def test_one_pod_or_two_are_asked_without_the_others(kube: Any) -> None:
    pods = [PodRef("here", f"pod-{number}") for number in range(4)]
    found = Survey(OwnContainers(kube), Transcript(), {pod: [OPEN, OTHER] for pod in pods})

    for pod in (pods[2], pods[1], pods[2]):
        found.answer(pod, OTHER)
    assert kube.asked == [(pods[2], 2), (pods[1], 2)]

    found.answer(pods[0], OPEN)
    assert sorted(kube.asked) == [(pod, 2) for pod in pods]


def test_refusal_of_one_pod_is_not_sure_before_all_are_asked() -> None:
    class Refusing(Counting):
        def exec(self, pod: PodRef, _argv: Sequence[str], **_: Any) -> ExecResult:
            self.asked.append((pod, 1))
            state = "refused" if pod == FIRST else "open"
            return ExecResult(lines([{"state": state, "seconds": 0.01}]), "", 0, 0.01)

    refusing: Any = Refusing()
    found = Survey(OwnContainers(refusing), Transcript(), {FIRST: [OPEN], SECOND: [OPEN]})

    assert found.answer(FIRST, OPEN).state == "refused"
    assert sorted(refusing.asked) == [(FIRST, 1), (SECOND, 1)]


def test_unforeseen_question_is_asked_by_itself(kube: Any) -> None:
    found = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN]})

    found.answer(FIRST, OPEN)
    found.answer(SECOND, OTHER)
    found.answer(SECOND, OTHER)

    assert kube.asked == [(FIRST, 1), (SECOND, 1)]


def test_each_reader_gets_the_evidence(kube: Any) -> None:
    transcript = Transcript()
    found = Survey(OwnContainers(kube), transcript, {FIRST: [OPEN, OTHER]})
    first: list[Evidence] = []
    second: list[Evidence] = []

    with transcript.listening(first.append):
        found.answer(FIRST, OPEN)
    found.answer(FIRST, OTHER)
    with transcript.listening(second.append):
        found.answer(FIRST, OPEN)

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
    found = Survey(OwnContainers(partly), Transcript(), {FIRST: [OPEN], SECOND: [OPEN]})

    for _ in range(2):
        assert found.answer(FIRST, OPEN).state == "open"
        with pytest.raises(ProbeError, match="no container runs"):
            found.answer(SECOND, OPEN)
    assert list(found.all_to(OPEN)) == [FIRST]
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

    found = Survey(
        OwnContainers(partly), Transcript(), {FIRST: [OPEN, OTHER], SECOND: [OPEN]}, tell
    )
    assert told == []

    for _ in range(2):
        found.all_to(OPEN)
    assert told == [
        ({(FIRST, OPEN): "open", (FIRST, OTHER): "open"}, {SECOND: "no container runs"})
    ]


class Settling(Counting):
    """A stand-in for the API that answers every dial with `refused` at first."""

    def exec(self, pod: PodRef, _argv: Sequence[str], **more: Any) -> ExecResult:
        found = super().exec(pod, _argv, **more)
        is_early = len(self.asked) < 3
        return replace(found, stdout=found.stdout.replace("open", "refused")) if is_early else found


def _refused(answers: Answers) -> list[Asked]:
    return [asked for asked, answer in answers.items() if answer.state == "refused"]


def test_what_is_not_settled_is_asked_again_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_PAUSE", 0.01)
    kube: Any = Settling()
    told: list[list[str]] = []
    found = Survey(
        OwnContainers(kube),
        Transcript(),
        {FIRST: [OPEN, OTHER]},
        lambda answers, _failures: told.append([each.state for each in answers.values()]),
        _refused,
    )

    assert found.answer(FIRST, OPEN).state == "open"
    assert kube.asked == [(FIRST, 2)] * 3
    assert told == [["open", "open"]]


def test_what_does_not_settle_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "SERVICE_SETTLES", 0.0)
    kube: Any = Settling()
    found = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN]}, unsettled=_refused)

    assert found.answer(FIRST, OPEN).state == "refused"
    assert kube.asked == [(FIRST, 1)]


def test_second_attempt_that_fails_leaves_the_answer_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "SERVICE_SETTLES", 0.03)
    monkeypatch.setattr(survey, "_PAUSE", 0.01)

    class Lost(Settling):
        def exec(self, pod: PodRef, _argv: Sequence[str], **more: Any) -> ExecResult:
            if self.asked:
                raise ProbeError("no container runs")
            return super().exec(pod, _argv, **more)

    kube: Any = Lost()
    found = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN]}, unsettled=_refused)

    assert found.answer(FIRST, OPEN).state == "refused"


class Streaming:
    """A stand-in for the API that tells the first answer, and the others when it is let go on."""

    def __init__(self, first: str) -> None:
        self.asked: list[tuple[PodRef, int]] = []
        self.first = first
        self.is_told = threading.Event()
        self.goes_on = threading.Event()

    def exec(
        self,
        pod: PodRef,
        argv: Sequence[str],
        *,
        stdin: str,
        heard: Callable[[str], object],
        **_: object,
    ) -> ExecResult:
        whole = Counting()
        found = whole.exec(pod, argv, stdin=stdin)
        self.asked += whole.asked
        first, rest = found.stdout.split("\n", 1)
        heard(first.replace("open", self.first))
        self.is_told.set()
        assert self.goes_on.wait(SOON)
        return replace(found, stdout=f"{first}\n{rest}")


def test_answer_that_is_sure_is_read_before_the_others_are_there() -> None:
    kube: Any = Streaming("open")
    found = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN, OTHER]})

    with Background() as background:
        found.begin(background)
        assert kube.is_told.wait(SOON)
        assert found.answer(FIRST, OPEN).state == "open"
        kube.goes_on.set()

    assert found.answer(FIRST, OTHER).state == "open"
    assert kube.asked == [(FIRST, 2)]


def test_answer_that_may_be_another_later_is_waited_for() -> None:
    kube: Any = Streaming("refused")
    found = Survey(OwnContainers(kube), Transcript(), {FIRST: [OPEN, OTHER]})
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(found.answer(FIRST, OPEN).state))

    with Background() as background:
        found.begin(background)
        assert kube.is_told.wait(SOON)
        reader.start()
        reader.join(0.2)
        assert read == []
        kube.goes_on.set()
        reader.join(SOON)

    assert len(read) == 1
