"""Waiting until something is true: how often it is asked, and when the wait ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import lose
from nova_acceptance.vantage.until import until
from testing.unit.probes.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which `until` measures and tenacity sleeps."""
    stopped = Clock()
    monkeypatch.setattr("nova_acceptance.vantage.until.time", stopped)
    monkeypatch.setattr("tenacity.nap.time", stopped)
    return stopped


class Outcomes:
    """A question with these outcomes, one after the other; the last one stays."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self.asked = 0
        self._outcomes = outcomes

    def __call__(self) -> bool:
        outcome = self._outcomes[min(self.asked, len(self._outcomes) - 1)]
        self.asked += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_what_is_true_at_once_takes_no_time(clock: Clock) -> None:
    question = Outcomes(True)

    assert until(question, within=0) == 0
    assert question.asked == 1
    assert clock.now == 0


def test_wait_takes_the_pauses_until_it_was_true(clock: Clock) -> None:
    question = Outcomes(False, False, True)

    assert until(question, within=60, every=2) == 4
    assert question.asked == 3
    assert clock.now == 4


def test_what_is_true_in_a_moment_is_not_waited_for_much_longer(clock: Clock) -> None:
    asked_at: list[float] = []

    def is_true() -> bool:
        asked_at.append(clock.now)
        return len(asked_at) > 6

    assert until(is_true, within=60) == pytest.approx(0.3875)
    assert asked_at == pytest.approx([0, 0.0125, 0.0375, 0.0875, 0.1875, 0.2875, 0.3875])


def test_what_stays_untrue_ends_with_the_budget(clock: Clock) -> None:
    question = Outcomes(False)

    assert until(question, within=3, every=2) == math.inf
    assert question.asked == 3  # at 0, 2 and 4 seconds: the first answer after the budget ends it
    assert clock.now == 4


def test_ignored_error_means_not_yet(clock: Clock) -> None:
    question = Outcomes(ProbeError("nobody there"), ConnectionResetError(), True)

    assert until(question, within=60, every=1, ignoring=(ProbeError, OSError)) == 2
    assert clock.now == 2


def test_ignored_error_that_stays_ends_with_the_budget(clock: Clock) -> None:
    question = Outcomes(ProbeError("nobody there"))

    assert until(question, within=1, every=1, ignoring=ProbeError) == math.inf
    assert clock.now == 2


@pytest.mark.parametrize("ignoring", [(), OSError])
def test_any_other_error_ends_the_wait_at_once(
    clock: Clock, ignoring: type[Exception] | tuple[type[Exception], ...]
) -> None:
    question = Outcomes(False, ProbeError("nobody there"), True)

    with pytest.raises(ProbeError, match="nobody there"):
        until(question, within=60, every=1, ignoring=ignoring)
    assert question.asked == 2
    assert clock.now == 1


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_end_of_the_run_ends_the_wait(clock: Clock, end: type[BaseException]) -> None:
    def interrupt() -> bool:
        raise end

    with pytest.raises(end):
        until(interrupt, within=60, ignoring=Exception)
    assert clock.now == 0


def waiting_for_the_api(clock: Clock, seconds: float, then: Callable[[], bool]) -> bool:
    clock.now += seconds
    lose(seconds)
    return then()


def test_time_without_an_api_is_no_part_of_the_budget(clock: Clock) -> None:
    question = Outcomes(False, False, True)

    took = until(lambda: waiting_for_the_api(clock, 100, question), within=5, every=1)

    assert took == pytest.approx(2)
    assert clock.now == 302
