"""Commands as a user would type them, timed to their end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent


def timed(argv: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> float:
    """Run a command to its end and return its seconds; a failure ends the measurement."""
    started = time.monotonic()
    done = subprocess.run(
        [str(argument) for argument in argv],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{argv} failed:\n{done.stdout[-3000:]}")
    return time.monotonic() - started
