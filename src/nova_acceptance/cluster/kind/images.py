"""Images from `images/*/Containerfile`, built by an engine, once for each content.

An image carries the digest of what it was made from as a label, its base's digest included, so
that "is it there already" is one question to the engine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nova_acceptance import timeouts
from nova_acceptance.cluster import command, side_by_side
from nova_acceptance.cluster.home import project
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.progress import Progress, Step

LABEL = "nova.digest"
DEBIAN = "localhost/nova-debian:bookworm"
"""The home-made stand-in for docker.io/library/debian:bookworm-slim."""
REPOSITORY = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
"""A part of an image's name, as Docker takes it."""


@dataclass(frozen=True)
class Image:
    """An image of ours.

    Attributes:
        name: its directory below `images/`.
        version: its tag.
        base: the image of ours it stands on, by name; None for Debian itself.
        parts: images of ours that it copies from, by name.
        packages: the stage of its Containerfile that needs none of its parts, and so is built while
            they are; empty where there is none.
        arguments: further build arguments.
        extra: files and directories laid into the build context, by their name there.
        system: the system that it belongs to, the first part of its name.
        root: what holds `images/`; None for this project.
    """

    name: str
    version: str
    base: str | None = "base"
    parts: tuple[str, ...] = ()
    packages: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Path] = field(default_factory=dict)
    system: str = "nova"
    root: Path | None = None

    @property
    def tag(self) -> str:
        """The full name that manifests use."""
        return f"docker.io/{self.system}/{self.name}:{self.version}"

    @property
    def directory(self) -> Path:
        """Its Containerfile's directory."""
        return (self.root or project()) / "images" / self.name


BASE = Image("base", "1", base=None)
NOVA = (
    BASE,
    Image("redis", "7"),
    Image("etcd", "3.4"),
    Image("postgres", "15"),
    Image("service", "1"),
    Image("probe", "1"),
)
"""What Nova's manifests run, and what asks in place of pods without Python."""

NODE = Image("node", "1")
"""Cluster DNS, pod network and volumes for the home-made node image."""


def images_of(directory: Path) -> tuple[Image, ...]:
    """Return the images of another system: one for each `images/<image>/Containerfile` in it.

    Each is named `docker.io/<directory>/<image>:1`, apart from Nova's own, and stands on Nova's
    base image where its Containerfile says `ARG BASE=docker.io/nova/base:1`, else on Debian.

    Raises:
        UsageError: there is none, or a name that no image can have.
    """
    root = directory.resolve()
    files = sorted(root.glob("images/*/Containerfile"))
    if not files:
        raise UsageError(
            f"there is no image below {directory}",
            hint="an image is a directory with a Containerfile: images/<image>/Containerfile",
        )
    for path in (root, *(file.parent for file in files)):
        if not REPOSITORY.fullmatch(path.name) or path.name in {"nova", BASE.name}:
            raise UsageError(
                f"no image can be named after the directory {path}",
                hint="rename it: small letters and digits, with - _ or . between them; "
                "nova and base are Nova's own",
            )
    return tuple(
        Image(file.parent.name, "1", base=_base(file), system=root.name, root=root)
        for file in files
    )


def _base(file: Path) -> str | None:
    stands_on_ours = re.search(rf"^ARG BASE={re.escape(BASE.tag)}$", file.read_text(), re.MULTILINE)
    return BASE.name if stands_on_ours else None


def digests(images: tuple[Image, ...]) -> dict[str, str]:
    """Return the digest of each image's content by name; a base comes before what stands on it."""
    found: dict[str, str] = {}
    for image in images:
        below = [name for name in (image.base, *image.parts) if name]
        content = hashlib.sha256("".join(found[name] for name in below).encode())
        for name, value in sorted(image.arguments.items()):
            content.update(f"{name}={value}\n".encode())
        for root in (image.directory, *image.extra.values()):
            for path in _files(root):
                is_program = bool(path.lstat().st_mode & 0o100)
                content.update(f"{path.relative_to(root)} {is_program}\n".encode())
                content.update(
                    os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
                )
        found[image.name] = content.hexdigest()
    return found


def digests_kept(images: tuple[Image, ...], kept: Path) -> dict[str, str]:
    """Return the same, from a file where no file of the images is another since it was written.

    The sources of Kubernetes have tens of megabytes. A file that is another has another inode, or
    another time of its last change (`st_ctime`), which no program can set.

    Args:
        images: see `digests`.
        kept: the file; it is written where it does not say it.
    """
    state = _state(images)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        said = json.loads(kept.read_text())
        if said["state"] == state:
            return {str(name): str(value) for name, value in said["digests"].items()}
    found = digests(images)
    beside = kept.with_name(f".{kept.name}-{os.getpid()}")
    with contextlib.suppress(OSError):  # it is found out anew, the next time
        try:
            beside.write_text(json.dumps({"state": state, "digests": found}))
            beside.replace(kept)
        finally:
            beside.unlink(missing_ok=True)
    return found


def _state(images: tuple[Image, ...]) -> str:
    """Return what is another where a file of an image, or an image itself, is another."""
    content = hashlib.sha256(repr(images).encode())
    for image in images:
        for root in (image.directory, *image.extra.values()):
            for path in _files(root):
                it = path.lstat()
                seen = it.st_ino, it.st_mode, it.st_size, it.st_mtime_ns, it.st_ctime_ns
                content.update(f"{path} {seen}\n".encode())
    return content.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """Walk what belongs to an image's content: no caches of tools, nothing hidden."""
    if root.is_file():
        yield root
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if any(part == "__pycache__" or part.startswith(".") for part in parts):
            continue
        if path.is_symlink() or path.is_file():
            yield path


@contextmanager
def _context(image: Image) -> Iterator[int]:
    """Yield the build context as a file descriptor of a tar archive.

    What comes from elsewhere is laid beside the image's own directory in the archive only, so
    that nothing is written into the checkout.
    """
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for place, root in (("", image.directory), *image.extra.items()):
                for path in _files(root):
                    name = str(Path(place) / path.relative_to(root))
                    archive.add(path, arcname=name, filter=_as_everybody_has_it)
        file.seek(0)
        yield file.fileno()


def _as_everybody_has_it(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Take the checkout's owner and umask out of an entry: images are read by other users."""
    entry.mode = 0o755 if entry.mode & 0o100 else 0o644
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = "root"
    return entry


class Builder:
    """Builds images with a Docker engine.

    Args:
        docker: the client's program.
        environment: variables that lead the client to the engine.
        log: where the builds' output goes.
        debian: the image to build on where a Containerfile names Debian; None pulls Debian's own.
    """

    def __init__(
        self, docker: Path, environment: Mapping[str, str], log: Path, debian: str | None
    ) -> None:
        self._docker = docker
        self._environment = environment
        self._log = log
        self._debian = debian

    def build(self, images: tuple[Image, ...], progress: Progress) -> list[str]:
        """Build those of the images that are not there in their present content; return them.

        What does not stand on one another is built side by side.

        Raises:
            ClusterError: a build failed, with the last lines of its output.
        """
        wanted = digests(images)
        missing = [each for each in images if self.label(each.tag) != wanted[each.name]]
        works: dict[str, Callable[[], object]] = {}
        after: dict[str, list[str]] = {}
        for image in missing:
            base = [image.base] if image.base else []
            if image.packages:
                ahead = f"{image.name}: {image.packages}"
                works[ahead] = partial(self._build_packages, image, progress)
                after[ahead], base = base, [ahead]
            works[image.name] = partial(self._build, image, wanted[image.name], progress)
            after[image.name] = [*base, *image.parts]
        side_by_side.do(works, after)
        return [image.tag for image in missing]

    def _build_packages(self, image: Image, progress: Progress) -> None:
        """Have the engine keep the layers of an image that need none of its parts."""
        with progress.step(f"installing the packages of image {image.tag}") as step:
            self._run(image, f"--target={image.packages}", step=step)

    def _build(self, image: Image, digest: str, progress: Progress) -> None:
        with progress.step(f"building image {image.tag}") as step:
            self._run(image, f"--tag={image.tag}", f"--label={LABEL}={digest}", step=step)

    def _run(self, image: Image, *options: str, step: Step) -> None:
        base = f"docker.io/nova/{image.base}:1" if image.base else self._debian
        arguments = {**image.arguments, **({"BASE": base} if base else {})}
        given = [f"--build-arg={name}={value}" for name, value in sorted(arguments.items())]
        argv = ["build", "--network=host", "--file=Containerfile", *options, *given, "-"]
        with _context(image) as stream:
            self.docker(*argv, stdin=stream, step=step)

    def label(self, tag: str) -> str | None:
        """Return the digest that an image carries, or None when the engine has no such image."""
        inspect = ["image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', tag]
        try:
            return self.docker(*inspect)[-1]
        except ClusterError:
            return None

    def docker(
        self, *arguments: str, stdin: int | None = None, step: Step | None = None
    ) -> list[str]:
        """Run docker's client and return the lines it wrote; a step shows what a build is doing."""
        return command.run(
            self.argv(*arguments),
            log=self._log,
            timeout=timeouts.BUILD,
            step=step,
            detail=_shown,
            environment=self._environment,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
        )

    def argv(self, *arguments: str) -> list[str]:
        """Return the command that runs docker's client."""
        return [str(self._docker), *arguments]

    @contextmanager
    def saved(self, tags: list[str]) -> Iterator[int]:
        """Yield a file descriptor from which images are read as an archive, never on disk."""
        variables = {**os.environ, **self._environment}
        argv = self.argv("save", *tags)
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env=variables) as source:
            try:
                yield source.stdout.fileno() if source.stdout else subprocess.DEVNULL
            finally:
                source.kill()


def _shown(line: str) -> str:
    """Show what a build is doing: its steps, and what apt and make say of theirs."""
    if match := re.match(r"Step (\d+/\d+) : (.+)", line):
        return f"{match[1]} {match[2]}"
    return line if re.match(r"(Setting up|Unpacking|Get:|\+\+\+|cmd/| +cmd/)", line) else ""
