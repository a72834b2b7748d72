"""Which nodes are given images, and how that is found out."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nova_acceptance.cluster import doctor, local_images
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.images import NOVA
from nova_acceptance.cluster.local_images import lacking, provide
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress

TAGS = [image.tag for image in NOVA]


def node(name: str, *images: str) -> Object:
    names = [{"names": [image, f"{image}@sha256:0"]} for image in images]
    return {"metadata": {"name": name}, "status": {"images": names}}


@pytest.mark.parametrize(
    ("nodes", "lack"),
    [
        ([node("one", "a", "b"), node("two", "b", "a", "c")], []),
        ([node("one", "a", "b"), node("two", "a")], ["two"]),  # one has it, another may lack it
        ([node("one", "a", "b"), {"metadata": {"name": "two"}, "status": {}}], ["two"]),
    ],
)
def test_images_are_lacking_on_each_node_that_does_not_tell_of_them(
    nodes: list[Object], lack: list[str]
) -> None:
    assert [each["metadata"]["name"] for each in lacking(nodes, ["a", "b"])] == lack


class Engine:
    """A Docker in which some nodes are containers with a containerd."""

    def __init__(self, containers: set[str]) -> None:
        self._containers = containers
        self.given: list[str] = []

    def build(self, *_: object) -> list[str]:
        return []

    def docker(self, *arguments: str, stdin: int | None = None) -> list[str]:
        name = next(word for word in arguments[1:] if not word.startswith("-"))
        if name not in self._containers:
            raise ClusterError(f"no such container: {name}")
        if "import" in arguments:
            assert stdin == 7
            self.given.append(name)
        return []

    @contextmanager
    def saved(self, tags: list[str]) -> Iterator[int]:
        assert tags == TAGS
        yield 7


class Api:
    """A cluster's nodes."""

    def __init__(self, *nodes: Object) -> None:
        self._nodes = nodes

    def list(self, *_: str) -> list[Object]:
        return [*self._nodes]


@pytest.mark.parametrize(
    ("nodes", "containers", "given"),
    [
        # Docker Desktop's Kubernetes of several nodes: its nodes are containers, as kind's are
        (["desktop-control-plane", "desktop-worker"], ["desktop-control-plane", "desktop-worker"],
         ["desktop-control-plane", "desktop-worker"]),
        # and that of one node, which runs on the engine that builds
        (["docker-desktop"], [], []),
        (["k3d-dev-server-0"], ["k3d-dev-server-0"], ["k3d-dev-server-0"]),
    ],
)  # fmt: skip
def test_a_node_is_handed_images_where_it_is_a_container_with_a_containerd(
    nodes: list[str],
    containers: list[str],
    given: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine(set(containers))
    monkeypatch.setattr(doctor, "docker_answers", lambda: True)
    monkeypatch.setattr(local_images, "Builder", lambda *_: engine)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    api = Api(*(node(name) for name in nodes))

    provide("docker-desktop", api, Home(tmp_path), Progress(io.StringIO()))  # type: ignore[arg-type]

    assert sorted(engine.given) == given


def test_only_the_nodes_that_lack_an_image_are_given_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine({"one", "two"})
    monkeypatch.setattr(doctor, "docker_answers", lambda: True)
    monkeypatch.setattr(local_images, "Builder", lambda *_: engine)

    provide(
        "docker-desktop",
        Api(node("one", *TAGS), node("two", TAGS[0])),  # type: ignore[arg-type]
        Home(tmp_path),
        Progress(io.StringIO()),
    )

    assert engine.given == ["two"]
