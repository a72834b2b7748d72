"""The acceptance suite as an image: what its build needs, laid beside its Containerfile.

Wheels are fetched by pip, for the image's Python and this machine's processor, from wherever this
machine's pip has packages; so the build itself reaches nothing but Debian's, and is the same in an
engine of ours and in the user's Docker.
"""

from __future__ import annotations

import email
import platform
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from nova_acceptance import timeouts
from nova_acceptance.cluster import command
from nova_acceptance.cluster.home import Home, project
from nova_acceptance.cluster.kind.images import Image
from nova_acceptance.errors import UsageError
from nova_acceptance.progress import Progress

NAME: Final = "acceptance"
LOCK: Final = "requirements.lock"
PYTHON: Final = "3.11.2"
"""The Python of Debian 12, on which the image stands."""
_MACHINES: Final = {"arm64": "aarch64", "amd64": "x86_64"}
_GLIBC: Final = 36
"""The minor version of its C library, 2.36: wheels for it and for every earlier one will do."""
_SUITE: Final = ("tests", "manifests", "nova.yaml", "conftest.py", "pyproject.toml")
_SOURCES: Final = ("src", "pyproject.toml", "README.md")
"""What our own wheel is built from."""
_EPOCH: Final = "1577836800"
"""The time of every file in our own wheel, so that the same sources make the same image."""


@contextmanager
def suite_image(home: Home, progress: Progress) -> Iterator[Image]:
    """Yield the image of the suite, what goes into it in a directory that is gone afterwards.

    Raises:
        UsageError: this is no checkout of the project.
        ClusterError: pip could not get what it stands on, with the last lines of its output.
    """
    _require_checkout()
    with TemporaryDirectory(prefix="nova-suite-") as made:
        parts = {name: Path(made, name) for name in ("wheels", "own", "suite")}
        _fetch(parts["wheels"], parts["own"], Path(made, "sources"), home, progress)
        _copy(_SUITE, parts["suite"])
        yield Image(NAME, "1", extra=parts)


def write_context(into: Path, home: Home, progress: Progress) -> None:
    """Write the build context of the suite's image into a directory, for an engine elsewhere.

    Raises:
        UsageError: the directory is there already, or this is no checkout of the project.
        ClusterError: as of `suite_image`.
    """
    if into.exists():
        raise UsageError(f"{into} is there already", hint="name a new directory")
    with suite_image(home, progress) as image:
        shutil.copytree(image.directory, into)
        for name, directory in image.extra.items():
            shutil.copytree(directory, into / name)


def _require_checkout() -> None:
    lacking = [name for name in {*_SUITE, *_SOURCES, LOCK} if not (project() / name).exists()]
    if lacking:
        raise UsageError(
            "the image of the suite is made from a checkout of this project",
            hint="run it where tests/ and manifests/ are: pip install -e .",
            evidence=[f"{project()} lacks {', '.join(sorted(lacking))}"],
        )


def _fetch(wheels: Path, own: Path, sources: Path, home: Home, progress: Progress) -> None:
    log = home.log("suite")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    declared = tomllib.loads((project() / "pyproject.toml").read_text(encoding="utf-8"))
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    wanted = list(declared["project"]["dependencies"])
    versions = wheels.with_name("constraints.txt")
    versions.write_text("\n".join(locked((project() / LOCK).read_text(encoding="utf-8"))))
    with progress.step("fetching what the suite stands on") as step:
        while wanted:
            command.run(
                [
                    *(*pip, "download", f"--dest={wheels}", "--only-binary=:all:"),
                    *(f"--python-version={PYTHON.rpartition('.')[0]}", "--implementation=cp"),
                    *(f"--platform={each}" for each in _platforms(machine)),
                    f"--constraint={versions}",
                    *wanted,
                ],
                log=log,
                timeout=timeouts.BUILD,
                step=step,
            )
            wanted = lacking(wheels, machine)
    with progress.step("building the suite's own wheel") as step:
        _copy(_SOURCES, sources)  # building writes beside what it builds from
        command.run(
            [*pip, "wheel", "--no-deps", f"--wheel-dir={own}", str(sources)],
            log=log,
            timeout=timeouts.BUILD,
            step=step,
            environment={"SOURCE_DATE_EPOCH": _EPOCH},
        )


def locked(lock: str) -> list[str]:
    """Return what a lock file has as constraints for pip, without digests.

    With them pip takes nothing else, and of what a wheel requires in the image alone it knows none.
    """
    return re.findall(r"^([\w.-]+==[^\s;]+(?: ; [^\\\n]+?)?)(?= \\?$)", lock, re.MULTILINE)


def lacking(wheels: Path, machine: str) -> list[str]:
    """Return what wheels require in the image and is not among them.

    pip judges by the Python that it runs on what is only required of some versions.

    Args:
        wheels: the directory of the wheels.
        machine: the image's processor, as Linux calls it.
    """
    image = {
        "python_version": PYTHON.rpartition(".")[0],
        "python_full_version": PYTHON,
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": machine,
        "extra": "",
    }
    there = {parse_wheel_filename(wheel.name)[0] for wheel in wheels.glob("*.whl")}
    required = (
        requirement
        for wheel in sorted(wheels.glob("*.whl"))
        for requirement in _requirements(wheel)
        if requirement.marker is None or requirement.marker.evaluate(image)
    )
    found = {
        canonicalize_name(each.name): f"{each.name}{each.specifier}"
        for each in required
        if canonicalize_name(each.name) not in there
    }
    return list(found.values())


def _requirements(wheel: Path) -> Iterator[Requirement]:
    with zipfile.ZipFile(wheel) as file:
        name = next(name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(file.read(name))
    for line in metadata.get_all("Requires-Dist") or ():
        yield Requirement(line)


def _platforms(machine: str) -> list[str]:
    """Return the tags of wheels that a Debian 12 takes (PEP 600 and the names before it)."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC, 4, -1)]
    return [*tags, *(f"{name}_{machine}" for name in ("manylinux2014", "manylinux2010", "linux"))]


def _copy(names: tuple[str, ...], into: Path) -> None:
    into.mkdir()
    for name in names:
        source = project() / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
            shutil.copytree(source, into / name, ignore=ignored)
        else:
            shutil.copy(source, into / name)
