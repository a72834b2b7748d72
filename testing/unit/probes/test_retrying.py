"""Questions whose answer was lost: on the way, or at its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import UnaskedError
from nova_acceptance.kube import ApiError, ApiUnreachableError, Fault, lost_seconds
from nova_acceptance.vantage import retrying as module
from nova_acceptance.vantage.retrying import CUTS, ask_through
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.until import until
from testing.unit.probes.clock import Clock

AWAY = ApiUnreachableError("port-forward", "https://here", TimeoutError("no answer"))


class Way:
    """A forward of which the test says what is wrong with it."""

    refusal: ApiError | None = None

    def __init__(self, *faults: Fault | None) -> None:
        self._faults = list(faults)

    def fault_since(self, _moment: float) -> Fault | None:
        return self._faults.pop(0) if len(self._faults) > 1 else self._faults[0]


def route(*faults: Fault | None) -> Route:
    way: Any = Way(*faults)
    return Route(1, "runner", "redis:6379", way)


away, cut = Fault(AWAY, is_away=True), Fault(AWAY, is_away=False)


class Question:
    """Fails so many times, then is answered."""

    def __init__(self, failures: float) -> None:
        self.asked = 0
        self._failures = failures

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self._failures:
            raise ConnectionResetError("reset by peer")
        return "answer"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.02)


def ask(way: Route, question: Callable[[], str], *, is_safe: bool = True) -> str:
    return ask_through(
        way, question, is_silence=lambda error: isinstance(error, OSError), is_safe=is_safe
    )


def test_question_that_is_answered_is_asked_once() -> None:
    question = Question(0)

    assert ask(route(away), question) == "answer"
    assert question.asked == 1


def test_silence_at_the_end_of_a_good_way_is_the_answer() -> None:
    question = Question(math.inf)

    with pytest.raises(ConnectionResetError):
        ask(route(None), question)
    assert question.asked == 1


def test_refusal_is_an_answer_whatever_the_way_is_like() -> None:
    def refuse() -> str:
        raise ValueError("password authentication failed")

    with pytest.raises(ValueError, match="password"):
        ask(route(away), refuse)


def test_question_is_asked_again_once_the_api_is_back() -> None:
    question = Question(5)
    before = lost_seconds()

    assert ask(route(away), question) == "answer"
    assert lost_seconds() > before


def test_question_that_may_not_be_repeated_tells_of_the_api() -> None:
    question = Question(1)

    with pytest.raises(ApiUnreachableError) as caught:
        ask(route(away), question, is_safe=False)
    assert question.asked == 1
    assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_api_that_stays_away_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", 0.1)

    with pytest.raises(ApiUnreachableError):
        ask(route(away), Question(math.inf))


def test_way_that_is_always_cut_while_the_api_is_well_is_not_blamed() -> None:
    question = Question(math.inf)

    with pytest.raises(ConnectionResetError):
        ask(route(cut), question)
    assert question.asked == 1 + CUTS


def test_api_that_has_just_come_back_may_cut_more_often() -> None:
    question = Question(CUTS + 2)

    assert ask(route(away, cut), question) == "answer"


def test_cut_of_what_may_not_be_repeated_stands_as_it_was_seen() -> None:
    with pytest.raises(ConnectionResetError):
        ask(route(cut), Question(1), is_safe=False)


def test_time_without_an_api_is_not_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 10)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 10)
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr("nova_acceptance.vantage.until.time", clock)

    took = until(lambda: ask(route(away), Question(2)) == "answer", within=5)

    assert took == pytest.approx(0)
    assert clock.now == 20


def test_way_that_this_user_may_not_open_is_no_answer_of_the_server() -> None:
    closed: Any = Way(None)
    closed.refusal = ApiError("GET /api/v1/namespaces/a/pods/b/portforward", 403, b"")

    with pytest.raises(UnaskedError, match="does not let this user get pods/portforward"):
        ask(Route(1, "runner", "redis:6379", closed), Question(1))
