"""Old runs taken away, so that a directory of reports does not grow without end.

What is removed was written by a run: a directory with a run's name and a record in it. Anything
else among the reports is somebody's, and stays.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from pathlib import Path
from typing import Final

from nova_acceptance.report import outcomes, record
from nova_acceptance.report.archives import NAME, began

_REMOVED: Final = re.compile(rf"\.{NAME.pattern}\.removed")
_END: Final = b'"run-finished"'
_TAIL: Final = 65_536
"""Octets at a record's end in which its last event is looked for."""
_QUIET: Final = 3600.0
"""Seconds without a word after which a run that did not end is taken for one that was killed."""


def prune(reports: Path, keep: int, current: Path) -> list[str]:
    """Remove the runs that are older than the newest ones, and return the names of the removed.

    Neither the current run nor one that still goes on is removed, nor what `latest` leads to.

    Args:
        reports: the directory of all runs.
        keep: how many runs stay, the newest, the current one among them.
        current: the current run's directory.

    Raises:
        OSError: one could not be removed; what is left of it is removed the next time.
    """
    entries = list(reports.iterdir())
    for entry in entries:  # where removing was broken off
        if _REMOVED.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
    runs = sorted(
        (entry for entry in entries if is_run(entry)),
        key=lambda run: (began(run.name), run.name == current.name, run.name),
    )
    spared = {current.name, _target(reports / record.LATEST)}
    removed = []
    for run in runs[:-keep]:
        if run.name in spared or goes_on(run):
            continue
        # A run's name is taken from it first: what is half removed must not pass for a run.
        aside = run.with_name(f".{run.name}.removed")
        try:
            run.rename(aside)
        except FileNotFoundError:
            continue  # another run removes it
        shutil.rmtree(aside)
        removed.append(run.name)
    return removed


def is_run(directory: Path) -> bool:
    """Tell whether a run wrote a directory: by its name, and by what it holds."""
    if not NAME.fullmatch(directory.name) or directory.is_symlink():
        return False
    return any(
        (directory / name).is_file() and not (directory / name).is_symlink()
        for name in (record.FILE_NAME, outcomes.FILE_NAME)
    )


def goes_on(directory: Path) -> bool:
    """Tell whether a run still writes its record, as far as can be seen.

    On this machine it holds a lock. Of a run on another machine, or on a file system without
    locks, only the record tells: it has no end, and was written to lately.
    """
    try:
        with (directory / record.FILE_NAME).open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(file.fileno())
            file.seek(max(0, status.st_size - _TAIL))
            return _END not in file.read() and time.time() - status.st_mtime < _QUIET
    except FileNotFoundError:
        return False
    except OSError:  # it is held, or cannot be told
        return True


def _target(link: Path) -> str:
    try:
        return Path(os.readlink(link)).name
    except OSError:
        return ""
