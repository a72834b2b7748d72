"""The request for a cluster, and the cluster that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nova_acceptance.phrase import Phrase

DEFAULT_NAME = "nova"
DEFAULT_NODES = 3
MOST_NODES = 9


@dataclass(frozen=True)
class Request:
    """What a user asks for with `--cluster` and its companions.

    Attributes:
        cluster: `local`, `kind`, `kind:NAME`, `docker-desktop`, `k3d`, `minikube`, `in-cluster` or
            `context:NAME`.
        nodes: how many nodes; None takes a cluster with as many as it has, and makes one with
            `DEFAULT_NODES`.
        node_image: kind's node image; None takes a cluster of whatever image, or builds one.
        name: the name of a cluster that has to be made.
        is_looking: whether nothing is changed for it: no cluster is made or started, and no image
            is loaded.
        may_create: whether one is made where none is up; a run that deploys nothing would find
            nothing on it.
    """

    cluster: str = "local"
    nodes: int | None = None
    node_image: str | None = None
    name: str = DEFAULT_NAME
    may_create: bool = True
    is_looking: bool = False


@dataclass(frozen=True)
class Cluster:
    """A cluster that answers.

    Attributes:
        name: what its provider calls it.
        provider: `kind`, `k3d`, `minikube`, `in-cluster`, or `context` for one that was there.
        kubeconfig: the file that leads to it; None stands for the user's own. In a pod of the
            cluster it is the directory of the pod's ServiceAccount.
        context: the context in that file.
        reason: why this one was taken, in one sentence.
        reuse_hint: the command that uses it again.
        remove_hint: the command that removes it, or Nova alone where the cluster is not ours.
        is_local: whether it is this machine's own, so that nobody else's is written to.
    """

    name: str
    provider: str
    kubeconfig: Path | None
    context: str
    reason: Phrase
    reuse_hint: str
    remove_hint: str = ""
    is_local: bool = False
