"""Which overlay is deployed where none was chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nova_acceptance.components.registry import load
from nova_acceptance.deploying import MULTI_NODE, SINGLE_NODE, _overlay
from nova_acceptance.kube import ApiError, Kube, Object
from testing.unit.deploy.stub_kube import StubKube

SYSTEM = load(Path(__file__).parents[2] / "nova.yaml")


def node(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}}


class Narrow(StubKube):
    """A cluster whose user has rights in namespaces only."""

    def list(self, *_: object, **__: object) -> list[Object]:
        said = 'nodes is forbidden: User "me" cannot list resource "nodes"'
        raise ApiError("GET /api/v1/nodes", 403, json.dumps({"message": said}))


@pytest.mark.parametrize(
    ("kube", "overlay"),
    [
        (StubKube(*map(node, "abc")), MULTI_NODE),
        (StubKube(node("a")), SINGLE_NODE),
        (Narrow(), SINGLE_NODE),
    ],
)
def test_overlay_fits_the_nodes_that_may_be_seen(kube: Kube, overlay: str) -> None:
    assert _overlay(kube, SYSTEM) == overlay
