"""What is asked in the background, side by side, while tests run that want other answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, Generic, Self, TypeVar

from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.outcomes import Outcome, outcome_of
from nova_acceptance.vantage.transcript import Transcript, apart

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

AT_ONCE: Final = 8
"""Rounds of questions of one kind that go on side by side, whatever they ask."""


class Background:
    """Runs so many rounds of questions of each kind at once, in the order in which they come.

    What looks into a server does not queue behind what does not, of which there is a round a pod.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._pools = {feels: ThreadPoolExecutor(at_once) for feels in (True, False)}
        self._lock = threading.Lock()
        self._under_way: dict[Future[Any], bool] = {}
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is asked: a round that is under way ends with its next question."""
        return self._is_closed

    def run(self, ask: Callable[[], object], *, feels: bool = True) -> Future[None]:
        """Run a round of questions, now or when there is room for it.

        What it takes down itself, and keeps for nobody, is no evidence of the test that is running.

        Args:
            ask: asks them.
            feels: whether it looks into a server, and would see what is made there for a moment.

        Returns:
            the round, which is cancelled where it has not begun when all is closed.
        """

        def quietly() -> None:
            with apart(unheard):
                ask()

        with self._lock:
            if self._is_closed:
                return _cancelled()
            round_ = self._pools[feels].submit(quietly)
            self._under_way[round_] = feels
        round_.add_done_callback(self._ended)
        return round_

    def settle(self, *, only_felt: bool = False) -> None:
        """Wait until nothing is asked any more, or only nothing that looks into a server."""
        while True:
            with self._lock:
                going = [it for it, feels in self._under_way.items() if feels or not only_felt]
            if not going:
                return
            wait(going)

    def close(self) -> None:
        """Ask nothing more, and wait for what is under way; every question has its own end.

        Whoever keeps what is asked in the background closes it after this alone.
        """
        with self._lock:
            self._is_closed = True
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _ended(self, round_: Future[Any]) -> None:
        with self._lock:
            self._under_way.pop(round_, None)


class Answers(Generic[K, T]):
    """Questions that are asked once and read by whoever wants to know. Threads may share it.

    Args:
        transcript: shows each reader what was asked.
        ask: asks one of them.
    """

    def __init__(self, transcript: Transcript, ask: Callable[[K], Outcome[T]]) -> None:
        self._transcript = transcript
        self._ask = ask
        self._lock = threading.Lock()
        self._outcomes: dict[K, Future[Outcome[T]]] = {}

    def foresee(
        self, background: Background, questions: Iterable[K], *, feels: bool = True
    ) -> None:
        """Ask some questions in the background, one after the other, but for those asked before.

        Args:
            background: where they are asked.
            questions: the questions.
            feels: see `Background.run`.
        """
        new = [(each, future) for each in questions if (future := self._new(each))]
        if new:
            round_ = background.run(lambda: self._answer(new, background), feels=feels)
            round_.add_done_callback(lambda it: _cancel(new) if it.cancelled() else None)

    def told(self, question: K) -> T:
        """Return the answer; a question that nobody has foreseen is asked now.

        Raises:
            Exception: what came of it instead.
        """
        if future := self._new(question):
            self._answer([(question, future)])
        return self._outcomes[question].result().told(self._transcript)

    def got(self, question: K) -> T:
        """Return the same as `told`, and show nobody what was asked for it.

        Raises:
            Exception: what came of it instead.
        """
        with apart(unheard):
            return self.told(question)

    def _new(self, question: K) -> Future[Outcome[T]] | None:
        with self._lock:
            if question in self._outcomes:
                return None
            future = self._outcomes[question] = Future()
            return future

    def _answer(
        self,
        questions: Sequence[tuple[K, Future[Outcome[T]]]],
        background: Background | None = None,
    ) -> None:
        for number, (question, future) in enumerate(questions):
            if background and background.is_closed:
                _cancel(questions[number:])
                return
            try:
                future.set_result(self._ask(question))
            except BaseException as error:
                # nobody waits for what is not asked any more
                for _, left in questions:
                    if not left.done():
                        left.set_exception(error)
                raise


def _cancel(questions: Iterable[tuple[Any, Future[Any]]]) -> None:
    """Let nobody wait for what is not going to be asked."""
    for _, future in questions:
        future.cancel()


def _cancelled() -> Future[None]:
    """Return a round that is not going to begin."""
    round_ = Future[None]()
    round_.cancel()
    return round_


def answering(ask: Callable[[K], T]) -> Callable[[K], Outcome[T]]:
    """Return what asks a question and keeps what comes of it."""
    return lambda question: outcome_of(lambda: ask(question))


def unheard(_evidence: Evidence) -> None:
    """Keep nothing of what is asked for nobody in particular."""
