"""How long the parts of a run take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

PHASES: Final = ("in", "shown", "verified", "out", "healthy", "green")
"""Putting in, waiting until it shows, the suite's run, taking out, waiting until Nova is whole; and
seeing green before the first fault, after each family and after the last fault."""


class Phases:
    """Seconds by phase."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def spent(self, phase: str) -> Iterator[None]:
        """Count the time of a block, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add({phase: time.monotonic() - began})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count what was measured elsewhere."""
        for phase, value in seconds.items():
            self._seconds[phase] = self._seconds.get(phase, 0.0) + value

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds of each phase that was there, in the order of `PHASES`."""
        return {phase: self._seconds[phase] for phase in PHASES if phase in self._seconds}


def told(seconds: Mapping[str, float]) -> str:
    """Return the seconds of phases in words."""
    return ", ".join(f"{phase} {value:.1f} s" for phase, value in seconds.items())
