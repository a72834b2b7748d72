"""Progress of long steps: what is being done, how far, and how long it has taken.

On a terminal the current line is rewritten; elsewhere (CI, a file) only what changed is printed,
with a sign of life every so often, so that a log stays readable and a silence means trouble.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

REFRESH_TERMINAL = 0.5
REFRESH_LOG = 20.0


class Step:
    """A step under way; `update` says how far it is."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.changed = threading.Event()
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._started

    def update(self, detail: str) -> None:
        """Show `detail` behind the step's title; the same detail twice is shown once."""
        if detail != self.detail:
            self.detail = detail
            self.changed.set()


class Progress:
    """Writes steps to a stream; threads may share it.

    On a terminal the step that began first has the current line while several are under way.

    Args:
        stream: where to write; standard error unless told otherwise, so that a command's
            standard output stays its result.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._lock = threading.Lock()
        self._running: list[Step] = []

    def say(self, text: str) -> None:
        """Write one line."""
        with self._lock:
            has_line = self._terminal and self._running
            self._write(text, start="\r\x1b[K" if has_line else "", end="\n")

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step from its beginning to its end, with its duration.

        Args:
            title: what is being done, in the form "building Kubernetes".
        """
        step = Step(title)
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(step, done), daemon=True)
        if not self._terminal:
            self.say(f"· {title} …")
        with self._lock:
            self._running.append(step)
        ticker.start()
        outcome = "✗"
        try:
            yield step
            outcome = "✓"
        finally:
            done.set()
            step.changed.set()
            ticker.join()
            at = f", at: {step.detail}" if step.detail and outcome == "✗" else ""
            self.say(f"{outcome} {title}{at} ({step.seconds:.1f} s)")
            with self._lock:
                self._running.remove(step)

    def _tick(self, step: Step, done: threading.Event) -> None:
        refresh = REFRESH_TERMINAL if self._terminal else REFRESH_LOG
        # On a terminal every change is shown; a log is given one line now and then.
        signal = step.changed if self._terminal else done
        while not done.is_set():
            signal.wait(refresh)
            step.changed.clear()
            if done.is_set():
                return
            detail = f" — {step.detail}" if step.detail else ""
            line = f"· {step.title}{detail} ({step.seconds:.0f} s)"
            with self._lock:
                if not self._terminal:
                    self._write(line, end="\n")
                elif self._running[0] is step:
                    self._write(line, start="\r\x1b[K")

    def _write(self, line: str, *, start: str = "", end: str = "") -> None:
        self._stream.write(f"{start}{line}{end}")
        self._stream.flush()
