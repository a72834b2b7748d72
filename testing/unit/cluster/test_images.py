"""An image is built again exactly when what it is made from has changed."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from nova_acceptance.cluster.kind import images
from nova_acceptance.cluster.kind.images import Image, digests

BASE = Image("base", "1", base=None)
TOP = Image("top", "2")
APART = Image("apart", "1", base=None)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for image in (BASE, TOP, APART):
        directory = tmp_path / "images" / image.name
        directory.mkdir(parents=True)
        (directory / "Containerfile").write_text("FROM scratch\n")
        (directory / "run").write_text("#!/bin/sh\n")
    monkeypatch.setattr(images, "project", lambda: tmp_path)
    return tmp_path / "images"


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_content_of_a_base_changes_what_stands_on_it(checkout: Path) -> None:
    before = digests((BASE, TOP, APART))
    (checkout / "base" / "run").write_text("#!/bin/sh\nexit 1\n")

    assert changed(before, digests((BASE, TOP, APART))) == {"base", "top"}


def test_mode_counts_as_content(checkout: Path) -> None:
    before = digests((BASE, TOP, APART))
    (checkout / "top" / "run").chmod(0o755)

    assert changed(before, digests((BASE, TOP, APART))) == {"top"}


@pytest.mark.parametrize("litter", ["__pycache__/x.pyc", ".ruff_cache/x", ".hidden"])
def test_litter_of_tools_does_not_count(checkout: Path, litter: str) -> None:
    before = digests((BASE, TOP, APART))
    path = checkout / "top" / litter
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")

    assert changed(before, digests((BASE, TOP, APART))) == set()


@pytest.mark.usefixtures("checkout")
def test_arguments_and_parts_count() -> None:
    plain = digests((BASE, APART))["apart"]

    assert digests((BASE, Image("apart", "1", base=None, arguments={"V": "1"})))["apart"] != plain
    assert digests((BASE, Image("apart", "1", base=None, parts=("base",))))["apart"] != plain


def test_context_lays_extra_directories_beside_the_image_s_own(
    checkout: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "file").write_text("x")
    image = Image("top", "1", extra={"from": source})

    with (
        images._context(image) as stream,
        open(stream, "rb", closefd=False) as file,
        tarfile.open(fileobj=file) as archive,
    ):
        names = sorted(archive.getnames())

    assert names == ["Containerfile", "from/deep/file", "run"]
    assert not (checkout / "top" / "from").exists()
