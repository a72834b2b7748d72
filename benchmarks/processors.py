"""How long the machine's processors were busy, whoever kept them so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")
_IDLE, _WAITING = 3, 4
"""Columns of the first line of /proc/stat (proc_stat(5)), counted from the first number."""


def busy() -> float:
    """Return the seconds since the machine's start for which its processors were busy, together."""
    columns = _STAT.read_text("ascii").splitlines()[0].split()[1:]
    ticks = [int(each) for each in columns]
    return (sum(ticks) - ticks[_IDLE] - ticks[_WAITING]) / os.sysconf("SC_CLK_TCK")
