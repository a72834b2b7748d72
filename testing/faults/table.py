"""The table of a run of the catalogue, for people and for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from testing.faults.verdict import Verdict

_HEADINGS: Final = ("fault", "caught", "tests", "cause named", "seconds", "false alarms", "remarks")


def text(verdicts: Sequence[Verdict]) -> str:
    """Return the table as Markdown, and the score under it."""
    rows = [_HEADINGS, tuple("---" for _ in _HEADINGS), *map(_row, verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([*lines, "", score(verdicts)])


def score(verdicts: Sequence[Verdict]) -> str:
    """Return how many were caught and rightly named, the median time, and the false alarms."""
    right = sum(verdict.is_right for verdict in verdicts)
    alarms = sum(len(verdict.false_alarms) for verdict in verdicts)
    times = [verdict.seconds for verdict in verdicts if verdict.seconds is not None]
    median = f"{statistics.median(times):.1f} s" if times else "none"
    return (
        f"{right} of {len(verdicts)} caught and rightly named; median time to the named cause "
        f"{median}; later than expected: {sum(bool(each.late) for each in verdicts)}; "
        f"false alarms: {alarms}"
    )


def write(
    verdicts: Sequence[Verdict], path: Path, phases: Mapping[str, float] | None = None
) -> None:
    """Write the table as JSON: the score's numbers, seconds by phase, and one object a fault."""
    times = [verdict.seconds for verdict in verdicts if verdict.seconds is not None]
    content = {
        "right": sum(verdict.is_right for verdict in verdicts),
        "all": len(verdicts),
        "median_seconds": statistics.median(times) if times else None,
        "false_alarms": sum(len(verdict.false_alarms) for verdict in verdicts),
        "seconds": dict(phases or {}),
        "faults": [asdict(verdict) | {"is_right": verdict.is_right} for verdict in verdicts],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(verdict: Verdict) -> tuple[str, ...]:
    return (
        f"{verdict.family}/{verdict.fault}",
        "yes" if verdict.caught else "no",
        str(verdict.by),
        verdict.named or "-",
        "-" if verdict.seconds is None else f"{verdict.seconds:.1f}",
        str(len(verdict.false_alarms)),
        "; ".join(filter(None, (*verdict.problems, verdict.late, verdict.alone_since))),
    )
