"""JSON merge patches (RFC 7386), and what takes one back."""

from __future__ import annotations

from typing import Any


def inverse(patch: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that gives every field that `patch` touches the value it had `before`."""
    undone: dict[str, Any] = {}
    for key, wanted in patch.items():
        had = before.get(key)
        if isinstance(wanted, dict) and isinstance(had, dict):
            undone[key] = inverse(wanted, had)
        else:
            undone[key] = had
    return undone


def merged(patch: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return what the patch makes of an object."""
    result = dict(before)
    for key, wanted in patch.items():
        if wanted is None:
            result.pop(key, None)
        elif isinstance(wanted, dict):
            had = result.get(key)
            result[key] = merged(wanted, had if isinstance(had, dict) else {})
        else:
            result[key] = wanted
    return result
