"""Values of a record as what they should be: a killed run or another version may hold anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the mappings of a list; of anything else none."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def mapping(value: object) -> Mapping[Any, Any]:
    """Return a mapping; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def strings(value: object) -> tuple[str, ...]:
    """Return the different entries of a list, or of a text with commas, in their order."""
    if not value:
        return ()
    values = value if isinstance(value, list | tuple) else str(value).split(", ")
    return tuple(dict.fromkeys(str(each) for each in values))


def integer(value: object) -> int:
    """Return a whole number; what is none is 0."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return 0


def number(value: object) -> float | None:
    """Return a finite number; what is none is None."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def moment(value: object) -> datetime | None:
    """Return a time of the record; what is none is None."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def last_line(text: str) -> str:
    """Return the last line of a text that is not blank; empty where there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
