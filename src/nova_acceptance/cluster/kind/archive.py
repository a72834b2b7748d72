"""What an archive of `docker save` holds, read without loading it."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nova_acceptance.errors import UsageError

_LONGEST = 1 << 20
_UNREADABLE = (EOFError, IndexError, KeyError, OSError, tarfile.TarError, TypeError, ValueError)


@dataclass(frozen=True)
class Saved:
    """One image in an archive.

    Attributes:
        name: the name by which it was saved.
        ids: every identifier under which an engine may know it: the digest of its configuration,
            and of its manifest or index, as an engine of containerd's image store has it.
    """

    name: str
    ids: frozenset[str]


def saved(path: Path) -> Saved:
    """Return the image of an archive.

    Source: the Docker Image Specification v1.2 (`manifest.json`), the OCI Image Layout
    (`index.json`).

    Raises:
        UsageError: it is no such archive, or its image has no name.
    """
    try:
        with tarfile.open(path) as archive:
            manifest = _json(archive, "manifest.json")[0]
            index = _json(archive, "index.json") if "index.json" in archive.getnames() else {}
    except _UNREADABLE as error:
        raise UsageError(
            f"{path} is no archive of an image",
            evidence=[f"{type(error).__name__}: {error}"],
            hint="`docker save --output FILE.tar IMAGE` writes one",
        ) from error
    names = manifest.get("RepoTags") or ()
    if not names:
        raise UsageError(
            f"the node image in {path} has no name",
            hint="`docker save` it by its name, not by its ID",
        )
    ids = {str(entry.get("digest")) for entry in index.get("manifests") or ()}
    configuration = str(manifest["Config"]).rpartition("/")[2].removesuffix(".json")
    return Saved(str(names[0]), frozenset({f"sha256:{configuration}", *ids}))


def _json(archive: tarfile.TarFile, name: str) -> Any:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return json.loads(file.read(_LONGEST))
