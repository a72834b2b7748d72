"""Asking a question through a route, and asking it again when the route lost the answer.

A connection that breaks looks the same to a client whether its server broke it or the Kubernetes
API, which carries the route. Only the route can tell which it was.
"""

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
"""How often a question is asked again after a cut while the API answers; the next cut stands.

Cuts after the API was away do not count.
"""


def ask_through(
    route: Route,
    question: Callable[[], T],
    *,
    is_silence: Callable[[Exception], bool],
    is_safe: bool = True,
) -> T:
    """Return the answer to a question; ask it again while the route loses the answer.

    Time that passed before the last attempt counts as time without an API (`lost_seconds`).

    Args:
        route: the route that the question takes.
        question: asks once, and raises when nothing answers.
        is_silence: whether an error means that nothing answered; every other error is an answer.
        is_safe: whether the question may be asked twice.

    Raises:
        UnaskedError: this user may not open the route.
        ClusterError: the API was away for longer than `timeouts.API_AWAY`, or it was away and the
            question may not be asked twice.
        Exception: what the question raised: the route was not at fault, or it was cut while the API
            answered and the question may not be asked again.
    """
    began, pause, cuts, was_away = time.monotonic(), FIRST_PAUSE, 0, False
    asked = began
    while True:
        try:
            found = question()
        except Exception as error:
            if is_silence(error):
                route.require_right()
            fault = route.fault_since(asked) if is_silence(error) else None
            if fault is None:
                raise
            # one that has just come back answers for itself before it carries anything
            was_away = was_away or fault.is_away
            cuts += not was_away
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
