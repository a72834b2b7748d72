"""The home-made node image: Debian, Kubernetes from Debian's source, kind's own node files.

Every image that a node runs lies in its containerd's store already, so that a start pulls and
imports nothing. Two engines take part: one that builds, on the machine's network as apt is, and
the one that clusters run in, which has no way out and is given the finished image.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_acceptance import kubectl
from nova_acceptance.cluster.engine import Engine
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind import store
from nova_acceptance.cluster.kind.debian import KIND_SUITE, SUITE, Mirror
from nova_acceptance.cluster.kind.images import DEBIAN, LABEL, NODE, NOVA, Builder, Image, digests
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress

ENGINE_PACKAGES = (
    "ca-certificates",
    "docker.io",
    "iproute2",
    "iptables",
    "kmod",
    "pigz",
    "procps",
    "python3",
)
SLIM = tuple(
    f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "info", "locale")
)


REPOSITORY = "nova/kind"


def is_home_made(image: str) -> bool:
    """Whether a node's image is one that this module makes."""
    return image.partition(":")[0] == REPOSITORY


def _stamp(*recipe: str) -> str:
    """Return the name of a file by which a part is known to be of this recipe."""
    return f".made-{hashlib.sha256(' '.join(recipe).encode()).hexdigest()[:12]}"


def provide_engine(home: Home, progress: Progress) -> None:
    """Make what runs on the machine's side: the engine's root directory, docker's client, kind.

    Raises:
        ClusterError: a package could not be had.
        MachineError: the machine's apt knows no mirror.
    """
    log = home.log("engine")
    if not (home.rootfs / _stamp(SUITE, *ENGINE_PACKAGES)).exists():
        title = "making the container engine from Debian's packages"
        with progress.step(title) as step, _whole(home.rootfs) as fresh:
            Mirror.of_machine(log).bootstrap(fresh, ENGINE_PACKAGES, step)
            (fresh / _stamp(SUITE, *ENGINE_PACKAGES)).touch()
    runtime = Path(__file__).parents[1] / "engine" / "bounded_runc.py"
    shutil.copyfile(runtime, home.rootfs / "usr/local/bin/bounded-runc")
    (home.rootfs / "usr/local/bin/bounded-runc").chmod(0o755)
    if not (home.binaries / _stamp(KIND_SUITE)).exists():
        title = "fetching kind from Debian's packages"
        with progress.step(title) as step, _whole(home.binaries) as fresh:
            Mirror.of_machine(log).fetch_program("kind", KIND_SUITE, fresh, step)
            (fresh / "kind").symlink_to("usr/bin/kind")
            (fresh / "docker").symlink_to(home.rootfs / "usr/bin/docker")
            (fresh / _stamp(KIND_SUITE)).touch()


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
        self._provide_sources(progress)
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

    def _provide_sources(self, progress: Progress) -> None:
        for package, suite in (("kubernetes", SUITE), ("kind", KIND_SUITE)):
            target = self._home.sources / package
            if target.exists():
                continue
            with (
                progress.step(f"fetching Debian's source of {package}") as step,
                _whole(target) as new,
            ):
                version = Mirror.of_machine(self._log).fetch_source(package, suite, new, step)
                if package == "kind":
                    _unpack_node_files(new)
                (new / "version").write_text(version)

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
        binaries = ("kubernetes-build",)
        return (
            *NOVA,
            NODE,
            Image("pause", "1", base=None),
            Image("kubernetes-build", "1", base=None, arguments=version, extra=source),
            Image("kubernetes", "1", base=None, parts=binaries),
            Image("kind-node", "1", base=None, parts=binaries, extra=node_files),
        )

    def _tag(self, images: tuple[Image, ...]) -> str:
        content = hashlib.sha256(Path(store.__file__).read_bytes())
        for name, value in sorted(digests(images).items()):
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
            self._provide_debian(builder, progress)
            yield builder
        finally:
            with progress.step("stopping the engine that builds images"):
                engine.stop()

    def _provide_debian(self, builder: Builder, progress: Progress) -> None:
        if builder.label(DEBIAN) is not None:
            return
        with progress.step("making a base image from Debian's packages") as step:
            archive = self._home.root / "debian.tar"
            try:
                Mirror.of_machine(self._log).bootstrap(archive, (), step, options=SLIM)
                builder.docker("import", "--change", f"LABEL {LABEL}=made", str(archive), DEBIAN)
            finally:
                archive.unlink(missing_ok=True)

    def _hand_over(self, builder: Builder, tags: list[str]) -> None:
        with builder.saved(tags) as stream:
            self._there.docker("load", stdin=stream)


def _unpack_node_files(source: Path) -> None:
    """Take out of kind's source what its own node image is made with (images/base/files)."""
    archive = next(source.glob("kind_*.orig.tar.*"))
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            _, found, name = member.name.partition("/images/base/files/")
            if found and name:
                member.name = name
                tar.extract(member, source / "node-files", filter="data")
    archive.unlink()


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a directory that becomes `target` only once it is whole."""
    fresh = target.with_name(f"{target.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    try:
        if target.name != "rootfs":
            fresh.mkdir()
        yield fresh
        fresh.rename(target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
