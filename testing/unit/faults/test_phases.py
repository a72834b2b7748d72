from __future__ import annotations

import contextlib
import time

import pytest

from testing.faults.phases import Phases, told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moments at which the clock is read, one after the other."""
    moments: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: moments.pop(0))
    return moments


def test_seconds_of_a_phase_are_summed(clock: list[float]) -> None:
    clock += [1.0, 3.5, 10.0, 11.0]
    measured = Phases()

    for _ in range(2):
        with measured.spent("out"):
            pass

    assert measured.seconds == {"out": 3.5}


def test_phase_that_ends_in_an_error_counts(clock: list[float]) -> None:
    clock += [1.0, 2.0]
    measured = Phases()

    with contextlib.suppress(ValueError), measured.spent("in"):
        raise ValueError

    assert measured.seconds == {"in": 1.0}


def test_phases_are_told_in_the_order_of_a_run() -> None:
    measured = Phases()
    measured.add({"healthy": 1.25, "in": 2.0})
    measured.add({"in": 0.5})

    assert told(measured.seconds) == "in 2.5 s, healthy 1.2 s"
