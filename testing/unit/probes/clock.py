"""Time for tests of waiting, which need not wait."""

from __future__ import annotations


class Clock:
    """A stand-in for the module `time`: no time passes but while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
