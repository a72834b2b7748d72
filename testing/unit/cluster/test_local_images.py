"""Which command brings images into which local cluster."""

from __future__ import annotations

import pytest

from nova_acceptance.cluster.local_images import is_lacking, loader
from nova_acceptance.kube import Object


@pytest.mark.parametrize(
    ("context", "command"),
    [
        ("kind-dev", "kind load docker-image a b --name=dev"),
        ("k3d-dev", "k3d image import a b --cluster=dev"),
        ("minikube", "minikube image load a b --profile=minikube"),
        ("docker-desktop", ""),
    ],
)
def test_each_provider_has_its_loader(context: str, command: str) -> None:
    assert " ".join(loader(context, ["a", "b"])) == command


def node(*images: str) -> Object:
    return {"status": {"images": [{"names": [image, f"{image}@sha256:0"]} for image in images]}}


@pytest.mark.parametrize(
    ("nodes", "lacking"),
    [
        ([node("a", "b"), node("b", "a", "c")], False),
        ([node("a", "b"), node("a")], True),  # what one node has, another may lack
        ([node("a", "b"), {"status": {}}], True),
    ],
)
def test_images_are_lacking_where_one_node_lacks_one(nodes: list[Object], lacking: bool) -> None:
    assert is_lacking(nodes, ["a", "b"]) is lacking
