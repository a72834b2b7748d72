"""Rows of the table in benchmarks/README.md."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Sequence


def heading(*columns: str) -> None:
    """Print the head of a table of these columns."""
    _line(columns)
    _line(["---"] * len(columns))


def cells(*values: str) -> None:
    """Print one row of a table that has a heading of its own."""
    _line(values)


def row(what: str, measured: float | str, note: str = "") -> None:
    """Print one row of a table.

    Args:
        what: what was measured.
        measured: seconds, or a quantity with its unit.
        note: how the numbers spread, and whatever else belongs to them.
    """
    told = measured if isinstance(measured, str) else f"{measured:.1f} s"
    cells(what, told, note)


def rounds(what: str, costs: Sequence[float], unit: str, of: int) -> None:
    """Print one row of what something cost in rounds.

    Args:
        what: what was measured.
        costs: those of one time, a number a round.
        unit: of these numbers.
        of: how many times a round has.
    """
    note = f"{min(costs):.0f} to {max(costs):.0f} {unit} in {len(costs)} rounds of {of}"
    row(what, f"{statistics.median(costs):.0f} {unit}", note)


def spread(seconds: list[float]) -> str:
    """Return the shortest and the longest of several."""
    return f"{min(seconds):.1f} to {max(seconds):.1f} s in {len(seconds)} runs"


def _line(values: Iterable[str]) -> None:
    sys.stdout.write(f"| {' | '.join(values)} |\n")
    sys.stdout.flush()
