"""Rendering by kubectl, with credentials only in a scratch copy."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import pytest

from nova_acceptance.deploy import Credentials, Form, form_of, load_credentials, render
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
    manifests: Path, credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    render(manifests, "multi-node", credentials)

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


KUSTOMIZATION = """
namespace: web
resources: [service.yaml]
secretGenerator: [{name: web-secrets, literals: [PASSWORD=correct-horse]}]
generatorOptions: {disableNameSuffixHash: true}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


@pytest.fixture
def kustomization(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "kustomization.yaml").write_text(KUSTOMIZATION)
    (tmp_path / "web" / "service.yaml").write_text(SERVICE)
    return tmp_path / "web"


def test_form_is_seen_by_what_is_there(manifests: Path, kustomization: Path) -> None:
    assert form_of(manifests) is Form.LAYERS
    assert form_of(kustomization) is Form.KUSTOMIZATION
    assert form_of(kustomization / "kustomization.yaml") is Form.KUSTOMIZATION
    assert form_of(kustomization / "service.yaml") is Form.FILES
    assert form_of(kustomization.parent) is Form.FILES
    with pytest.raises(RenderError, match="there are no manifests at"):
        form_of(kustomization / "absent")


@pytest.mark.parametrize("name", [".", "kustomization.yaml"])
def test_kustomization_is_rendered_where_it_is(kustomization: Path, name: str) -> None:
    before = sorted(kustomization.iterdir())

    objects = render(kustomization / name)

    secret = of_kind(objects, "Secret")["web-secrets"]
    assert secret["metadata"]["namespace"] == "web"
    assert base64.b64decode(secret["data"]["PASSWORD"]) == b"correct-horse"
    assert of_kind(objects, "Service")["web"]["spec"]["ports"][0]["protocol"] == "TCP"
    assert sorted(kustomization.iterdir()) == before


def test_refused_kustomization_is_named(kustomization: Path) -> None:
    (kustomization / "service.yaml").unlink()

    with pytest.raises(RenderError, match=f"refused {kustomization}"):
        render(kustomization)


def test_plain_yaml_is_taken_as_it_is(kustomization: Path) -> None:
    (service,) = render(kustomization / "service.yaml")

    assert "namespace" not in service["metadata"]
    assert service["spec"]["ports"] == [{"port": 80, "protocol": "TCP"}]


def test_strings_of_a_secret_are_applied_as_data(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(
        "{apiVersion: v1, kind: Secret, metadata: {name: a},"
        " data: {kept: a2VwdA==, same: b2xk}, stringData: {same: new, number: 5432}}"
    )

    (secret,) = render(file)

    assert "stringData" not in secret
    assert {key: base64.b64decode(it).decode() for key, it in secret["data"].items()} == {
        "kept": "kept",
        "same": "new",
        "number": "5432",
    }


def test_what_a_server_has_added_to_an_object_is_left_out(tmp_path: Path) -> None:
    """What `kubectl get -o yaml` prints can be deployed somewhere else."""
    file = tmp_path / "dump.yaml"
    file.write_text(
        "{apiVersion: v1, kind: ConfigMap, status: {}, metadata: {name: a, namespace: b, uid: x,"
        " resourceVersion: '1', creationTimestamp: null, managedFields: [], labels: {a: b}}}"
    )

    assert render(file)[0] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "b", "labels": {"a": "b"}},
    }
