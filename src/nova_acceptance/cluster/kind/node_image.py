"""The home-made node image: Debian, Kubernetes from Debian's source, kind's own node files.

Every image that a node runs lies in its containerd's store already, so that a start pulls and
imports nothing. Two engines take part: one that builds, on the machine's network as apt is, and
the one that clusters run in, which has no way out and is given the finished image.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_acceptance import kubectl
from nova_acceptance.cluster.engine import Engine
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind import parts, store
from nova_acceptance.cluster.kind.images import (
    DEBIAN,
    LABEL,
    NODE,
    NOVA,
    Builder,
    Image,
    digests,
    digests_kept,
)
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress

REPOSITORY = "nova/kind"


def is_home_made(image: str) -> bool:
    """Whether a node's image is one that this module makes."""
    return image.partition(":")[0] == REPOSITORY


class NodeImage:
    """The node image for what `images/` holds now.

    Args:
        home: where engines and sources lie.
        clusters: the engine that the image is for.
    """

    def __init__(self, home: Home, clusters: Engine) -> None:
        self._home = home
        self._docker = home.binaries / "docker"
        self._log = home.log("node-image")
        self._there = Builder(self._docker, clusters.environment, self._log, DEBIAN)

    def provide(self, progress: Progress) -> str:
        """Return the image's name in the engine of clusters; build what is missing first.

        Raises:
            ClusterError: a part could not be fetched or built, with the last lines of its output.
        """
        tag = self.name(progress)
        if self._there.label(tag) is None:
            self._build(self._images(), tag, progress)
        return tag

    def name(self, progress: Progress) -> str:
        """Return the image's name, which says what it is made of, whether it is built or not.

        Raises:
            ClusterError: a source could not be fetched.
        """
        parts.provide_sources(self._home, self._log, progress)
        return self._tag(self._images())

    def provide_images(self, images: tuple[Image, ...], progress: Progress) -> None:
        """Bring images, Nova's own or others', to the engine of clusters.

        Args:
            images: what is wanted there, each after what it stands on.
            progress: where it is shown.

        Raises:
            ClusterError: one could not be built or handed over.
        """
        wanted = digests(images)
        missing = [image for image in images if self._there.label(image.tag) != wanted[image.name]]
        if not missing:
            return
        with self._building(progress) as builder:
            builder.build(images, progress)
            with progress.step(f"handing {len(missing)} images to the engine of clusters"):
                self._hand_over(builder, [image.tag for image in missing])

    @property
    def _version(self) -> str:
        """The version of Kubernetes that Debian's source builds, such as 1.20.2."""
        text = (self._home.sources / "kubernetes" / "version").read_text()
        match = re.search(r"(?:\+really)?(\d+\.\d+\.\d+)(?:[-+]|$)", text.rpartition("+really")[2])
        if match is None:
            raise ClusterError(f"Debian's version {text} of Kubernetes is not understood")
        return match[1]

    def _images(self) -> tuple[Image, ...]:
        sources = self._home.sources
        version = {"VERSION": self._version}
        source = {"source": sources / "kubernetes"}
        node_files = {"kind": sources / "kind" / "node-files", "kubectl": Path(kubectl.program())}
        binaries, packages = ("kubernetes-build",), "packages"
        return (
            Image("kubernetes-build", "1", base=None, arguments=version, extra=source),
            *NOVA,
            NODE,
            Image("pause", "1", base=None),
            Image("kubernetes", "1", base=None, parts=binaries, packages=packages),
            Image("kind-node", "1", base=None, parts=binaries, packages=packages, extra=node_files),
        )

    def _tag(self, images: tuple[Image, ...]) -> str:
        content = hashlib.sha256(Path(store.__file__).read_bytes())
        for name, value in sorted(digests_kept(images, self._home.digests).items()):
            content.update(f"{name}={value}\n".encode())
        return f"{REPOSITORY}:v{self._version}-{content.hexdigest()[:12]}"

    def _build(self, images: tuple[Image, ...], tag: str, progress: Progress) -> None:
        with self._building(progress) as builder:
            builder.build(images, progress)
            with progress.step("laying the images into the node image's store"):
                store.preload(builder, f"v{self._version}", tag, f"{LABEL}={tag}")
            with progress.step("handing the node image to the engine of clusters"):
                self._hand_over(builder, [tag])
                builder.docker("image", "rm", tag)
                builder.docker("image", "prune", "--force")
        self._forget_others(tag)

    def _forget_others(self, tag: str) -> None:
        """Remove home-made node images of earlier content, but for those that nodes still run."""
        listing = ["images", "--format={{.Repository}}:{{.Tag}}", REPOSITORY]
        used = self._there.docker("ps", "--all", "--format={{.Image}}")
        for image in set(self._there.docker(*listing)) - {tag, *used}:
            self._there.docker("image", "rm", image)

    @contextmanager
    def _building(self, progress: Progress) -> Iterator[Builder]:
        """Yield a builder on an engine that lives for as long as it is used."""
        engine = Engine(self._home.engine("build"), self._home.rootfs, is_isolated=False)
        self._log.unlink(missing_ok=True)
        with progress.step("starting the engine that builds images"):
            engine.start()
        try:
            builder = Builder(self._docker, engine.environment, self._log, DEBIAN)
            self._import_debian(builder, progress)
            yield builder
        finally:
            with progress.step("stopping the engine that builds images"):
                engine.stop()

    def _import_debian(self, builder: Builder, progress: Progress) -> None:
        if builder.label(DEBIAN) is not None:
            return
        archive = parts.provide_debian(self._home, self._log, progress)
        with progress.step("importing the base image"):
            builder.docker("import", "--change", f"LABEL {LABEL}=made", str(archive), DEBIAN)
        archive.unlink()

    def _hand_over(self, builder: Builder, tags: list[str]) -> None:
        with builder.saved(tags) as stream:
            self._there.docker("load", stdin=stream)
