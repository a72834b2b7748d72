"""Every Containerfile of Nova's, which the builder of Docker 20.10 has to understand."""

from __future__ import annotations

import re

import pytest

from testing.unit.images.conftest import IMAGES

NOVA = ("redis", "etcd", "postgres", "service")
CONTAINERFILES = {name: (IMAGES / name / "Containerfile").read_text() for name in ("base", *NOVA)}


@pytest.mark.parametrize("image", CONTAINERFILES)
def test_base_is_an_argument(image: str) -> None:
    lines = [line for line in CONTAINERFILES[image].splitlines() if not line.startswith("#")]
    base = "docker.io/library/debian:bookworm-slim" if image == "base" else "docker.io/nova/base:1"

    assert lines[:2] == [f"ARG BASE={base}", "FROM ${BASE}"]


@pytest.mark.parametrize("image", CONTAINERFILES)
def test_nothing_needs_buildkit(image: str) -> None:
    assert not re.search(r"RUN --|COPY --(?!from|chown)|<<\w", CONTAINERFILES[image])


def test_image_of_the_suite_stands_on_the_same_base_and_needs_no_registry() -> None:
    text = (IMAGES / "acceptance" / "Containerfile").read_text()
    commands = "\n".join(line for line in text.splitlines() if not line.startswith("#"))

    assert commands.startswith("ARG BASE=docker.io/nova/base:1\nFROM ${BASE} AS")
    assert not re.search(r"RUN --|COPY --(?!from|chown)|<<\w", commands)
    assert commands.count(" install --quiet --no-index") == 2  # each time pip is asked
    assert "://" not in commands


@pytest.mark.parametrize("image", NOVA)
def test_image_runs_as_a_number_that_is_not_root(image: str) -> None:
    users = re.findall(r"^USER (\d+):(\d+)$", CONTAINERFILES[image], re.MULTILINE)

    assert len(users) == 1
    assert all(int(number) >= 1000 for number in users[0])


@pytest.mark.parametrize("image", ["redis", "etcd", "postgres"])
def test_user_is_the_one_that_the_pod_names(image: str) -> None:
    """Files in an image belong to its user, and a volume's to the pod's: one number for both."""
    manifest = IMAGES.parent / "manifests" / "base" / image / "statefulset.yaml"
    (user,) = re.findall(r"runAsUser: (\d+)", manifest.read_text())

    assert f"USER {user}:{user}\n" in CONTAINERFILES[image]


@pytest.mark.parametrize("image", ["base", "redis", "etcd", "postgres"])
def test_package_lists_stay_out_of_the_image(image: str) -> None:
    (run,) = re.findall(r"apt-get install.*?(?=\n[A-Z])", CONTAINERFILES[image], re.DOTALL)

    assert "--no-install-recommends" in run
    assert "/var/lib/apt/lists/*" in run


@pytest.mark.parametrize("image", CONTAINERFILES)
def test_files_that_are_copied_are_there(image: str) -> None:
    for line in re.findall(r"^COPY (.+) \S+$", CONTAINERFILES[image], re.MULTILINE):
        for name in line.split():
            assert (IMAGES / image / name).exists(), name
