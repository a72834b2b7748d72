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
"""Rounds of questions that go on side by side, whatever they ask."""


class Background:
    """Runs so many rounds of questions at once, in the order in which they come."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="ahead")
        self._lock = threading.Lock()
        self._under_way: dict[Future[Any], bool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, ask: Callable[[], object], *, of_network: bool = False) -> Future[None]:
        """Run a round of questions, now or when there is room for it.

        What it takes down itself, and keeps for nobody, is no evidence of the test that is running.

        Args:
            ask: asks them.
            of_network: whether the network is asked alone, and nothing of any component's server.

        Returns:
            the round, which is cancelled where it has not begun before all is closed.
        """

        def quietly() -> None:
            with apart(unheard):
                ask()

        with self._lock:
            round_ = self._pool.submit(quietly)
            self._under_way[round_] = of_network
        round_.add_done_callback(self._ended)
        return round_

    def settle(self, *, network: bool = True) -> None:
        """Wait until nothing is asked any more; of the network either, unless that may go on."""
        while True:
            with self._lock:
                going = [
                    it for it, of_network in self._under_way.items() if network or not of_network
                ]
            if not going:
                return
            wait(going)

    def close(self) -> None:
        """Ask nothing more, and wait for what is under way; every question has its own end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

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

    def foresee(self, background: Background, questions: Iterable[K]) -> None:
        """Ask some questions in the background, one after the other, but for those asked before."""
        new = [(each, future) for each in questions if (future := self._new(each))]
        if new:
            round_ = background.run(lambda: self._answer(new))
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

    def _answer(self, questions: Sequence[tuple[K, Future[Outcome[T]]]]) -> None:
        for question, future in questions:
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


def answering(ask: Callable[[K], T]) -> Callable[[K], Outcome[T]]:
    """Return what asks a question and keeps what comes of it."""
    return lambda question: outcome_of(lambda: ask(question))


def unheard(_evidence: Evidence) -> None:
    """Keep nothing of what is asked for nobody in particular."""
