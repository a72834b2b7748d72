"""Credentials: generated once, read back after, written for kustomize, never shown."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from cryptography import x509

from nova_acceptance import masking
from nova_acceptance.deploy import Credentials, certificate, load_credentials
from nova_acceptance.deploy.certificate import KeyPair
from nova_acceptance.deploy.credentials import COMPONENT
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object
from testing.unit.deploy.small_system import write_manifests
from testing.unit.deploy.stub_kube import StubKube

NAMES = (
    "user-service",
    "user-service.nova-services",
    "user-service.nova-services.svc",
    "user-service.nova-services.svc.cluster.local",
)


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    return write_manifests(tmp_path / "manifests")


def secret(namespace: str, name: str, values: Mapping[str, str]) -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": "1"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def redis_secret(password: str) -> Object:
    return secret("nova-redis", "redis-credentials", {"REDIS_PASSWORD": password})


def tls_secret(pair: KeyPair) -> Object:
    return secret("nova-services", "nova-tls", {"tls.crt": pair.certificate, "tls.key": pair.key})


def test_missing_password_is_generated_anew_each_time(manifests: Path) -> None:
    passwords = {load_credentials(None, manifests)["redis_password"] for _ in range(3)}

    assert len(passwords) == 3
    assert min(map(len, passwords)) >= 24


def test_password_on_the_cluster_is_kept(manifests: Path) -> None:
    kube = StubKube(redis_secret("already there"))

    assert load_credentials(kube, manifests)["redis_password"] == "already there"


def test_password_is_not_read_back_from_a_url(manifests: Path) -> None:
    url = {"REDIS_URL": "redis://:other@redis-service.nova-redis:6379/0"}
    kube = StubKube(secret("nova-services", "user-service-secrets", url))

    assert "other" not in load_credentials(kube, manifests)["redis_password"]


def filled(manifests: Path, value: str = "generated") -> Path:
    load_credentials(StubKube(redis_secret(value)), manifests).write(manifests)
    return manifests


def secret_in(path: Path) -> Object:
    (found,) = (obj for obj in yaml.safe_load_all(path.read_text()) if obj["kind"] == "Secret")
    return dict(found)


@pytest.mark.parametrize(
    "password", ["p@ss/w:rd", "a'b\"c", "{redis_password}", "two\nlines", "123"]
)
def test_password_is_percent_encoded_within_a_url_only(manifests: Path, password: str) -> None:
    base = filled(manifests, password) / "base"

    assert secret_in(base / "redis" / "credentials.yaml")["stringData"] == {
        "REDIS_PASSWORD": password
    }
    assert secret_in(base / "services" / "user-service.yaml")["stringData"] == {
        "REDIS_URL": f"redis://:{quote(password, safe='')}@redis-service.nova-redis:6379/0",
        "KAFKA_BROKERS": "kafka.nova.internal:9092",
    }


def test_rest_of_a_filled_file_stays_as_it_is(manifests: Path) -> None:
    file = manifests / "base" / "redis" / "credentials.yaml"
    before = file.read_text()

    filled(manifests, "generated")

    assert file.read_text() == before.replace("{redis_password}", "generated")


@pytest.mark.parametrize("style", ["|\n    {redis_password}\n", ">-\n    {redis_password}"])
def test_placeholder_in_a_block_is_filled_too(manifests: Path, style: str) -> None:
    file = manifests / "base" / "redis" / "credentials.yaml"
    with file.open("a") as text:
        text.write(f"  BLOCK: {style}\n  AFTER: 'it'\n")

    values = secret_in(filled(manifests) / "base" / "redis" / "credentials.yaml")["stringData"]

    assert values["BLOCK"].strip() == "generated"
    assert values["AFTER"] == "it"


def test_what_holds_a_secret_is_for_the_owner_only(manifests: Path) -> None:
    filled(manifests)
    base, tls = manifests / "base", manifests / COMPONENT
    written = [base / "redis" / "credentials.yaml", base / "services" / "user-service.yaml"]
    written += [tls / "tls.crt", tls / "tls.key"]

    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}


def test_certificate_names_the_services_in_every_form(manifests: Path) -> None:
    tls = load_credentials(StubKube(), manifests).tls
    assert tls is not None
    parsed = x509.load_pem_x509_certificate(tls.certificate.encode())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert tuple(names.get_values_for_type(x509.DNSName)) == NAMES


def test_certificate_on_the_cluster_is_kept(manifests: Path) -> None:
    pair = KeyPair.issue(NAMES)

    assert load_credentials(StubKube(tls_secret(pair)), manifests).tls == pair


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(KeyPair.issue(NAMES[:2]), id="another-service"),
        pytest.param(
            KeyPair(KeyPair.issue(NAMES).certificate, KeyPair.issue(NAMES).key), id="another-key"
        ),
        pytest.param(KeyPair("nonsense", "nonsense"), id="nonsense"),
    ],
)
def test_certificate_that_does_not_serve_is_replaced(manifests: Path, pair: KeyPair) -> None:
    tls = load_credentials(StubKube(tls_secret(pair)), manifests).tls

    assert tls is not None
    assert tls != pair
    assert tls.serves(NAMES)


def test_certificate_about_to_expire_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "LIFETIME", timedelta(days=59))
    assert not KeyPair.issue(NAMES).serves(NAMES)
    monkeypatch.setattr(certificate, "LIFETIME", timedelta(days=61))
    assert KeyPair.issue(NAMES).serves(NAMES)


def test_values_for_masking_hold_every_secret(manifests: Path) -> None:
    credentials = load_credentials(StubKube(), manifests)
    assert credentials.tls is not None
    values = credentials.values()

    assert credentials["redis_password"] in values
    assert credentials.tls.key in values
    for line in credentials.tls.key.splitlines()[1:-1]:
        assert line not in masking.mask(f"E   {line}")


def test_representation_shows_no_secret(manifests: Path) -> None:
    credentials = load_credentials(StubKube(), manifests)

    assert repr(credentials) == "Credentials(redis_password)"
    assert not [value for value in credentials.values() if value in repr(credentials.tls)]


def change(manifests: Path, old: str, new: str) -> None:
    file = manifests / "base" / "redis" / "credentials.yaml"
    file.write_text(file.read_text().replace(old, new))


def test_placeholder_without_quotes_is_refused_with_its_line(manifests: Path) -> None:
    change(manifests, '"{redis_password}"', "{redis_password}")

    with pytest.raises(RenderError, match=r"credentials.yaml:7: the value of REDIS_PASSWORD") as it:
        load_credentials(StubKube(), manifests)
    assert "quotes" in it.value.hint


def test_credential_that_no_secret_holds_by_itself_is_refused(manifests: Path) -> None:
    """It could not be read back, and would be another one at the next deployment."""
    change(manifests, "{redis_password}", "{redis_pasword}")

    with pytest.raises(RenderError, match=r"user-service.yaml: no Secret holds redis_password"):
        load_credentials(StubKube(), manifests)


def test_credential_that_is_not_there_is_named(manifests: Path) -> None:
    with pytest.raises(RenderError, match="redis_password"):
        Credentials({}).write(manifests)
