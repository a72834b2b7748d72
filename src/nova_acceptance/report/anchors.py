"""The names of places in a page: the same in every run, whatever a test or an object is called."""

from __future__ import annotations

import hashlib


def mark(nodeid: str) -> str:
    """Return the name of a test's place, by pytest's name of it."""
    return f"test-{_digest(nodeid)}"


def anchor(cause: str, subject: str) -> str:
    """Return the name of a cause's place, by its name and the object at which it is."""
    return f"cause-{_digest(f'{cause} {subject}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
