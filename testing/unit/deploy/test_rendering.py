"""Rendering by kubectl, with credentials only in a scratch copy."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from nova_acceptance.deploy import Credentials, load_credentials, render
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object
from testing.unit.deploy.small_system import write_manifests
from testing.unit.deploy.stub_kube import StubKube


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    return write_manifests(tmp_path / "manifests")


@pytest.fixture
def credentials(manifests: Path) -> Credentials:
    return load_credentials(StubKube(), manifests)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    return {obj["metadata"]["name"]: obj for obj in objects if obj["kind"] == kind}


def test_secrets_hold_the_credentials(manifests: Path, credentials: Credentials) -> None:
    secrets = of_kind(render(manifests, "multi-node", credentials), "Secret")
    url = base64.b64decode(secrets["user-service-secrets"]["data"]["REDIS_URL"]).decode()
    password = base64.b64decode(secrets["redis-credentials"]["data"]["REDIS_PASSWORD"]).decode()

    assert password == credentials["redis_password"]
    assert url == f"redis://:{password}@redis-service.nova-redis:6379/0"
    assert secrets["nova-tls"]["type"] == "kubernetes.io/tls"


def test_nothing_secret_stays_behind(
    manifests: Path, credentials: Credentials, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    render(manifests, "multi-node", credentials, scratch)

    assert list(scratch.iterdir()) == []
    texts = [path.read_text() for path in manifests.rglob("*") if path.is_file()]
    assert not [text for text in texts for value in credentials.values() if value in text]


def test_protocols_are_written_out(manifests: Path, credentials: Credentials) -> None:
    """A server of 1.20 refuses a server-side apply whose ports lack the key `protocol`."""
    service = of_kind(render(manifests, "multi-node", credentials), "Service")["redis"]

    assert [port["protocol"] for port in service["spec"]["ports"]] == ["TCP", "UDP"]


def test_unknown_overlay_lists_those_that_there_are(
    manifests: Path, credentials: Credentials
) -> None:
    with pytest.raises(RenderError, match="no overlay laptop") as caught:
        render(manifests, "laptop", credentials)
    assert "multi-node" in caught.value.hint


def test_refusal_of_kustomize_is_passed_on(manifests: Path, credentials: Credentials) -> None:
    (manifests / "base" / "kustomization.yaml").write_text("resources: [missing.yaml]\n")

    with pytest.raises(RenderError, match="refused overlay multi-node") as caught:
        render(manifests, "multi-node", credentials)
    assert any("missing.yaml" in line for line in caught.value.evidence)
