"""What the plugin costs a pytest run that is no acceptance run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final

from benchmarks.table import row

REPEATS: Final = 30
WITHOUT: Final = ("-p", "no:nova_acceptance")


def measure_elsewhere() -> None:
    """Print the CPU time of a run of one test with the plugin and without it, in turns."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        _seconds(scratch)  # compiles what is not compiled yet
        pairs = [(_seconds(scratch), _seconds(scratch, *WITHOUT)) for _ in range(REPEATS)]
    with_it, without = (statistics.median(each) for each in zip(*pairs, strict=True))
    added = [1000 * (one - other) for one, other in pairs]
    low, _, high = statistics.quantiles(added, n=4)
    row(
        "CPU time that the plugin adds to another pytest run",
        f"{statistics.median(added):.0f} ms",
        f"middle half of {REPEATS} pairs of runs: {low:.0f} to {high:.0f} ms",
    )
    row("such a run with the plugin", f"{1000 * with_it:.0f} ms", "median")
    row("such a run without it", f"{1000 * without:.0f} ms", "median")


def _seconds(directory: str, *options: str) -> float:
    """Return the CPU time of a run, its process's alone."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
