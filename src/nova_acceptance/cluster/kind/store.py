"""Filling a node image's containerd store, so that no node pulls or imports anything.

containerd runs inside the node image on a volume, since its overlay snapshots cannot be unpacked
onto another overlay; what it has unpacked is then copied in, and kept by `docker commit`. kind
makes its node images in the same way (pkg/build/nodeimage).
"""

from __future__ import annotations

import time

from nova_acceptance import timeouts
from nova_acceptance.cluster.kind.images import NODE, NOVA, Builder
from nova_acceptance.errors import ClusterError

NODE_OS = "docker.io/nova/kind-node:1"
KUBERNETES = "docker.io/nova/kubernetes:1"
PAUSE = "docker.io/nova/pause:1"
VOLUME = "nova-store"
IMPORTER = "nova-store-import"
PACKER = "nova-store-pack"

# Docker keeps a layer's deletions as character devices 0:0. In a store that is itself a layer they
# would delete the wrong things, and cannot be copied; an image of ours needs none.
PACK = r"""
find /store -type c -exec sh -c '[ "$(stat -c %t%T "$1")" = 00 ]' - {} \; -delete
cp -a /store/containerd /var/lib/
echo "$0" >/kind/version
"""


def preload(builder: Builder, version: str, tag: str, label: str) -> None:
    """Make the node image `tag` from the node's OS image and every image that a node runs.

    Args:
        builder: the engine that has those images.
        version: Kubernetes' version with its `v`, as kind reads it from `/kind/version`.
        tag: the name of the image to make.
        label: a label for it, `NAME=VALUE`.

    Raises:
        ClusterError: an image could not be imported or kept.
    """
    names = _kubernetes_images(builder, version)
    names += [PAUSE, NODE.tag, *(image.tag for image in NOVA)]
    _clean(builder)
    try:
        volume = f"--volume={VOLUME}:/store"
        run = ["run", "--privileged", "--network=none", volume]
        containerd = ["--entrypoint=/usr/bin/containerd", NODE_OS, "--root=/store/containerd"]
        builder.docker(*run, "--detach", f"--name={IMPORTER}", *containerd)
        _import(builder, names)
        builder.docker("stop", IMPORTER)
        packing = ["--entrypoint=/bin/sh", NODE_OS, "-euc", PACK, version]
        builder.docker(*run, f"--name={PACKER}", *packing)
        entrypoint = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
        changes = [f"--change={entrypoint}", "--change=CMD []", f"--change=LABEL {label}"]
        builder.docker("commit", *changes, PACKER, tag)
    finally:
        _clean(builder)


def _kubernetes_images(builder: Builder, version: str) -> list[str]:
    """Give our images the names that kubeadm will ask for; return them."""
    kubeadm = ["run", "--rm", "--network=none", "--entrypoint=kubeadm", NODE_OS]
    listing = builder.docker(
        *kubeadm, "config", "images", "list", f"--kubernetes-version={version}"
    )
    names = [line for line in listing if line.count("/") and ":" in line and " " not in line]
    for name in names:
        component = name.rpartition("/")[2].partition(":")[0]
        ours = {"coredns": NODE.tag, "pause": PAUSE}.get(component, KUBERNETES)
        builder.docker("tag", ours, name)
    return names


def _import(builder: Builder, names: list[str]) -> None:
    deadline = time.monotonic() + timeouts.ENGINE_START
    ctr = ["ctr", "--namespace=k8s.io"]
    while True:
        try:
            builder.docker("exec", IMPORTER, *ctr, "version")
            break
        except ClusterError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    with builder.saved(names) as stream:
        importing = ["images", "import", "-"]
        builder.docker("exec", "--interactive", IMPORTER, *ctr, *importing, stdin=stream)


def _clean(builder: Builder) -> None:
    """Remove what this or an earlier, interrupted run has left."""
    builder.docker("rm", "--force", IMPORTER, PACKER)
    builder.docker("volume", "rm", "--force", VOLUME)
