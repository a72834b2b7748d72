"""What happens unless something ends before: by one thread for all, since seldom anything does."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final


@dataclass(order=True, slots=True)
class _Deadline:
    at: float
    act: Callable[[], object] | None = field(compare=False)


class Deadlines:
    """Acts at deadlines that have come. Threads may share it."""

    def __init__(self) -> None:
        self._sooner = threading.Condition()
        self._waiting: list[_Deadline] = []
        self._runs = False

    @contextmanager
    def after(self, seconds: float, act: Callable[[], object]) -> Iterator[None]:
        """Call a function, in a thread of its own, unless the block ends before.

        Args:
            seconds: from now on.
            act: the function; what it raises is nobody's.
        """
        deadline = _Deadline(time.monotonic() + seconds, act)
        with self._sooner:
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
            is_next = not self._waiting or deadline < self._waiting[0]
            heapq.heappush(self._waiting, deadline)
            if is_next:
                self._sooner.notify()
        try:
            yield
        finally:
            deadline.act = None  # it is taken off the heap when its time comes

    def _watch(self) -> None:
        while True:
            with self._sooner:
                while self._waiting and self._waiting[0].act is None:
                    heapq.heappop(self._waiting)
                left = self._waiting[0].at - time.monotonic() if self._waiting else None
                if left is None or left > 0:
                    self._sooner.wait(left)
                    continue
                act = heapq.heappop(self._waiting).act
            if act is not None:
                threading.Thread(target=act, daemon=True).start()


DEADLINES: Final = Deadlines()
"""Those of this process."""
