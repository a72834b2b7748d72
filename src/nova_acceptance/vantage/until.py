"""Waiting until something is true, for a limited time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_not_result,
    wait_exponential,
    wait_fixed,
)

from nova_acceptance.kube import lost_seconds

EVERY = 0.1
FIRST = EVERY / 8
"""What is true in a moment, such as that a replica has a row, is not waited for much longer."""
NOTHING: tuple[type[Exception], ...] = ()


def until(
    is_true: Callable[[], bool],
    *,
    within: float,
    ignoring: type[Exception] | tuple[type[Exception], ...] = NOTHING,
    every: float | None = None,
) -> float:
    """Ask a question until it is true, and return how long that took.

    Args:
        is_true: the question; asked at least once.
        within: seconds after which it is not asked again.
        ignoring: errors that mean "not yet"; every other error ends the wait.
        every: seconds between two questions; by itself they are few at first, and twice as many
            each time, up to `EVERY`.

    Returns:
        Seconds until it was true; infinity if it was not true in time, so that
        `assert until(…) <= budget` reads as what it checks. Time that the question spent waiting
        for a Kubernetes API that was away does not count.
    """
    started = _now()
    was_true = Retrying(
        retry=retry_if_exception_type(ignoring) | retry_if_not_result(bool),
        stop=lambda _: _now() - started > within,
        wait=wait_fixed(every) if every else wait_exponential(FIRST, max=EVERY),
        retry_error_callback=lambda _: False,
    )(is_true)
    return _now() - started if was_true else math.inf


def _now() -> float:
    return time.monotonic() - lost_seconds()
