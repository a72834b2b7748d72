"""Asking over a route, where no answer may mean that the way there failed and not the other end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from nova_acceptance import timeouts
from nova_acceptance.kube import lose
from nova_acceptance.vantage.routes import Route

T = TypeVar("T")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
CUTS = 2
"""How often a cut is blamed on the way while the API is well; then it stands as it was seen."""


def over(
    route: Route,
    question: Callable[[], T],
    *,
    is_silence: Callable[[Exception], bool],
    is_safe: bool = True,
) -> T:
    """Return the answer to a question, asked again where it was lost for the API's sake.

    Args:
        route: the way that the question takes.
        question: asks, and raises where nothing answered.
        is_silence: whether an error says that nothing answered; any other is an answer.
        is_safe: whether the question may be asked twice.

    Raises:
        ClusterError: the API was away, for too long or with a question that may not be repeated.
        Exception: whatever the question raised, where the way was well.
    """
    began, pause, cuts = time.monotonic(), FIRST_PAUSE, 0
    asked = began
    while True:
        try:
            found = question()
        except Exception as error:
            fault = route.fault_since(asked) if is_silence(error) else None
            if fault is None:
                raise
            cuts += not fault.is_away
            if cuts > CUTS or not (fault.is_away or is_safe):
                raise
            if not is_safe or time.monotonic() - began > timeouts.API_AWAY:
                raise fault.error from error
        else:
            if asked > began:
                lose(asked - began)
            return found
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        asked = time.monotonic()
