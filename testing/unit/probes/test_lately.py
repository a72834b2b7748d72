"""An answer serves for a moment, with what was asked for it; later it is asked for anew."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.lately import Lately
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.probes.clock import Clock
from testing.unit.waiting import SOON


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


def heard(transcript: Transcript, ask: Callable[[], object]) -> list[str]:
    """Return what the evidence of a test says that asks."""
    found: list[Evidence] = []
    with transcript.listening(found.append):
        ask()
    return [each.asked for each in found]


def test_answer_serves_for_a_moment_and_shows_each_reader_what_was_asked(
    clock: Clock, transcript: Transcript
) -> None:
    asked: list[str] = []

    def ask() -> int:
        asked.append(f"question {len(asked)}")
        transcript.add(Evidence(asked[-1], "runner", "member", "answer", 0.0))
        return len(asked)

    lately = Lately(transcript, ask, serves=1.0, clock=clock.monotonic)

    assert heard(transcript, lately.told) == ["question 0"]
    clock.sleep(0.9)
    assert heard(transcript, lately.told) == ["question 0"]
    clock.sleep(0.1)
    assert heard(transcript, lately.told) == ["question 1"]
    assert lately.told() == 2


def test_failure_serves_as_well_and_no_longer(clock: Clock, transcript: Transcript) -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise LookupError

    lately = Lately(transcript, ask, serves=1.0, clock=clock.monotonic)
    for later, count in ((0.0, 1), (0.5, 1), (1.0, 2)):
        clock.now = later
        with pytest.raises(LookupError):
            lately.told()
        assert len(asked) == count


def test_who_asks_meanwhile_waits_for_the_same_answer(transcript: Transcript) -> None:
    asking, answer = threading.Event(), threading.Event()
    asked: list[int] = []
    told: list[int] = []

    def ask() -> int:
        asked.append(1)
        asking.set()
        answer.wait(SOON)
        return 7

    lately = Lately(transcript, ask, serves=SOON)
    readers = [threading.Thread(target=lambda: told.append(lately.told())) for _ in range(3)]
    readers[0].start()
    assert asking.wait(SOON)
    for each in readers[1:]:
        each.start()
    answer.set()
    for each in readers:
        each.join(SOON)

    assert told == [7, 7, 7]
    assert asked == [1]
