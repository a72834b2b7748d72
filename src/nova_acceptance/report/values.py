"""Values of a record as what they should be: a killed run or another version may hold anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_LARGEST: Final = 1e15
"""Beyond it a number is none that a run counts or measures."""


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the mappings of a list; of anything else none."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def mapping(value: object) -> Mapping[Any, Any]:
    """Return a mapping; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def named(value: object) -> list[dict[str, Any]]:
    """Return the mappings of a list, and what is none of them as the name of one."""
    rows = value if isinstance(value, list) else []
    return [row if isinstance(row, dict) else {"name": row} for row in rows]


def numbers(value: object) -> dict[str, float]:
    """Return the entries of a mapping that are numbers."""
    found = {name: number(entry) for name, entry in mapping(value).items()}
    return {name: entry for name, entry in found.items() if entry is not None}


def flat(value: object) -> dict[str, str | int | float]:
    """Return the entries of a mapping that are texts or numbers, whatever else it holds."""
    entries = mapping(value).items()
    return {name: entry for name, entry in entries if isinstance(entry, str | int | float)}


def text(value: object) -> str:
    """Return a text, a number as Python spells it; what is neither is empty."""
    return str(value) if isinstance(value, str | int | float) else ""


def strings(value: object) -> tuple[str, ...]:
    """Return the different entries of a list, or of a text with commas, in their order."""
    values = value if isinstance(value, list) else text(value).split(", ")
    return tuple(dict.fromkeys(each for each in map(text, values) if each))


def integer(value: object) -> int:
    """Return a whole number; what is none is 0."""
    return int(number(value) or 0)


def number(value: object) -> float | None:
    """Return a number as a run counts or measures it; what is none is None."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= _LARGEST else None  # type: ignore[arg-type]


def moment(value: object) -> datetime | None:
    """Return a time of the record, in UTC; what is none is None."""
    try:
        found = datetime.fromisoformat(text(value))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def last_line(text: str) -> str:
    """Return the last line of a text that is not blank; empty where there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
