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
    """Writes steps to a stream, one at a time.

    Args:
        stream: where to write; standard error unless told otherwise, so that a command's
            standard output stays its result.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()

    def say(self, text: str) -> None:
        """Write one line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

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
            self._rewrite(f"{outcome} {title}{at} ({step.seconds:.1f} s)", end="\n")

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
            self._rewrite(line, end="" if self._terminal else "\n")

    def _rewrite(self, line: str, *, end: str) -> None:
        start = "\r\x1b[K" if self._terminal else ""
        self._stream.write(f"{start}{line}{end}")
        self._stream.flush()
