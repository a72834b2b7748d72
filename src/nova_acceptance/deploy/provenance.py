"""Which manifests a run is about: their commit, whether they still are as in it, their digest."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nova_acceptance import timeouts

_GENERATED: Final = ("addresses.conf", "tls.crt", "tls.key")
"""What is written for each deployment; a run takes others in their place."""

_QUESTIONS: Final = 3
"""What git is asked at once of a directory."""

_ASKS_ONLY: Final = (
    *("--no-optional-locks", "--literal-pathspecs"),
    # a program of the repository's own choice, which would be started
    *("-c", "core.fsmonitor=false"),
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where manifests and nova.yaml come from.

    Attributes:
        commit: the full commit of the repository that holds the manifests; empty where none does,
            or where git could not be asked.
        is_changed: whether manifests or nova.yaml differ from that commit; also where git did not
            say so in time.
        digest: SHA-256, in hexadecimal, of what `sha256sum` prints for the files of the manifests
            and nova.yaml, by their paths' order; empty where one cannot be read.
    """

    commit: str
    is_changed: bool
    digest: str

    def as_dict(self) -> dict[str, str | bool]:
        """Return the fields as the record names them."""
        return {"commit": self.commit, "changed": self.is_changed, "digest": self.digest}


def provenance(manifests: Path | None, spec: Path) -> Provenance:
    """Return where manifests and nova.yaml come from, as they are now.

    What a kustomization takes from outside its directory is not looked at.

    Args:
        manifests: a directory, or a file; None where the run is about nova.yaml alone.
        spec: the nova.yaml in use.
    """
    if manifests is None or manifests.is_file():
        return _of_files(spec, *([manifests] if manifests else []))
    status = ("status", "--porcelain", "--ignore-submodules=dirty")
    with ThreadPoolExecutor(_QUESTIONS) as beside:
        # HEAD:./ is refused where the commit does not hold the directory, an ignored one perhaps.
        named = beside.submit(_git, manifests, "rev-parse", "HEAD", "HEAD:./")
        changes = [
            beside.submit(_git, manifests, *status, *paths)
            for paths in (("--", "."), ("--ignored", "--", str(spec.absolute())))
        ]
        digest = _digest(manifests, spec)
    commit = (named.result() or "").partition("\n")[0]
    # A nova.yaml outside the repository is refused, and is not the commit's either.
    is_changed = bool(commit) and any(it.result() != "" for it in changes)
    return Provenance(commit, is_changed, digest)


def is_committed(directory: Path) -> bool:
    """Whether a directory is of a repository's commit; what is written there may be so, too."""
    return _git(directory, "rev-parse", "HEAD:./") is not None


def _of_files(spec: Path, *manifests: Path) -> Provenance:
    """Return the provenance of single files; the commit is that of the first manifests, if any."""
    first = (*manifests, spec)[0]
    commit = _git(first.parent, "rev-parse", "HEAD", f"HEAD:./{first.name}") or ""
    is_changed = bool(commit) and any(
        _git(first.parent, "status", "--porcelain", "--ignored", "--", str(path.absolute())) != ""
        for path in (*manifests, spec)
    )
    named = [(path.name, path) for path in (*manifests, spec)]
    return Provenance(commit.partition("\n")[0], is_changed, _digest_of(named))


def _git(directory: Path, *arguments: str) -> str | None:
    """Return what git says, without its last newline; None where it refuses or is not there."""
    # In a hook of git these would lead to the repository that the hook is about.
    environment = {name: it for name, it in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *_ASKS_ONLY, *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeouts.GIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.removesuffix("\n")


def _digest(manifests: Path, spec: Path) -> str:
    return _digest_of((*_files(manifests), (spec.name, spec)))


def _digest_of(named: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    try:
        for name, path in named:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{content}  {name}\n".encode(errors="surrogateescape"))
    except OSError:
        return ""
    return digest.hexdigest()


def _files(manifests: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files with their names relative to where the directory is."""
    for path in sorted(manifests.rglob("*")):
        if path.is_file() and not any(path.match(pattern) for pattern in _GENERATED):
            yield path.relative_to(manifests.parent).as_posix(), path
