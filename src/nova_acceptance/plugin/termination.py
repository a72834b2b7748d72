"""SIGTERM, by which CI systems end a job, ends a run as Ctrl-C does: torn down and reported."""

from __future__ import annotations

import signal
import threading

import pytest


class Termination:
    """Turns SIGTERM into a `KeyboardInterrupt`, in a worker of pytest-xdist too."""

    def __init__(self) -> None:
        self._is_ending = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Take the signal, unless somebody else has done so."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._interrupt)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Note that the run is ending, so that nothing keeps it from tearing down."""
        self._is_ending = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Note the same of a run that comes to its own end."""
        self._is_ending = True

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Give the signal back, unless somebody else has taken it meanwhile."""
        if signal.getsignal(signal.SIGTERM) == self._interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _interrupt(self, _number: int, _frame: object) -> None:
        if not self._is_ending:
            self._is_ending = True
            raise KeyboardInterrupt("SIGTERM")
