"""Which runs of this machine still go on, so that what others left behind can be told from theirs.

A run holds a lock on a file of its own; the kernel lets go of it when the run is killed.
"""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import Home


@contextmanager
def running(home: Home) -> Iterator[tuple[str, Callable[[str], bool]]]:
    """Yield an identifier for this run, and whether another one goes on, as far as is known here.

    Of a run of another machine nothing is known, and it is taken for one that goes on.

    Args:
        home: where runs of this user are known.
    """
    directory = home.root / "runs"
    directory.mkdir(parents=True, exist_ok=True)
    _forget_old(directory)
    run = secrets.token_hex(6)
    path = directory / run
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield run, lambda other: other == run or _is_held(directory / other)
        finally:
            path.unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # it is locked, or another machine's
        return True
    return False


def _forget_old(directory: Path) -> None:
    """Remove the files of runs that were killed, when what they made has ended by itself."""
    for path in directory.iterdir():
        with suppress(FileNotFoundError):  # a run that ends meanwhile takes its own away
            is_old = time.time() - path.stat().st_mtime > 2 * timeouts.PROBE_POD
            if is_old and not _is_held(path):
                path.unlink()
