"""Asking from probe pods, against asking from the system's own containers, in the same run."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence

from benchmarks.table import row, spread

BY_EXEC = ("-m", "not disruptive")
BY_PROBE_PODS = (*BY_EXEC, "--probe-pods")
WANTED = 1.5


def measure_places(verified: Callable[..., float], rounds: int) -> None:
    """Verify our own Nova by exec and by probe pods in turn, and print both and the ratio.

    Args:
        verified: runs the verification with more options, and returns its seconds.
        rounds: how often each is run.
    """
    seconds: dict[Sequence[str], list[float]] = {BY_EXEC: [], BY_PROBE_PODS: []}
    for _ in range(rounds):
        for options, found in seconds.items():
            found.append(verified(*options))
    own, pods = (statistics.median(found) for found in seconds.values())
    row("the verification from the system's own containers", own, spread(seconds[BY_EXEC]))
    row("… from probe pods, made and removed", pods, spread(seconds[BY_PROBE_PODS]))
    row("… the ratio of the two", f"{pods / own:.2f}", f"wanted: at most {WANTED}")
    if pods > WANTED * own:
        sys.exit(f"probe pods take {pods / own:.2f} times as long, more than {WANTED}")
