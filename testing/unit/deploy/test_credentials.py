"""Credentials: generated once, read back after, written for kustomize, never shown."""

from __future__ import annotations

import base64
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

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


def test_password_is_percent_encoded_within_a_url_only(manifests: Path) -> None:
    load_credentials(StubKube(redis_secret("p@ss/w:rd")), manifests).write(manifests)
    component = manifests / COMPONENT

    assert (component / "nova-redis.redis-credentials.env").read_text() == (
        "REDIS_PASSWORD=p@ss/w:rd\n"
    )
    urls = (component / "nova-services.user-service-secrets.env").read_text()
    assert "redis://:p%40ss%2Fw%3Ard@redis-service" in urls
    assert "KAFKA_BROKERS=kafka.nova.internal:9092\n" in urls


def test_written_files_are_for_the_owner_only(manifests: Path) -> None:
    load_credentials(StubKube(), manifests).write(manifests)
    written = [
        path
        for path in (manifests / COMPONENT).iterdir()
        if path.suffix in {".env", ".crt", ".key"}
    ]

    assert len(written) == 4
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
    assert credentials.tls.key.splitlines()[1] in values
    assert not any("-----BEGIN" in value and "\n" not in value for value in values)


def test_representation_shows_no_secret(manifests: Path) -> None:
    credentials = load_credentials(StubKube(), manifests)

    assert repr(credentials) == "Credentials(redis_password)"
    assert not [value for value in credentials.values() if value in repr(credentials.tls)]


def test_template_of_a_wrong_name_is_refused(manifests: Path) -> None:
    (manifests / COMPONENT / "redis.env.in").write_text("A={b}\n")

    with pytest.raises(RenderError, match=r"is not named <namespace>.<secret>"):
        load_credentials(StubKube(), manifests)


def test_credential_that_is_not_there_is_named(manifests: Path) -> None:
    with pytest.raises(RenderError, match="redis_password"):
        Credentials({}).write(manifests)
