"""Where everything of ours lies on this machine: one directory, named once.

ROOT/                 $NOVA_ACCEPTANCE_HOME, else nova-acceptance in the user's cache directory
  engine/rootfs/      the root directory of our container engine
  engine/cluster/     run/ (sockets, logs) and data/ (images, containers) of the engine of clusters
  engine/build/       the same of the engine that builds images
  bin/                kind and docker where the machine has none
  sources/            Debian's source packages
  templates/          the compiled templates of reports
  clusters/NAME/      kubeconfig and configuration of a cluster
  allowed.json        the clusters that this user has allowed to be written to
  digests.json        those of what the node image is made of, and of which files
  logs/               what the last build or start of each kind wrote
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

VARIABLE: Final = "NOVA_ACCEPTANCE_HOME"
_OURS: Final = (
    "allowed.json",
    "bin",
    "clusters",
    "digests.json",
    "engine",
    "lock",
    "locks",
    "logs",
    "sources",
    "templates",
)


@dataclass(frozen=True)
class Home:
    """The directory that holds everything of ours on this machine."""

    root: Path

    @classmethod
    def of_user(cls) -> Home:
        """Return the user's own, from the environment or the user's cache directory."""
        named = os.environ.get(VARIABLE)
        root = Path(named) if named else platformdirs.user_cache_path("nova-acceptance")
        return cls(root.expanduser().absolute())

    @property
    def rootfs(self) -> Path:
        """The engine's root directory."""
        return self.root / "engine" / "rootfs"

    @property
    def binaries(self) -> Path:
        """Programs for this machine's side: kind, and docker's client."""
        return self.root / "bin"

    @property
    def sources(self) -> Path:
        """Source packages, one directory each."""
        return self.root / "sources"

    @property
    def templates(self) -> Path:
        """The compiled templates of reports."""
        return self.root / "templates"

    @property
    def consents(self) -> Path:
        """The clusters that the user has allowed to be written to."""
        return self.root / "allowed.json"

    @property
    def digests(self) -> Path:
        """The digests of what the node image is made of, as long as its files are the same."""
        return self.root / "digests.json"

    def engine(self, purpose: str) -> Path:
        """Return the directory of the engine for that purpose, `cluster` or `build`."""
        return self.root / "engine" / purpose

    def cluster(self, name: str) -> Path:
        """Return the directory of a cluster."""
        return self.root / "clusters" / name

    def remove(self) -> None:
        """Remove everything of ours, and the directory itself if nothing else is in it.

        It may be any directory that the environment names, so what is not ours stays.

        Raises:
            OSError: something of ours could not be removed.
        """
        for path in (self.root / name for name in _OURS):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.root.rmdir()

    def log(self, name: str) -> Path:
        """Return the file for the output of a step, its directory made."""
        path = self.root / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def project() -> Path:
    """Return the checkout of this project: what holds `images/` and `manifests/`."""
    return Path(__file__).parents[3]
