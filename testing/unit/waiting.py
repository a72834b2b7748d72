"""Waiting for what another thread or process brings about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

SOON: Final = 30.0
"""Seconds within which everything happens that is waited for, on the slowest of machines."""


def wait_until(holds: Callable[[], bool], within: float = SOON) -> None:
    """Wait until it holds, `within` so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)
