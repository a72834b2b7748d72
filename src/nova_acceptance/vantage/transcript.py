"""What the clients ask and what comes back, taken down for the test that is running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from nova_acceptance.evidence import Evidence

ANSWER_LENGTH = 300
_APART: Final[ContextVar[Callable[[Evidence], object] | None]] = ContextVar("apart", default=None)
"""Who hears what is asked in this context alone, whichever transcript takes it down."""


class Transcript:
    """Passes evidence to whoever listens: the test that is running.

    Probes live as long as a session and a test does not, so they hold a transcript instead of the
    test. What is asked while nobody listens (in the set-up of a session's fixture) is dropped.
    """

    def __init__(self) -> None:
        self._listener: Callable[[Evidence], object] | None = None

    @contextmanager
    def listening(self, listener: Callable[[Evidence], object]) -> Iterator[None]:
        """Pass evidence to `listener` for as long as the context lasts."""
        self._listener = listener
        try:
            yield
        finally:
            self._listener = None

    def add(self, *evidence: Evidence) -> None:
        """Pass evidence on, in this order."""
        listener = _APART.get() or self._listener
        for item in evidence:
            if listener:
                listener(item)

    @contextmanager
    def asking(self, asked: str, *, source: str, target: str) -> Iterator[Asking]:
        """Time a question; its answer is what `answered` was told, or the exception's text."""
        asking = Asking()
        started = time.monotonic()
        try:
            yield asking
        except Exception as error:
            first_line = (str(error).strip() or "no message").splitlines()[0]
            asking.answer = asking.answer or f"{type(error).__name__}: {first_line}"
            raise
        finally:
            seconds = time.monotonic() - started
            self.add(Evidence(asked, source, target, shorten(asking.answer), seconds))


@contextmanager
def apart(listener: Callable[[Evidence], object]) -> Iterator[None]:
    """Pass what is asked in the block to `listener`, and not to the test that is running.

    It holds for this thread, and for another one that runs in a copy of its context.
    """
    token = _APART.set(listener)
    try:
        yield
    finally:
        _APART.reset(token)


@dataclass
class Asking:
    """A question that is under way."""

    answer: str = ""

    def answered(self, answer: object) -> None:
        """Say what came back."""
        self.answer = str(answer)


def shorten(text: str, length: int = ANSWER_LENGTH) -> str:
    """Return what of an answer a reader needs."""
    return text if len(text) <= length else f"{text[:length]}…"
