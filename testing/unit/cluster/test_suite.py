"""What goes into the image of the suite."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nova_acceptance import cli
from nova_acceptance.cluster import suite
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.images import digests
from nova_acceptance.errors import UsageError
from nova_acceptance.progress import Progress

DECLARED = ["redis>=5.1"]
PLACES = {"--dest", "--wheel-dir"}


def wheel(directory: Path, name: str, *requires: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    with zipfile.ZipFile(directory / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join([*lines, "", ""]))


LOCK = """\
# made by a tool
redis==5.2.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
cffi==2.1.1 ; sys_platform != 'win32' \\
    --hash=sha256:cc
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    for name in ("tests/test_a.py", "tests/__pycache__/test_a.pyc", "manifests/base/a.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    for name in ("nova.yaml", "conftest.py", "README.md", "src/nova_acceptance/__init__.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    (root / "pyproject.toml").write_text(f"[project]\ndependencies = {DECLARED}\n")
    (root / "requirements.lock").write_text(LOCK)
    (root / "images" / "acceptance").mkdir(parents=True)
    (root / "images" / "acceptance" / "Containerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(suite, "project", lambda: root)
    monkeypatch.setattr("nova_acceptance.cluster.kind.images.project", lambda: root)
    return root


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stand in for pip, which reads what it is asked for and puts wheels where it is told."""
    found: list[list[str]] = []

    def run(argv: Sequence[str | Path], **_: object) -> list[str]:
        words = [str(word) for word in argv]
        found.append(words)
        (into,) = (word.partition("=")[2] for word in words if word.split("=")[0] in PLACES)
        if "wheel" in words:
            wheel(Path(into), "nova_acceptance", *DECLARED)
        elif words[-1].startswith("redis"):
            wheel(Path(into), "redis", 'async-timeout>=4; python_full_version < "3.11.3"')
        else:
            wheel(Path(into), "async_timeout")
        return []

    monkeypatch.setattr("nova_acceptance.cluster.command.run", run)
    return found


@pytest.mark.parametrize(
    ("requires", "lacking"),
    [
        (['older; python_full_version < "3.11.3"'], ["older"]),
        (['older; python_version < "3.11"'], []),
        (['windows; sys_platform == "win32"'], []),
        (['elsewhere; platform_machine == "aarch64"'], []),
        (['extra; extra == "tests"'], []),
        (["There.Already"], []),
        (["absent>=2,<3"], ["absent<3,>=2"]),
    ],
)
def test_what_only_the_image_s_python_requires_is_found(
    tmp_path: Path, requires: list[str], lacking: list[str]
) -> None:
    wheel(tmp_path, "there_already")
    wheel(tmp_path, "first", *requires)

    assert suite.lacking(tmp_path, "x86_64") == lacking


@pytest.mark.usefixtures("asked")
def test_context_is_written_for_an_engine_elsewhere(checkout: Path, tmp_path: Path) -> None:
    into = tmp_path / "context"

    suite.write_context(into, Home(tmp_path / "home"), Progress())

    files = {str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()}
    assert files == {
        "Containerfile",
        *(f"suite/{name}" for name in ("nova.yaml", "conftest.py", "pyproject.toml")),
        *("suite/tests/test_a.py", "suite/manifests/base/a.yaml"),
        *(f"wheels/{name}-1.0-py3-none-any.whl" for name in ("async_timeout", "redis")),
        "own/nova_acceptance-1.0-py3-none-any.whl",
    }
    assert not (checkout / "build").exists()
    with pytest.raises(UsageError, match="is there already"):
        suite.write_context(into, Home(tmp_path / "home"), Progress())


def test_what_is_locked_is_what_the_image_gets() -> None:
    assert suite.locked(LOCK) == ["redis==5.2.0", "cffi==2.1.1 ; sys_platform != 'win32'"]


@pytest.mark.usefixtures("checkout")
def test_wheels_are_asked_for_by_the_image_s_platform(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")

    with suite.suite_image(Home(tmp_path), Progress()) as image:
        assert image.tag == "docker.io/nova/acceptance:1"
        assert image.extra.keys() == {"wheels", "own", "suite"}

    first, second, own = asked
    assert "--only-binary=:all:" in first
    assert "--python-version=3.11" in first
    assert any(word.startswith("--constraint=") for word in first)
    assert {"--platform=manylinux_2_36_aarch64", "--platform=manylinux2014_aarch64"} <= {*first}
    assert (first[-1], second[-1]) == ("redis>=5.1", "async-timeout>=4")
    assert {"wheel", "--no-deps"} <= {*own}


@pytest.mark.usefixtures("asked")
def test_a_test_that_changes_makes_another_image(checkout: Path, tmp_path: Path) -> None:
    def digest() -> str:
        with suite.suite_image(Home(tmp_path), Progress()) as image:
            return digests((replace(image, base=None),))[image.name]

    before = digest()
    (checkout / "tests" / "test_a.py").write_text("y")

    assert digest() != before


def test_installation_without_a_checkout_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "project", lambda: tmp_path)

    result = CliRunner().invoke(cli.main, ["suite", "--into", str(tmp_path / "context")])

    assert result.exit_code == 2
    assert "is made from a checkout of this project" in result.output
    assert "lacks README.md, conftest.py" in result.output
