"""The cluster that something is measured on, as every client of it is told."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nova_acceptance import kubectl
from nova_acceptance.cluster.choice import obtain
from nova_acceptance.cluster.model import Request
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster that is up.

    Attributes:
        cluster: what `--cluster` of the suite calls it.
        kubeconfig: a file that leads to this cluster and to no other.
        kubectl: the program that all are measured with: that of this environment, else the PATH's.
    """

    cluster: str
    kubeconfig: Path
    kubectl: str

    @property
    def asking(self) -> list[str]:
        """The command that runs kubectl there."""
        return [self.kubectl, f"--kubeconfig={self.kubeconfig}"]


@contextmanager
def place_of(cluster: str) -> Iterator[Place]:
    """Yield the cluster that is named, which is neither made nor changed for it.

    Args:
        cluster: as `--cluster` of the suite takes it.

    Raises:
        NovaError: none is up that it could mean, or there is no kubectl.
    """
    program = kubectl.program()
    found = obtain(Request(cluster=cluster, may_create=False, is_looking=True), Progress())
    argv = [program, "config", "view", "--raw", "--minify", "--flatten"]
    argv += [f"--context={found.context}"]
    argv += [f"--kubeconfig={found.kubeconfig}"] if found.kubeconfig else []
    shown = subprocess.run(argv, check=False, capture_output=True)
    if shown.returncode:
        raise ClusterError(
            f"kubectl finds no kubeconfig of {found.name}",
            evidence=shown.stderr.decode("utf-8", "replace").splitlines()[-3:],
        )
    with tempfile.TemporaryDirectory() as scratch:  # which nobody else may look into
        own = Path(scratch, "kubeconfig")
        own.write_bytes(shown.stdout)
        yield Place(cluster, own, program)
