"""Questions to a cluster, asked side by side for a limited time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from nova_acceptance.errors import NovaError

_AT_ONCE: Final = 16

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


def side_by_side(
    ask: Callable[[_Question], _Answer], questions: Iterable[_Question], *, until: float
) -> list[tuple[_Question, _Answer | Exception]]:
    """Return each question with its answer, or with why there is none.

    Args:
        ask: asks one; what it raises besides `NovaError` and `ValueError` is raised here as well.
        questions: any number.
        until: when a question that is still open is given up with a `TimeoutError`, in seconds of
            `time.monotonic`.
    """
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look")
    try:
        asked = {question: pool.submit(ask, question) for question in questions}
        wait(asked.values(), timeout=max(0.0, until - time.monotonic()))
        answers = map(_outcome, asked.values())
        return list(zip(asked, answers, strict=True))
    finally:
        # A request that hangs ends by its own time limit; nobody waits for it here.
        pool.shutdown(wait=False, cancel_futures=True)


def _outcome(future: Future[_Answer]) -> _Answer | Exception:
    if not future.done():
        return TimeoutError("no answer in time")
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, NovaError | ValueError):
        return error
    raise error
