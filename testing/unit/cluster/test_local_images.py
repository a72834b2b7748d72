"""Which command brings images into which local cluster."""

from __future__ import annotations

import pytest

from nova_acceptance.cluster.local_images import loader


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
