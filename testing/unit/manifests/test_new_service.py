"""A new service is one file in manifests/ and one line of nova.yaml, as the README says."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from nova_acceptance.collect import look
from nova_acceptance.components.registry import load
from nova_acceptance.deploy import load_credentials, preflight, render
from nova_acceptance.deploy.rendering import kustomize
from nova_acceptance.errors import RenderError
from testing.unit.collect.stub import StubKube
from testing.unit.diagnosis.rendered import ROOT, cluster
from testing.unit.manifests.conftest import MANIFESTS
from testing.unit.manifests.objects import Object, identity

LINE = (
    "  - {kind: http, name: billing, namespace: nova-services, port: 8090, "
    "uses: [nova_auth, redis]}"
)


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """A copy of manifests/ with one more file."""
    copy = shutil.copytree(MANIFESTS, tmp_path / "manifests")
    directory = copy / "base" / "services"
    text = (directory / "auth-service.yaml").read_text()
    text = text.replace("auth-service", "billing").replace("8084", "8090")
    (directory / "billing.yaml").write_text(text)
    return copy


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A copy of nova.yaml with one more line."""
    before, found, after = (ROOT / "nova.yaml").read_text().partition("\n# Outside the cluster")
    assert found
    path = tmp_path / "nova.yaml"
    path.write_text(f"{before.rstrip()}\n{LINE}\n{found}{after}")
    return path


def by_name(objects: list[Object]) -> dict[str, Object]:
    return {identity(obj): obj for obj in objects}


@pytest.mark.parametrize("overlay", ["multi-node", "single-node"])
def test_file_makes_the_service_and_changes_nothing_else(manifests: Path, overlay: str) -> None:
    credentials = load_credentials(None, manifests)
    before = by_name(render(MANIFESTS, overlay, credentials))
    after = by_name(render(manifests, overlay, credentials))

    assert after.keys() - before.keys() == {
        "Deployment nova-services/billing",
        "Secret nova-services/billing-secrets",
        "Service nova-services/billing",
    }
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["ConfigMap nova-services/services-config"]
    config = after[changed[0]]["data"]
    assert config == {
        **before[changed[0]]["data"],
        "BILLING_URL": "http://billing.nova-services.svc.cluster.local:8090",
    }


def test_service_is_as_the_others_are(manifests: Path) -> None:
    credentials = load_credentials(None, manifests)
    objects = by_name(render(manifests, "multi-node", credentials))
    for kind, name in (("Deployment", ""), ("Service", ""), ("Secret", "-secrets")):
        model = objects[f"{kind} nova-services/auth-service{name}"]
        text = yaml.safe_dump(model).replace("auth-service", "billing").replace("8084", "8090")
        assert objects[f"{kind} nova-services/billing{name}"] == yaml.safe_load(text)
    url = objects["Secret nova-services/billing-secrets"]["data"]["DATABASE_URL"]
    assert credentials["app_user_password"] in base64.b64decode(url).decode()


def test_certificate_names_the_service(manifests: Path) -> None:
    tls = load_credentials(None, manifests).tls
    assert tls is not None
    parsed = x509.load_pem_x509_certificate(tls.certificate.encode())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert "billing.nova-services.svc.cluster.local" in names.get_values_for_type(x509.DNSName)


def test_line_of_nova_yaml_is_what_the_file_makes(manifests: Path, spec: Path) -> None:
    system = load(spec)
    kube = StubKube(*cluster())
    objects = render(manifests, "multi-node", load_credentials(None, manifests))

    base = look(kube, system.namespaces, system, logs=False)

    assert preflight(kube, objects, base) == []
    assert "billing" in [component.name for component in system.components]


def test_kubectl_alone_renders_a_copy_that_is_filled_in(manifests: Path) -> None:
    load_credentials(None, manifests).write(manifests)

    text = kustomize(manifests / "overlays" / "multi-node")

    assert "name: billing\n" in text
    assert "{" not in "".join(line for line in text.splitlines() if "_password" in line)


def test_kubectl_refuses_a_copy_that_is_not_filled_in(manifests: Path) -> None:
    """Placeholders would be passwords that everybody knows."""
    with pytest.raises(RenderError):
        kustomize(manifests / "overlays" / "multi-node")
