"""The rendered overlays, each rendered once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from nova_acceptance.deploy.credentials import Credentials, load_credentials
from nova_acceptance.deploy.rendering import render
from nova_acceptance.kube import Kube
from testing.unit.manifests.objects import Overlay

MANIFESTS = Path(__file__).parents[3] / "manifests"
OVERLAYS = ("multi-node", "single-node")


class EmptyCluster:
    """A cluster that holds nothing yet, so that every credential is generated."""

    def get(self, *_: object) -> dict[str, Any] | None:
        return None


@cache
def generated_credentials() -> Credentials:
    return load_credentials(cast(Kube, EmptyCluster()), MANIFESTS)


@cache
def rendered(name: str) -> Overlay:
    return Overlay(name, tuple(render(MANIFESTS, name, generated_credentials())))


@pytest.fixture
def credentials() -> Credentials:
    return generated_credentials()


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> Overlay:
    return rendered(request.param)


@pytest.fixture
def multi_node() -> Overlay:
    return rendered("multi-node")


@pytest.fixture
def single_node() -> Overlay:
    return rendered("single-node")
