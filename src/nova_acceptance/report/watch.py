"""A watcher beside a run: when the run is killed, it renders what the record has.

It is a process of its own, since what is killed can do nothing any more, and in a session of its
own, so that what ends a terminal's or a CI job's process group does not end it as well. It waits
for the end of its standard input, a pipe that only the run holds open: after a word all is well;
without one the run is gone. Until then it is no more than this file, which for that needs only the
standard library.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

_WELL: Final = b"well"
_PATIENCE: Final = 5.0
"""Seconds that a watcher has for its end, before it is killed."""
_LONGEST: Final = 600
"""Seconds that rendering may take."""


class Watch:
    """Watches the process that makes it.

    Args:
        directory: the run's directory.

    Raises:
        OSError: no process could be started.
    """

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(directory.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> None:
        """Say that all is well, and wait until the watcher is gone."""
        try:
            self._process.communicate(_WELL, timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(directory: str) -> None:
    """Wait for the run's end; render its record where it was killed."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    said = b""
    while piece := os.read(0, len(_WELL)):
        said += piece
    if said != _WELL:
        signal.alarm(_LONGEST)  # which outlives the next line, and ends what would not end
        render = [sys.executable, "-P", "-m", "nova_acceptance.report", "render", directory]
        os.execv(sys.executable, render)


if __name__ == "__main__":
    main(*sys.argv[1:])
