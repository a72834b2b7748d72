"""What our engine and the node image are made of, fetched from Debian's packages side by side."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from nova_acceptance.cluster import side_by_side
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.debian import KIND_SUITE, SUITE, Mirror
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


def provide_engine(home: Home, progress: Progress, *, with_sources: bool = False) -> None:
    """Make what runs on the machine's side: the engine's root directory, docker's client, kind.

    Args:
        home: where it lies.
        progress: where it is shown.
        with_sources: have what a node image is made of fetched meanwhile, for whoever makes one.

    Raises:
        ClusterError: a package could not be had.
        MachineError: the machine's apt knows no mirror.
    """
    log = home.log("engine")
    works: dict[str, Callable[[], object]] = {
        "engine": partial(_provide_rootfs, home, log, progress),
        "kind": partial(_provide_kind, home, log, progress),
    }
    if with_sources:
        works |= _sources(home, log, progress)
        if not home.engine("build").exists():
            works["debian"] = partial(provide_debian, home, log, progress)
    side_by_side.do(works)
    runtime = Path(__file__).parents[1] / "engine" / "bounded_runc.py"
    shutil.copyfile(runtime, home.rootfs / "usr/local/bin/bounded-runc")
    (home.rootfs / "usr/local/bin/bounded-runc").chmod(0o755)


def _provide_rootfs(home: Home, log: Path, progress: Progress) -> None:
    stamp = _stamp(SUITE, *ENGINE_PACKAGES)
    if (home.rootfs / stamp).exists():
        return
    title = "making the container engine from Debian's packages"
    with progress.step(title) as step, _whole(home.rootfs) as fresh:
        Mirror.of_machine(log).bootstrap(fresh, ENGINE_PACKAGES, step)
        (fresh / stamp).touch()


def _provide_kind(home: Home, log: Path, progress: Progress) -> None:
    if (home.binaries / _stamp(KIND_SUITE)).exists():
        return
    with (
        progress.step("fetching kind from Debian's packages") as step,
        _whole(home.binaries) as new,
    ):
        Mirror.of_machine(log).fetch_program("kind", KIND_SUITE, new, step)
        (new / "kind").symlink_to("usr/bin/kind")
        (new / "docker").symlink_to(home.rootfs / "usr/bin/docker")
        (new / _stamp(KIND_SUITE)).touch()


def provide_debian(home: Home, log: Path, progress: Progress) -> Path:
    """Return an archive of Debian to make the base image from; make it where there is none."""
    archive = home.sources / "debian.tar"
    if not archive.exists():
        part = archive.with_name("part.tar")
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with progress.step("fetching a base image from Debian's packages") as step:
                Mirror.of_machine(log).bootstrap(part, (), step, options=SLIM)
            part.rename(archive)
        finally:
            part.unlink(missing_ok=True)
    return archive


def provide_sources(home: Home, log: Path, progress: Progress) -> None:
    """Fetch the source packages that are not there, of Kubernetes and of kind.

    Raises:
        ClusterError: one could not be had.
        MachineError: the machine's apt knows no mirror.
    """
    side_by_side.do(_sources(home, log, progress))


def _sources(home: Home, log: Path, progress: Progress) -> dict[str, Callable[[], object]]:
    """Return what fetches the source packages that are not there, by name."""
    wanted = {"kubernetes": SUITE, "kind": KIND_SUITE}
    return {
        f"source of {package}": partial(_provide_source, home, package, suite, log, progress)
        for package, suite in wanted.items()
        if not (home.sources / package).exists()
    }


def _provide_source(home: Home, package: str, suite: str, log: Path, progress: Progress) -> None:
    title = f"fetching Debian's source of {package}"
    with progress.step(title) as step, _whole(home.sources / package) as new:
        version = Mirror.of_machine(log).fetch_source(package, suite, new, step)
        if package == "kind":
            _unpack_node_files(new)
        (new / "version").write_text(version)


def _stamp(*recipe: str) -> str:
    """Return the name of a file by which a part is known to be of this recipe."""
    return f".made-{hashlib.sha256(' '.join(recipe).encode()).hexdigest()[:12]}"


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
