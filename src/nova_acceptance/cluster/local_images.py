"""Nova's images in a local cluster that was there already, built by the user's Docker.

How a cluster is given images is found out from its nodes. A node that is a container of the user's
Docker with a containerd in it (kind, k3d, Docker Desktop's Kubernetes of several nodes) is handed
them; a profile of minikube loads them by minikube's own program; where nodes are neither (Docker
Desktop's Kubernetes of one node) they run on the engine that has built them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster import command, doctor
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.images import NOVA, Builder
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube, Object
from nova_acceptance.progress import Progress

CTR = ("ctr", "--namespace=k8s.io")
"""containerd's client on a node, and the namespace in which a kubelet's images are."""

_AT_ONCE = 2


def provide(context: str, kube: Kube, home: Home, progress: Progress) -> None:
    """Build what is not built in its present content, and load what the nodes lack.

    Where no Docker answers, nothing is done: the images may come from a registry, and a pod that
    cannot have its own says so.

    Args:
        context: the cluster's context, by whose name minikube knows its profile.
        kube: the cluster.
        home: where logs go.
        progress: where it is shown.

    Raises:
        ClusterError: a build or a load failed, with the last lines of its output.
    """
    if not doctor.docker_answers():
        progress.say("no Docker answers here: the cluster has to have Nova's images, or pull them")
        return
    log = home.log("images")
    builder = Builder(Path("docker"), {}, log, None)
    built = builder.build(NOVA, progress)
    tags = [image.tag for image in NOVA]
    nodes = kube.list("v1", "Node")
    names = [node["metadata"]["name"] for node in (nodes if built else lacking(nodes, tags))]
    work = _loads(names, context, builder, tags, log)
    if work:
        with (
            progress.step(f"loading {len(tags)} images into {', '.join(names)}"),
            ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="load") as pool,
        ):
            for done in [pool.submit(each) for each in work]:
                done.result()


def lacking(nodes: Sequence[Object], tags: Sequence[str]) -> list[Object]:
    """Return the nodes that do not tell that they have every image; of many they tell but some."""
    return [node for node in nodes if not set(tags) <= _images(node)]


def _loads(
    nodes: Sequence[str], context: str, builder: Builder, tags: list[str], log: Path
) -> list[Callable[[], object]]:
    """Return what loads the images into these nodes; nothing where there is nothing to load."""
    if not nodes:
        return []
    containers = [node for node in nodes if _has_containerd(builder, node)]
    if containers:
        return [partial(_hand_over, builder, node, tags) for node in containers]
    minikube = ["minikube", "image", "load", *tags, f"--profile={context}"]
    if shutil.which("minikube") and _is_profile(context, log):
        return [partial(command.run, minikube, log=log, timeout=timeouts.BUILD)]
    return []


def _has_containerd(builder: Builder, node: str) -> bool:
    try:
        builder.docker("exec", node, *CTR, "version")
    except ClusterError:
        return False
    return True


def _is_profile(name: str, log: Path) -> bool:
    asking = ["minikube", "status", f"--profile={name}"]
    try:
        command.run(asking, log=log, timeout=timeouts.API_REQUEST)
    except ClusterError:
        return False
    return True


def _hand_over(builder: Builder, node: str, tags: list[str]) -> None:
    with builder.saved(tags) as archive:
        importing = ["exec", "--interactive", node, *CTR, "images", "import", "--digests", "-"]
        builder.docker(*importing, stdin=archive)


def _images(node: Object) -> set[str]:
    images = (node.get("status") or {}).get("images") or ()
    return {name for image in images for name in image.get("names") or ()}
