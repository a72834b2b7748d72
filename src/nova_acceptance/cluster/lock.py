"""One start, stop or build at a time: a lock that says who holds it.

The kernel lets go of an flock(2) when its holder dies, so there is no stale lock to clean up.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress

RETRY = 0.05


@contextmanager
def exclusive(path: Path, purpose: str, progress: Progress) -> Iterator[None]:
    """Hold the lock at `path`; wait for another holder and say who it is.

    Args:
        path: the lock's file; it stays, empty of meaning, when the lock is let go.
        purpose: what it is held for, as others are told: "starting cluster nova".
        progress: where waiting is shown.

    Raises:
        ClusterError: the other holder was not done within `timeouts.LOCK`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait(file, progress)
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "purpose": purpose, "command": sys.argv[0]}, file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def take(file: IO[str], kind: int) -> None:
    """Lock a file, `LOCK_EX` or `LOCK_SH`, as soon as its other holders let it go.

    Raises:
        BlockingIOError: they did not within `timeouts.LOCK`.
    """
    Retrying(
        retry=retry_if_exception_type(BlockingIOError),
        stop=stop_after_delay(timeouts.LOCK),
        wait=wait_fixed(RETRY),
        reraise=True,
    )(fcntl.flock, file, kind | fcntl.LOCK_NB)


def _wait(file: IO[str], progress: Progress) -> None:
    holder = _holder(file)
    with progress.step(f"waiting for {holder}"):
        try:
            take(file, fcntl.LOCK_EX)
        except BlockingIOError:
            raise ClusterError(
                f"{holder} is not done after {timeouts.LOCK:.0f} s",
                hint="see what it is doing, end it, and try again",
            ) from None


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        held = json.load(file)
    except ValueError:
        return "another start or stop"
    return f"process {held['pid']} ({held['purpose']})"
