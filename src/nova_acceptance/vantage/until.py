"""Waiting for something to become true, never without an end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from nova_acceptance.kube import lost_seconds

EVERY = 0.1
NOTHING: tuple[type[Exception], ...] = ()


def until(
    is_true: Callable[[], bool],
    *,
    within: float,
    ignoring: type[Exception] | tuple[type[Exception], ...] = NOTHING,
    every: float = EVERY,
) -> float:
    """Ask again and again, and return how long it took.

    Args:
        is_true: the question; asked at least once.
        within: seconds after which it is not asked again.
        ignoring: errors that mean "not yet".
        every: seconds between two questions.

    Returns:
        Seconds until it was true; infinity when it was not, in time, so that
        `assert until(…) <= budget` reads as what it checks. Time in which the Kubernetes API was
        away and the question waited for it does not count: it says nothing about the answer.
    """
    started = _now()
    while True:
        try:
            if is_true():
                return _now() - started
        except ignoring:
            pass
        if _now() - started > within:
            return math.inf
        time.sleep(every)


def _now() -> float:
    return time.monotonic() - lost_seconds()
