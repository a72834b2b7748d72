"""What came of a question that was asked for somebody else, who reads it later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.transcript import Transcript, apart

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """An answer, or why there is none, and what was asked for it.

    Attributes:
        answer: returns what came back, or raises why nothing did.
        evidence: each question with its answer and its own time.
        error: what `answer` raises.
    """

    answer: Callable[[], T]
    evidence: tuple[Evidence, ...] = ()
    error: Exception | None = None

    def after(self, *evidence: Evidence) -> Outcome[T]:
        """Return the same, for which something else was asked before."""
        return Outcome(self.answer, (*evidence, *self.evidence), self.error)

    def told(self, transcript: Transcript) -> T:
        """Return the answer to whoever reads it, and show there what was asked for it.

        Raises:
            Exception: what the question raised.
        """
        transcript.add(*self.evidence)
        return self.answer()


def outcome_of(question: Callable[[], T]) -> Outcome[T]:
    """Ask, and keep what comes of it; nobody hears of it yet."""
    heard: list[Evidence] = []
    try:
        with apart(heard.append):
            found = question()
    except Exception as error:  # noqa: BLE001 - whoever reads it meets it, of whatever kind
        return failed(error, *heard)
    return Outcome(lambda: found, tuple(heard))


def failed(error: Exception, *evidence: Evidence) -> Outcome[T]:
    """Return the outcome of a question that has no answer."""
    way = error.__traceback__

    def answer() -> T:
        raise error.with_traceback(way)  # which would grow with each who reads it

    return Outcome(answer, evidence, error)
