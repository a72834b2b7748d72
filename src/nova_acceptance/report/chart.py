"""Bars as the page shows them: markup beside its tables, laid out by the browser.

A bar begins and ends at percentages of its row, whose grid lies at multiples of the scale's step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_MOST_TICKS: Final = 10
_ROUND: Final = (1, 2, 5, 10)
"""What a step may be, times a power of ten, so that people read its multiples at once."""
_LEAST: Final = 0.001
"""What is shorter is nothing to look at, in whatever unit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from nothing up to a whole number of steps.

    Attributes:
        step: from one tick to the next, in the unit of what is shown.
        steps: how many of them.
    """

    step: float
    steps: int

    @property
    def ticks(self) -> tuple[tuple[str, str], ...]:
        """What is written at each tick, and where, as CSS spells it."""
        marks = [self.step * number for number in range(self.steps + 1)]
        return tuple((f"{mark:g}", self.share(mark)) for mark in marks)

    @property
    def grid(self) -> str:
        """How far its ticks are from each other, as CSS spells it."""
        return self.share(self.step)

    def share(self, value: float) -> str:
        """Return what part of the axis a value takes, as CSS spells it."""
        return f"{round(100 * value / (self.step * self.steps), 3):g}%"


def scale_of(longest: float) -> Scale:
    """Return the scale with the most ticks that can be told apart.

    Args:
        longest: the largest value on it, finite; 0 or less where there is nothing to show.
    """
    if longest < _LEAST:
        return Scale(1, 1)
    unit = 10 ** math.floor(math.log10(longest / _MOST_TICKS))
    step = next(unit * times for times in _ROUND if longest / (unit * times) <= _MOST_TICKS)
    return Scale(step, math.ceil(round(longest / step, 6)))
