"""Archives of a history, read without trust: in memory, never unpacked, and no more than it holds.

An archive comes from outside: a cache, an artefact, a colleague. Whatever is in it that is not a
plain file of a run refuses it as a whole: a path that leads out, a link, a device. So does more
than any history has, before it is read: what an archive claims of itself is no measure of it.
"""

from __future__ import annotations

import gzip
import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from nova_acceptance.errors import UsageError
from nova_acceptance.report import outcomes

NAME: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
"""The name of a run: its start in UTC, and a random part. Such names sort by time."""

MOST_RUNS: Final = 10_000
LARGEST: Final = 200_000_000
"""Octets of all that a history holds: of 100 runs of 5,000 tests it has 50 million."""

TAR: Final = (".tar.gz", ".tgz")
ZIP: Final = (".zip",)

_MEMBER: Final = re.compile(rf"({NAME.pattern})/{re.escape(outcomes.FILE_NAME)}")
_DAMAGED: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    ValueError,
    RuntimeError,  # a password is needed, or the compression is not known here
)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""A member's time, the first that a zip can have: what it holds tells when the run was."""
_BLOCK: Final = 65_536

Runs = dict[str, bytes]
"""Of each run its `run.json`, by the run's name."""


def began(name: str) -> str:
    """Return the part of a run's name that tells when the run began, to the second."""
    return name.partition("-")[0]


class _Member(NamedTuple):
    """A member: its name, the octets that it claims, and what reads it; None for no plain file."""

    name: str
    size: int
    read: Callable[[], bytes] | None


def read(path: Path) -> Runs:
    """Return the runs in an archive.

    Args:
        path: a file with one of the names' ends in `TAR` and `ZIP`.

    Raises:
        UsageError: it is damaged, or not ours, or larger than any history.
        FileNotFoundError: it is not there.
        OSError: it cannot be read.
    """
    members = _tar_members if path.name.endswith(TAR) else _zip_members
    found: Runs = {}
    total = 0
    try:
        for member in members(path):
            match = _MEMBER.fullmatch(member.name)
            if not match or not member.read:
                raise _foreign(path, member.name)
            total += member.size
            if member.size > outcomes.LARGEST or total > LARGEST or len(found) >= MOST_RUNS:
                raise _too_large(path)
            found[match[1]] = member.read()
    except _TooLargeError:
        raise _too_large(path) from None
    except _DAMAGED as error:
        raise UsageError(
            f"{path}: the history is damaged: {error or type(error).__name__}", hint=_ANEW
        ) from error
    return found


def packed(path: Path, runs: Mapping[str, bytes]) -> bytes:
    """Return an archive of runs, of the kind that a file's name says; the same for the same runs.

    Args:
        path: a file with one of the names' ends in `TAR` and `ZIP`.
        runs: of each its `run.json`, by its name.
    """
    file = io.BytesIO()
    members = {f"{name}/{outcomes.FILE_NAME}": octets for name, octets in runs.items()}
    if path.name.endswith(ZIP):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, octets in members.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), octets, zipfile.ZIP_DEFLATED)
        return file.getvalue()
    with (
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, octets in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(octets)
            archive.addfile(entry, io.BytesIO(octets))
    return file.getvalue()


_ANEW: Final = "remove it, and a new one begins"


def _foreign(path: Path, name: str) -> UsageError:
    return UsageError(
        f"{path}: this is no history of runs: {name[:80]!r} is in it",
        hint=f"a history holds <run>/{outcomes.FILE_NAME} of each run and nothing else; "
        "`nova-report history PATH reports/<run>…` makes one",
    )


def _too_large(path: Path) -> UsageError:
    return UsageError(f"{path}: this is larger than any history, and is not read", hint=_ANEW)


class _TooLargeError(Exception):
    """More octets came out of an archive than a history has."""


class _Limited(io.RawIOBase):
    """A stream that gives no more than a history has: a gzip does not tell what is in it.

    Also the headers of a tar may be of any length, which tarfile reads as a whole.
    """

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = 2 * LARGEST  # headers and padding beside what the members have

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        octets = self._stream.read(min(len(buffer), _BLOCK))
        self._left -= len(octets)
        if self._left < 0:
            raise _TooLargeError
        buffer[: len(octets)] = octets
        return len(octets)


def _tar_members(path: Path) -> Iterator[_Member]:
    with (
        gzip.open(path) as stream,
        io.BufferedReader(_Limited(stream), _BLOCK) as limited,
        tarfile.open(fileobj=limited, mode="r|") as archive,
    ):
        for entry in archive:
            if entry.isdir() and NAME.fullmatch(entry.name):
                continue
            file = archive.extractfile(entry) if entry.isreg() and not entry.issparse() else None
            yield _Member(entry.name, entry.size, partial(file.read) if file else None)


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir() and NAME.fullmatch(entry.filename.rstrip("/")):
                continue
            kind = stat.S_IFMT(entry.external_attr >> 16)
            is_plain = kind in (0, stat.S_IFREG)
            # No more than the claimed size is ever taken out of a member.
            read_it = partial(archive.read, entry) if is_plain else None
            yield _Member(entry.filename, entry.file_size, read_it)
