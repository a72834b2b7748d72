"""A main thread that is woken by each signal, whichever thread of the process it reached.

Any thread may get a signal of its process (POSIX, "Signal Generation and Delivery"); Python calls
the handler on the main thread alone, between two of its instructions. A main thread that waits has
none: its wait is cut short where the signal reaches this very thread in the middle of it, and lasts
as long as ever where another thread was reached, or where the wait was just about to begin.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_KNOCK: Final = signal.SIGURG
"""The signal that wakes the main thread; it ends no process where nobody has taken it."""
_BETWEEN: Final = 0.05
"""Seconds from one knock to the next, until it is answered."""
_NOBODY: Final = -1
"""Whom Python tells of signals unless somebody asks for it (`signal.set_wakeup_fd`)."""


@contextmanager
def wakeful() -> Iterator[None]:
    """Wake the main thread at each signal that has a handler, until the block ends.

    It is as it was before where the block is another thread's, and where somebody else is told of
    signals already.
    """
    waking = _begun()
    try:
        yield
    finally:
        if waking:
            waking.end()


def _begun() -> _Waking | None:
    if threading.current_thread() is not threading.main_thread():
        return None
    if signal.getsignal(_KNOCK) is not signal.SIG_DFL:
        return None
    try:
        waking = _Waking()
    except OSError:  # too many open files: a signal comes late, and everything else works
        return None
    before = signal.set_wakeup_fd(waking.told_to, warn_on_full_buffer=False)
    if before != _NOBODY:
        signal.set_wakeup_fd(before)
        waking.close()
        return None
    waking.start()
    return waking


class _Waking(threading.Thread):
    """Knocks after each signal, until the main thread has answered.

    Python calls handlers in the order of their signals' numbers, so that whoever answers this one
    has been through the handlers of those that end a run.
    """

    def __init__(self) -> None:
        super().__init__(name="wakeful", daemon=True)
        self._is_answered = True
        self._is_over = False
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)

    @property
    def told_to(self) -> int:
        """The descriptor to which Python writes the number of each signal."""
        return self._writer.fileno()

    def run(self) -> None:
        main = threading.main_thread().ident or 0
        while number := self._reader.recv(1):
            if number[0] == _KNOCK:
                continue
            self._is_answered = False
            while not (self._is_answered or self._is_over):
                signal.pthread_kill(main, _KNOCK)
                time.sleep(_BETWEEN)

    def start(self) -> None:
        signal.signal(_KNOCK, self._answer)
        super().start()

    def end(self) -> None:
        """Leave everything as it was."""
        signal.set_wakeup_fd(_NOBODY)
        self._is_over = True
        self._writer.close()
        self.join()
        self._reader.close()
        signal.signal(_KNOCK, signal.SIG_DFL)

    def close(self) -> None:
        """Close what is open of one that was never started."""
        self._writer.close()
        self._reader.close()

    def _answer(self, _number: int, _frame: FrameType | None) -> None:
        self._is_answered = True
