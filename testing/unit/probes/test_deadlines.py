"""Deadlines: what happens unless something ends before."""

from __future__ import annotations

import threading
import time

from nova_acceptance.vantage.deadlines import Deadlines
from testing.unit.waiting import SOON, wait_until


def test_what_ends_in_time_is_left_alone() -> None:
    acted = threading.Event()
    deadlines = Deadlines()

    with deadlines.after(0.05, acted.set):
        pass

    assert not acted.wait(0.2)


def test_what_takes_too_long_is_acted_on_and_a_sooner_one_first() -> None:
    acted: list[str] = []
    deadlines = Deadlines()

    with (
        deadlines.after(SOON, lambda: acted.append("never")),
        deadlines.after(0.2, lambda: acted.append("second")),
        deadlines.after(0.05, lambda: acted.append("first")),
    ):
        wait_until(lambda: acted == ["first", "second"])


def test_act_that_takes_long_or_fails_holds_up_no_other() -> None:
    acted, goes_on = threading.Event(), threading.Event()
    deadlines = Deadlines()

    def late() -> None:
        goes_on.wait(SOON)

    with deadlines.after(0.01, late), deadlines.after(0.02, acted.set):
        assert acted.wait(SOON)
    goes_on.set()


def test_nobody_wakes_for_what_has_ended() -> None:
    deadlines = Deadlines()

    for _ in range(1000):
        with deadlines.after(0.02, lambda: None):
            pass
    time.sleep(0.05)

    with deadlines.after(SOON, lambda: None):
        wait_until(lambda: len(deadlines._waiting) == 1)
