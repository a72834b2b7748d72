"""A service is one file in base/services, and nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nova_acceptance.deploy.services import addresses, complete
from nova_acceptance.errors import RenderError
from testing.unit.deploy.small_system import write_manifests

OTHER = "apiVersion: v1\nkind: Service\nmetadata: {name: other-one}\nspec: {ports: [{port: 80}]}\n"


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    return write_manifests(tmp_path / "manifests")


def test_address_is_that_of_the_port_http_else_of_the_first(manifests: Path) -> None:
    (manifests / "base" / "services" / "a.yaml").write_text(OTHER)

    assert [address.variable for address in addresses(manifests)] == [
        "OTHER_ONE_URL=http://other-one.nova-services.svc.cluster.local:80",
        "USER_SERVICE_URL=http://user-service.nova-services.svc.cluster.local:8080",
    ]


@pytest.mark.parametrize(
    ("port", "address"),
    [
        ("{name: https, port: 443}", "https://other-one.nova-services.svc.cluster.local:443"),
        (
            "{name: web, port: 8443, appProtocol: https}",
            "https://other-one.nova-services.svc.cluster.local:8443",
        ),
    ],
)
def test_address_of_a_port_of_https_says_so(manifests: Path, port: str, address: str) -> None:
    (manifests / "base" / "services" / "a.yaml").write_text(OTHER.replace("{port: 80}", port))

    assert addresses(manifests)[0].variable == f"OTHER_ONE_URL={address}"


def test_files_are_listed_but_for_those_that_have_another_use(manifests: Path) -> None:
    directory = manifests / "base" / "services"
    path = directory / "kustomization.yaml"
    (directory / "pod.yaml").write_text("[{op: add, path: /a, value: b}]\n")
    path.write_text(
        f"{path.read_text()}patches: [{{path: pod.yaml, target: {{kind: Deployment}}}}]\n"
    )
    before = yaml.safe_load(path.read_text())

    complete(manifests)
    complete(manifests)

    assert yaml.safe_load(path.read_text()) == {**before, "resources": ["user-service.yaml"]}


def test_what_is_listed_already_keeps_its_place(manifests: Path) -> None:
    directory = manifests / "base" / "services"
    path = directory / "kustomization.yaml"
    (directory / "a.yaml").write_text(OTHER)
    path.write_text(f"{path.read_text()}resources: [user-service.yaml, ../redis]\n")

    complete(manifests)

    listed = yaml.safe_load(path.read_text())["resources"]
    assert listed == ["user-service.yaml", "../redis", "a.yaml"]


def test_manifests_without_such_services_stay_as_they_are(tmp_path: Path) -> None:
    complete(tmp_path)

    assert addresses(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_service_without_a_port_is_named(manifests: Path) -> None:
    (manifests / "base" / "services" / "a.yaml").write_text(OTHER.replace("{port: 80}", ""))

    with pytest.raises(RenderError, match="Service other-one has no port"):
        addresses(manifests)
