"""Rows of the table in benchmarks/README.md."""

from __future__ import annotations

import sys


def row(what: str, measured: float | str, note: str = "") -> None:
    """Print one row of a table.

    Args:
        what: what was measured.
        measured: seconds, or a quantity with its unit.
        note: how the numbers spread, and whatever else belongs to them.
    """
    told = measured if isinstance(measured, str) else f"{measured:.1f} s"
    sys.stdout.write(f"| {what} | {told} | {note} |\n")
    sys.stdout.flush()


def spread(seconds: list[float]) -> str:
    """Return the shortest and the longest of several."""
    return f"{min(seconds):.1f} to {max(seconds):.1f} s in {len(seconds)} runs"
