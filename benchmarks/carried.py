"""What a connection costs that the API carries, against a question on one that is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Final

from benchmarks.processors import busy
from benchmarks.table import rounds
from nova_acceptance.kube import Kube, PodRef

POD: Final = PodRef("nova-database", "etcd-0")
PORT: Final = 2379
QUESTIONS: Final = 60
ROUNDS: Final = 5
SETTLES: Final = 1.0
"""Seconds after a round in which what was closed is still being cleared away."""
QUIET: Final = 5.0
"""Seconds for which it is seen how busy the processors are when nothing is asked."""
TIMEOUT: Final = 10.0
_UNIT: Final = "ms of processors"


def measure_carried(api: Kube) -> None:
    """Print what an answer of an etcd costs, in turns: by a new connection each, and by one.

    What an idle cluster costs meanwhile is taken off.
    """
    with api.forward(POD, PORT) as port:
        kept = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

        def anew() -> None:
            connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            _ask(connection)
            connection.close()

        began = busy()
        time.sleep(QUIET)
        idle = (busy() - began) / QUIET
        pairs = [(_cost(anew, idle), _cost(lambda: _ask(kept), idle)) for _ in range(ROUNDS)]
        kept.close()
    anew_cost, kept_cost = zip(*pairs, strict=True)
    rounds("an answer of etcd, by a connection of its own", anew_cost, _UNIT, QUESTIONS)
    rounds("an answer of etcd, by one that is kept", kept_cost, _UNIT, QUESTIONS)


def _ask(connection: HTTPConnection) -> None:
    connection.request("GET", "/health")
    connection.getresponse().read()


def _cost(ask: Callable[[], None], idle: float) -> float:
    """Return the milliseconds of processors that a question took.

    Args:
        ask: asks it.
        idle: how many processors are busy when nothing is asked.
    """
    ask()
    began, started = busy(), time.monotonic()
    for _ in range(QUESTIONS):
        ask()
    time.sleep(SETTLES)
    took = time.monotonic() - started
    return 1e3 * (busy() - began - idle * took) / QUESTIONS
