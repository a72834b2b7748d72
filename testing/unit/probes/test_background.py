"""Questions that are asked in the background, side by side, and read one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

import pytest

from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.background import Answers, Background, answering
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.waiting import SOON, wait_until


@pytest.fixture
def background() -> Iterator[Background]:
    with Background(3) as opened:
        yield opened


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


def read(answers: Answers[str, str], transcript: Transcript, question: str) -> list[str]:
    """Return what the evidence of a test says that reads an answer."""
    heard: list[Evidence] = []
    with transcript.listening(heard.append):
        answers.told(question)
    return [each.asked for each in heard]


class Slow:
    """Answers a question no sooner than it is let go."""

    def __init__(self) -> None:
        self._asking, self._end = threading.Event(), threading.Event()

    def __call__(self, question: str) -> str:
        self._asking.set()
        self._end.wait(SOON)
        return question

    @contextmanager
    def closing(self, background: Background) -> Iterator[None]:
        """Close the background while the first question is under way, and let it go at the end."""
        assert self._asking.wait(SOON)
        closing = threading.Thread(target=background.close)
        closing.start()
        wait_until(lambda: background.is_closed)
        yield
        self._end.set()
        closing.join(SOON)


def test_rounds_go_on_side_by_side(background: Background, transcript: Transcript) -> None:
    together = threading.Barrier(3)

    def ask(question: str) -> str:
        together.wait(SOON)
        return question.upper()

    answers = Answers(transcript, answering(ask))
    for each in "abc":
        answers.foresee(background, [each])

    assert [answers.told(each) for each in "abc"] == ["A", "B", "C"]


def test_no_more_go_on_than_there_is_room_for(transcript: Transcript) -> None:
    lock, going, most = threading.Lock(), [0], [0]
    full = threading.Barrier(2)

    def ask(question: str) -> str:
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        full.wait(SOON)  # an even number of questions: they go on in pairs
        with lock:
            going[0] -= 1
        return question

    answers = Answers(transcript, answering(ask))
    with Background(2) as background:
        for each in "abcdefgh":
            answers.foresee(background, [each])
        background.settle()

    assert most == [2]


def test_questions_of_a_round_come_in_their_order(
    background: Background, transcript: Transcript
) -> None:
    asked: list[str] = []
    answers = Answers[str, None](transcript, answering(asked.append))

    answers.foresee(background, ["b", "a", "c"])
    background.settle()

    assert asked == ["b", "a", "c"]


def test_evidence_goes_to_who_reads_and_not_to_the_test_that_is_running(
    background: Background, transcript: Transcript
) -> None:
    def ask(question: str) -> str:
        with transcript.asking(f"ask {question}", source="runner", target="x") as asking:
            asking.answered("yes")
        return "yes"

    answers = Answers(transcript, answering(ask))
    another: list[Evidence] = []
    with transcript.listening(another.append):
        answers.foresee(background, ["a", "b"])
        background.run(lambda: ask("for nobody"))
        background.settle()

    assert another == []
    assert read(answers, transcript, "b") == ["ask b"]
    assert read(answers, transcript, "a") == ["ask a"]


def test_failure_belongs_to_who_reads_it_and_the_next_is_asked(
    background: Background, transcript: Transcript
) -> None:
    def ask(question: str) -> str:
        with transcript.asking(question, source="runner", target="x"):
            if question == "bad":
                raise ValueError("no such thing")
            return question

    answers = Answers(transcript, answering(ask))
    answers.foresee(background, ["bad", "good"])
    heard: list[Evidence] = []

    with transcript.listening(heard.append), pytest.raises(ValueError, match="no such thing"):
        answers.told("bad")

    assert [each.answer for each in heard] == ["ValueError: no such thing"]
    assert answers.told("good") == "good"


def test_question_is_asked_once_whoever_comes_first(
    background: Background, transcript: Transcript
) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return question

    answers = Answers(transcript, answering(ask))

    assert answers.told("unforeseen") == "unforeseen"
    answers.foresee(background, ["unforeseen", "foreseen"])
    answers.foresee(background, ["foreseen"])
    assert answers.told("foreseen") == "foreseen"
    assert asked == ["unforeseen", "foreseen"]


def test_nobody_waits_for_a_round_that_has_broken(
    background: Background, transcript: Transcript
) -> None:
    def ask(_question: str) -> str:
        raise SystemExit("broken")

    answers = Answers(transcript, answering(ask))
    answers.foresee(background, ["a", "b"])

    for each in "ab":
        with pytest.raises(SystemExit):
            answers.told(each)


def test_nobody_waits_for_what_is_not_going_to_be_asked(transcript: Transcript) -> None:
    slow, opened = Slow(), Background(1)
    answers = Answers(transcript, answering(slow))
    answers.foresee(opened, ["first"])
    answers.foresee(opened, ["second"])
    with slow.closing(opened), pytest.raises(CancelledError):
        answers.told("second")

    assert answers.told("first") == "first"


def test_nothing_more_is_asked_once_it_is_closed(transcript: Transcript) -> None:
    asked: list[str] = []
    answers = Answers[str, None](transcript, answering(asked.append))
    background = Background()
    background.close()

    answers.foresee(background, ["a", "b"])

    assert background.run(lambda: asked.append("a round")).cancelled()
    for each in "ab":
        with pytest.raises(CancelledError):
            answers.told(each)
    assert asked == []


def test_round_under_way_ends_with_its_question(transcript: Transcript) -> None:
    slow, opened = Slow(), Background(1)
    answers = Answers(transcript, answering(slow))
    answers.foresee(opened, ["first", "second"])
    with slow.closing(opened):
        pass

    assert answers.told("first") == "first"
    with pytest.raises(CancelledError):
        answers.told("second")


def test_way_to_an_error_grows_with_nobody_who_reads_it(transcript: Transcript) -> None:
    def ask(question: str) -> str:
        raise LookupError(question)

    answers = Answers(transcript, answering(ask))
    lengths = set()
    for _ in range(3):
        with pytest.raises(LookupError) as caught:
            answers.told("a")
        lengths.add(len(caught.traceback))

    assert len(lengths) == 1


def test_what_looks_into_a_server_does_not_queue_behind_what_does_not() -> None:
    is_over = threading.Event()
    with Background(1) as background:
        from_a_pod = background.run(lambda: is_over.wait(SOON), feels=False)
        background.run(lambda: None).result(SOON)
        assert not from_a_pod.done()

        background.settle(only_felt=True)  # which does not wait for it
        assert not from_a_pod.done()

        is_over.set()
        background.settle()
        assert from_a_pod.done()
