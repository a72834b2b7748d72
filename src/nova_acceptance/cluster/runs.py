"""Which runs of this machine still go on, so that what others left behind can be told from theirs.

A run is one, in however many processes: the workers of pytest-xdist have the identifier of the one
that started them. Each process holds a lock on the run's file; the kernel lets go of it when the
process is killed.
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import Home

_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z]+")
"""Of whatever a cluster calls a run, what may be the name of a file."""


class Run:
    """A run, in one of its processes.

    Args:
        home: where runs of this user are known.
        identifier: that of the run which started this process; None makes a new one.
    """

    def __init__(self, home: Home, identifier: str | None = None) -> None:
        self.id = identifier or secrets.token_hex(6)
        self._directory = home.root / "runs"
        self._lock = threading.Lock()
        self._file: IO[str] | None = None

    def begin(self) -> None:
        """Have others know that the run goes on, from now on."""
        with self._lock:
            if self._file is None:
                self._directory.mkdir(parents=True, exist_ok=True)
                _forget_old(self._directory)
                self._file = self._path.open("a+")
                fcntl.flock(self._file, fcntl.LOCK_SH)

    def is_alive(self, other: str) -> bool:
        """Whether a run goes on, as far as is known here.

        Of a run of another machine nothing is known, and it is taken for one that goes on.
        """
        if other == self.id:
            return True
        return not _IDENTIFIER.fullmatch(other) or _is_held(self._directory / other)

    def knows(self, other: str) -> bool:
        """Whether a run is one of this user on this machine, and not long over."""
        is_name = _IDENTIFIER.fullmatch(other) is not None
        return other == self.id or (is_name and (self._directory / other).exists())

    def note(self, what: dict[str, Any]) -> None:
        """Tell all processes of the run something."""
        self.begin()
        with self._path.open("a") as file:
            file.write(f"{json.dumps(what, sort_keys=True)}\n")

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What its processes told, each once: two of them may tell the same at the same moment."""
        if self._file is None:
            return []
        self._file.seek(0)
        return [json.loads(line) for line in dict.fromkeys(self._file.read().splitlines())]

    def end(self, *, has_left: bool = False) -> None:
        """End this process's part in the run.

        Args:
            has_left: whether something of the run is left on a cluster. Its file stays then, by
                which whoever removes that knows the run to be no more.
        """
        with self._lock:
            if self._file is None:
                return
            with suppress(BlockingIOError):  # another process of the run goes on
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not has_left:
                    self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    @property
    def _path(self) -> Path:
        return self._directory / self.id


@contextmanager
def running(home: Home) -> Iterator[Run]:
    """Yield a run of this process alone, which goes on as long as the context.

    Args:
        home: where runs of this user are known.
    """
    run = Run(home)
    run.begin()
    try:
        yield run
    finally:
        run.end()


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
