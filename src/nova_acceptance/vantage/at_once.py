"""The same question to several, all at once, for whoever wants the answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_MOST: Final = 16
"""Questions that are asked side by side."""


def of_each(wanted: Iterable[K], ask: Callable[[K], T]) -> dict[K, Future[T]]:
    """Return what came of a question about each of some, asked all at once.

    What is asked is taken down for whoever would hear it here: see `transcript.apart`.
    """
    every = list(wanted)
    with ThreadPoolExecutor(max(1, min(_MOST, len(every)))) as pool:
        return {each: pool.submit(copy_context().run, ask, each) for each in every}
