"""Nova's images in a local cluster that was there already, built by the user's Docker."""

from __future__ import annotations

from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster import command, doctor
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.images import NOVA, Builder
from nova_acceptance.kube import Kube, Object
from nova_acceptance.progress import Progress


def provide(context: str, kube: Kube, home: Home, progress: Progress) -> None:
    """Build what is not built in its present content, and load what the nodes lack.

    Where no Docker answers, nothing is done: the images may come from a registry, and a pod that
    cannot have its own says so.

    Args:
        context: the cluster's context, by whose name its loader is known.
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
    built = Builder(Path("docker"), {}, log, None).build(NOVA, progress)
    tags = [image.tag for image in NOVA]
    argv = loader(context, tags)
    if argv and (built or is_lacking(kube.list("v1", "Node"), tags)):
        with progress.step(f"loading {len(tags)} images into {context}") as step:
            command.run(argv, log=log, timeout=timeouts.BUILD, step=step)


def is_lacking(nodes: list[Object], tags: list[str]) -> bool:
    """Whether a node does not tell that it has every image; of many images it tells but some."""
    return any(not set(tags) <= _images(node) for node in nodes)


def loader(context: str, tags: list[str]) -> list[str]:
    """Return the command that loads images into the cluster of a context; empty for none.

    Docker Desktop's Kubernetes runs on the same engine, and finds what that has built.
    """
    if context.startswith("kind-"):
        return ["kind", "load", "docker-image", *tags, f"--name={context.removeprefix('kind-')}"]
    if context.startswith("k3d-"):
        return ["k3d", "image", "import", *tags, f"--cluster={context.removeprefix('k3d-')}"]
    if context == "docker-desktop":
        return []
    return ["minikube", "image", "load", *tags, f"--profile={context}"]


def _images(node: Object) -> set[str]:
    images = (node.get("status") or {}).get("images") or ()
    return {name for image in images for name in image.get("names") or ()}
