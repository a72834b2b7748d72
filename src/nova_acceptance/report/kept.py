"""A history that outlives the machine it was made on: what came of runs, kept in one place.

It is a directory, or an archive by its name, and holds of each run its `run.json` and nothing else:
`<run>/run.json`. A CI job restores it, gives it to the run, and keeps what the run made of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from nova_acceptance import timeouts
from nova_acceptance.errors import UsageError
from nova_acceptance.report import archives, outcomes, record
from nova_acceptance.report.archives import LARGEST, MOST_RUNS, NAME, Runs, began
from nova_acceptance.report.outcomes import Past

_ARCHIVES: Final = (*archives.TAR, *archives.ZIP)
_RETRY: Final = 0.05


@dataclass(frozen=True, slots=True)
class KeptHistory:
    """A history in a directory or an archive.

    Args:
        path: where it is, or will be.

    Raises:
        UsageError: there is something else.
    """

    path: Path

    def __post_init__(self) -> None:
        if self.path.exists() and not (
            self.path.is_file() if self._is_archive else self.path.is_dir()
        ):
            raise UsageError(
                f"{self.path}: no history can be kept there",
                hint=f"name a directory, or a file that ends in {', '.join(_ARCHIVES)}",
            )

    def read(self) -> Runs:
        """Return what is kept, the oldest run first; nothing where it is not there yet.

        Raises:
            UsageError: it cannot be read, or holds what is none of ours.
        """
        try:
            found = archives.read(self.path) if self._is_archive else _in_directory(self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(
                f"{self.path}: the history cannot be read: {error.strerror or error}",
                hint="see who may read it",
            ) from error
        return dict(sorted(found.items()))

    def pasts(self) -> Iterator[tuple[str, Past]]:
        """Yield what came of the runs that are kept, by their names, the newest first.

        What another version wrote in a form that is not known here is passed over.

        Raises:
            UsageError: as `read`.
        """
        for name, octets in reversed(self.read().items()):
            with suppress(ValueError, RecursionError):
                yield name, outcomes.parsed(octets)

    def add(self, runs: Mapping[str, bytes], keep: int | None = None) -> list[str]:
        """Add runs, remove the oldest where there are too many, and return the names of the rest.

        A file is replaced at once, so that a reader, or a machine that dies, never meets a half of
        it; of several that add at the same time one waits for the other.

        Args:
            runs: of each its `run.json`, by its name.
            keep: how many runs to keep, the newest; None for all.

        Raises:
            UsageError: as `read`, or it cannot be written, or would be larger than is read again.
        """
        try:
            place = self.path.parent if self._is_archive else self.path
            place.mkdir(parents=True, exist_ok=True)
            with self._alone():
                before = self.read()
                after = dict(sorted({**before, **runs}.items()))
                # Of runs that began in one second those that are added are the newer ones.
                by_age = sorted(after, key=lambda name: (began(name), name in runs, name))
                for name in [] if keep is None else by_age[:-keep]:
                    del after[name]
                if len(after) > MOST_RUNS or sum(map(len, after.values())) > LARGEST:
                    raise UsageError(
                        f"{self.path}: {len(after)} runs are more than a history holds",
                        hint="remove old ones with --keep-runs",
                    )
                if after != before:
                    self._write(before, after)
        except OSError as error:
            raise UsageError(
                f"{self.path}: the history cannot be written: {error.strerror or error}",
                hint="the runs are complete without it; `nova-report history` adds them later",
            ) from error
        return list(after)

    @property
    def _is_archive(self) -> bool:
        return self.path.name.endswith(_ARCHIVES)

    def _write(self, before: Runs, after: Runs) -> None:
        if self._is_archive:
            _replace(self.path, archives.packed(self.path, after))
            return
        for name, octets in after.items():
            if (self.path / name / record.FILE_NAME).exists():
                raise UsageError(
                    f"{self.path}: a directory of reports, of which each is a run's own",
                    hint="name another directory, or an archive",
                )
            if before.get(name) != octets:
                (self.path / name).mkdir(exist_ok=True)
                _replace(self.path / name / outcomes.FILE_NAME, octets)
        for name in before.keys() - after.keys():
            (self.path / name / outcomes.FILE_NAME).unlink(missing_ok=True)
            with suppress(OSError):  # somebody keeps more there
                (self.path / name).rmdir()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the history's lock, which the kernel lets go of when its holder dies."""
        beside = self.path.with_name(f".{self.path.name}.lock")
        with (beside if self._is_archive else self.path / ".lock").open("a") as file:
            Retrying(
                retry=retry_if_exception_type(BlockingIOError),
                stop=stop_after_delay(timeouts.HISTORY),
                wait=wait_fixed(_RETRY),
                reraise=True,
            )(fcntl.flock, file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield


def entry_of(directory: Path) -> tuple[str, bytes]:
    """Return the name by which a run is kept, and its `run.json`.

    A run whose directory has another name, such as one that was merged from shards, is kept by the
    time at which it began.

    Args:
        directory: the run's.

    Raises:
        UsageError: there is no record of a run, or it does not tell when the run began.
    """
    past = outcomes.read(directory)
    octets = outcomes.render(past).encode(errors="backslashreplace")
    name = directory.resolve().name
    if NAME.fullmatch(name):
        return name, octets
    if not past.started:
        raise UsageError(
            f"{directory}: the record does not tell when the run began",
            hint="a history has its runs by the time at which they began",
        )
    part = hashlib.sha256(past.name.encode(errors="backslashreplace")).hexdigest()[:6]
    return f"{past.started:{record.MOMENT}}-{part}", octets


def _in_directory(path: Path) -> Runs:
    """Read what is ours in a directory; what else is there, links among it, is none of ours."""
    found: Runs = {}
    for directory in path.iterdir():
        file = directory / outcomes.FILE_NAME
        is_ours = NAME.fullmatch(directory.name) and not directory.is_symlink()
        if is_ours and file.is_file() and not file.is_symlink():
            if (directory / record.FILE_NAME).exists() or file.stat().st_size > outcomes.LARGEST:
                continue
            found[directory.name] = file.read_bytes()
    return found


def _replace(path: Path, octets: bytes) -> None:
    """Put a file in another's place at once, and so that it is there after a loss of power."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
