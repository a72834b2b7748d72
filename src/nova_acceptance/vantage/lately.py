"""A question whose answer serves whoever else asks the same within a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.vantage.outcomes import Outcome, outcome_of
from nova_acceptance.vantage.transcript import Transcript

T = TypeVar("T")


class Lately(Generic[T]):
    """Asks, unless it has just been asked. Threads may share it.

    Tests that follow each other then read one answer; whoever comes later has it asked anew.

    Args:
        transcript: shows each reader what was asked.
        ask: asks the question.
        serves: seconds for which its answer does, counted from the question.
        clock: seconds.
    """

    def __init__(
        self,
        transcript: Transcript,
        ask: Callable[[], T],
        *,
        serves: float = timeouts.ANSWER_SERVES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transcript = transcript
        self._ask = ask
        self._serves = serves
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._outcome: Outcome[T] | None = None

    def told(self) -> T:
        """Return the answer; who asks while somebody else does waits for theirs.

        Raises:
            Exception: what came of it instead.
        """
        with self._lock:
            now = self._clock()
            outcome = self._outcome
            if outcome is None or now - self._asked >= self._serves:
                self._asked, self._outcome = now, (outcome := outcome_of(self._ask))
        return outcome.told(self._transcript)
