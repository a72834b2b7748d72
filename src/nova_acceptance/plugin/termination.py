"""SIGTERM, by which CI systems end a job, ends a run as Ctrl-C does: torn down and reported."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from types import FrameType, TracebackType
from typing import Any, Final

import pytest

from nova_acceptance.wakeful import wakeful

_USUAL: Final[dict[signal.Signals, Any]] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
}
"""The signals, and who has each where nobody has taken it."""


class Termination:
    """Turns both signals into a `KeyboardInterrupt`, in a worker of pytest-xdist too.

    One that is lost on its way ends the run before the next test: Python itself drops it where it
    was about to compile a syntax tree, and a library where it catches all there is.
    """

    def __init__(self) -> None:
        self._is_ending = False
        self._came: KeyboardInterrupt | None = None
        self._until_end = ExitStack()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Take the signals, but for one that somebody else has taken."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number, usual in _USUAL.items():
            if signal.getsignal(number) is usual:
                signal.signal(number, self._interrupt)
        self._until_end.enter_context(wakeful())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """Begin no test after a signal.

        Raises:
            KeyboardInterrupt: one came, and what it raised then was lost.
        """
        if self._came:
            raise self._came

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that the run is ending, so that nothing keeps it from tearing down."""
        self._is_ending = True
        excinfo.traceback = type(excinfo.traceback)(_with_lines(excinfo.tb))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Note the same of a run that comes to its own end."""
        self._is_ending = True

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Give the signals back, but for one that somebody else has taken meanwhile."""
        self._until_end.close()
        for number, usual in _USUAL.items():
            if signal.getsignal(number) == self._interrupt:
                signal.signal(number, usual)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        is_first = not (self._is_ending or self._came)
        self._came = KeyboardInterrupt(*() if number == signal.SIGINT else ("SIGTERM",))
        # Whoever presses Ctrl-C once more wants the teardown to end as well.
        if is_first or number == signal.SIGINT:
            raise self._came


def _with_lines(traceback: TracebackType) -> TracebackType:
    """Return a traceback in which each entry has a line, as pytest takes for granted.

    A signal may come at an instruction that stands for no line of the source.
    """
    following = _with_lines(traceback.tb_next) if traceback.tb_next else None
    frame = traceback.tb_frame
    line: int | None = traceback.tb_lineno
    return TracebackType(following, frame, traceback.tb_lasti, line or frame.f_code.co_firstlineno)
