"""An image is built again exactly when what it is made from has changed."""

from __future__ import annotations

import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nova_acceptance import cli
from nova_acceptance.cluster.kind import images
from nova_acceptance.cluster.kind.images import (
    Builder,
    Image,
    digests,
    digests_kept,
    images_of,
)
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.progress import Progress

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


def test_digests_are_kept_while_every_file_is_the_same(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every, kept = (BASE, TOP, APART), tmp_path / "digests.json"
    asked: list[tuple[Image, ...]] = []

    def counted(given: tuple[Image, ...]) -> dict[str, str]:
        asked.append(given)
        return digests(given)

    monkeypatch.setattr(images, "digests", counted)

    before = digests_kept(every, kept)
    assert before == digests_kept(every, kept) == digests(every)
    assert asked == [every]

    run = checkout / "top" / "run"
    text, times = run.read_text(), run.stat()
    run.write_text(text.upper())
    os.utime(run, ns=(times.st_atime_ns, times.st_mtime_ns))  # of the same size and time
    assert changed(before, digests_kept(every, kept)) == {"top"}

    run.write_text(text)
    assert digests_kept(every, kept) == before
    (checkout / "top" / "more").touch()
    assert changed(before, digests_kept(every, kept)) == {"top"}


@pytest.mark.usefixtures("checkout")
def test_digests_are_of_the_images_that_were_asked_for(tmp_path: Path) -> None:
    kept = tmp_path / "digests.json"
    digests_kept((BASE,), kept)

    other = replace(BASE, arguments={"VERSION": "2"})
    assert digests_kept((other,), kept) == digests((other,)) != digests((BASE,))


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("said", ["", "{", "[]", "null", '{"state": 1}', '{"digests": 1}'])
def test_kept_digests_that_say_nothing_are_found_out_anew(tmp_path: Path, said: str) -> None:
    kept = tmp_path / "digests.json"
    kept.write_text(said)

    assert digests_kept((BASE,), kept) == digests((BASE,))
    assert json.loads(kept.read_text())["digests"] == digests((BASE,))


@pytest.mark.usefixtures("checkout")
def test_digests_that_cannot_be_kept_are_found_out_each_time(tmp_path: Path) -> None:
    assert digests_kept((BASE,), tmp_path / "absent" / "digests.json") == digests((BASE,))


@pytest.mark.parametrize("litter", ["__pycache__/x.pyc", ".ruff_cache/x", ".hidden"])
def test_litter_of_tools_does_not_count(checkout: Path, litter: str) -> None:
    before = digests((BASE, TOP, APART))
    path = checkout / "top" / litter
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")

    assert changed(before, digests((BASE, TOP, APART))) == set()


@pytest.mark.usefixtures("checkout")
def test_file_laid_beside_it_counts(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("1")
    image = Image("top", "1", base=None, extra={"program": program})
    before = digests((image,))
    program.write_text("2")

    assert digests((image,)) != before


@pytest.mark.usefixtures("checkout")
def test_arguments_and_parts_count() -> None:
    plain = digests((BASE, APART))["apart"]

    assert digests((BASE, Image("apart", "1", base=None, arguments={"V": "1"})))["apart"] != plain
    assert digests((BASE, Image("apart", "1", base=None, parts=("base",))))["apart"] != plain


def test_context_lays_extra_files_beside_the_image_s_own(checkout: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "file").write_text("x")
    program = tmp_path / "program-1.2"
    program.write_text("x")
    image = Image("top", "1", extra={"from": source, "program": program})

    with (
        images._context(image) as stream,
        open(stream, "rb", closefd=False) as file,
        tarfile.open(fileobj=file) as archive,
    ):
        names = sorted(archive.getnames())

    assert names == ["Containerfile", "from/deep/file", "program", "run"]
    assert not (checkout / "top" / "from").exists()


def containerfile(system: Path, image: str, first: str) -> None:
    directory = system / "images" / image
    directory.mkdir(parents=True)
    (directory / "Containerfile").write_text(f"# What it is.\n{first}\nFROM ${{BASE}}\n")


def test_images_of_another_system_are_named_after_its_directory(tmp_path: Path) -> None:
    system = tmp_path / "orders"
    containerfile(system, "rabbitmq", "ARG BASE=docker.io/nova/base:1")
    containerfile(system, "mail", "ARG BASE=docker.io/library/debian:bookworm-slim")

    mail, rabbitmq = images_of(system)

    assert (mail.tag, mail.base) == ("docker.io/orders/mail:1", None)
    assert (rabbitmq.tag, rabbitmq.base) == ("docker.io/orders/rabbitmq:1", "base")
    assert rabbitmq.directory == system / "images" / "rabbitmq"


def test_images_of_the_present_directory_are_named_after_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    containerfile(tmp_path / "orders", "mail", "ARG BASE=docker.io/nova/base:1")
    monkeypatch.chdir(tmp_path / "orders")

    assert [image.tag for image in images_of(Path())] == ["docker.io/orders/mail:1"]


@pytest.mark.usefixtures("checkout")
def test_content_of_another_system_s_image_changes_its_digest(tmp_path: Path) -> None:
    system = tmp_path / "orders"
    containerfile(system, "mail", "ARG BASE=docker.io/nova/base:1")
    before = digests((BASE, *images_of(system)))
    (system / "images" / "mail" / "Containerfile").write_text("FROM scratch\n")

    assert changed(before, digests((BASE, *images_of(system)))) == {"mail"}


@pytest.mark.parametrize(
    ("system", "image"), [("orders", "Mail"), ("My Orders", "mail"), ("nova", "x"), ("x", "base")]
)
def test_name_that_no_image_can_have_is_refused(tmp_path: Path, system: str, image: str) -> None:
    containerfile(tmp_path / system, image, "ARG BASE=docker.io/nova/base:1")

    with pytest.raises(UsageError, match="no image can be named"):
        images_of(tmp_path / system)


def test_directory_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images" / "mail").mkdir(parents=True)

    with pytest.raises(UsageError, match="no image below"):
        images_of(tmp_path)


def test_command_says_what_an_image_is_where_there_is_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.main, ["load", str(tmp_path)])

    assert result.exit_code == 2
    assert "images/<image>/Containerfile" in result.output


DOCKER = """#!/bin/sh
# Knows no image, and takes down what it is to build.
[ "$1" = build ] || exit 1
said=
for word in "$@"; do
    case $word in --tag=*|--target=*|--build-arg=BASE=*) said="$said$word " ;; esac
done
echo "$said" >>"$0.built"
[ ! -e "$0.fails" ] || ! grep -q "$(cat "$0.fails")" "$0.built"
"""


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    return program


def built_by(docker: Path, *made: Image) -> list[str]:
    builder = Builder(docker, {}, docker.with_name("log"), "a-debian")
    builder.build(made, Progress(io.StringIO()))
    return docker.with_name("docker.built").read_text().splitlines()


MADE_OF_TOP = Image("apart", "1", base=None, parts=("top",), packages="packages")


@pytest.mark.usefixtures("checkout")
def test_image_is_built_after_what_it_is_made_of_and_its_packages_before(docker: Path) -> None:
    lines = [line.strip() for line in built_by(docker, BASE, TOP, MADE_OF_TOP)]

    assert sorted(lines) == [
        "--tag=docker.io/nova/apart:1 --build-arg=BASE=a-debian",
        "--tag=docker.io/nova/base:1 --build-arg=BASE=a-debian",
        "--tag=docker.io/nova/top:2 --build-arg=BASE=docker.io/nova/base:1",
        "--target=packages --build-arg=BASE=a-debian",
    ]
    in_order = [line for line in lines if "--tag" in line]
    assert [line.partition(" ")[0] for line in in_order] == [
        "--tag=docker.io/nova/base:1",
        "--tag=docker.io/nova/top:2",
        "--tag=docker.io/nova/apart:1",
    ]
    assert lines.index("--target=packages --build-arg=BASE=a-debian") < len(lines) - 1


@pytest.mark.usefixtures("checkout")
def test_nothing_is_built_upon_what_could_not_be(docker: Path) -> None:
    docker.with_name("docker.fails").write_text("base:1")

    with pytest.raises(ClusterError, match="build --network=host failed with status 1"):
        built_by(docker, BASE, TOP)

    assert len(docker.with_name("docker.built").read_text().splitlines()) == 1
