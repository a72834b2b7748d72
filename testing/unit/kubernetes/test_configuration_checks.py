"""ConfigMaps and Secrets: their keys, and what is under them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nova_acceptance.components.kubernetes.checks import configuration
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.deploy.certificate import KeyPair
from nova_acceptance.kube import Object
from nova_acceptance.system import Configuration
from testing.unit.kubernetes.there import SHOP, causes, seen
from testing.unit.probes.a_nova import nova
from testing.unit.system.specs import spec

PAIR = KeyPair.issue(["web.shop"])
MISSING = [("CONFIGURATION_MISSING", "settings")]


def declared(kind: str = "ConfigMap", *, exactly: bool = True, **keys: str) -> Configuration:
    return Configuration.model_validate(
        {
            "kind": kind,
            "namespace": SHOP,
            "name": "settings",
            "keys": keys or {"ONE": "something", "TWO": "something"},
            "exactly": exactly,
        }
    )


def there(kind: str = "ConfigMap", **data: Any) -> Object:
    return {"kind": kind, "metadata": {"name": "settings", "namespace": SHOP}, "data": data}


def test_exactly_the_keys_of_nova_yaml() -> None:
    held = seen(there(ONE="1", TWO="2"))

    assert configuration.wrong_keys(held, declared()) == []
    assert configuration.unfit_values(held, declared()) == []


def test_object_that_is_missing() -> None:
    for check in (configuration.wrong_keys, configuration.unfit_values):
        assert causes(check(seen(), declared())) == MISSING


def test_key_that_is_missing() -> None:
    assert causes(configuration.wrong_keys(seen(there(ONE="1")), declared())) == [
        ("CONFIGURATION_KEY_MISSING", "settings")
    ]


@pytest.mark.parametrize("field", ["data", "binaryData"])
def test_key_that_nobody_declared(field: str) -> None:
    more = there(ONE="1", TWO="2")
    more[field] = {**more.get(field, {}), "THREE": "3"}

    assert causes(configuration.wrong_keys(seen(more), declared())) == [
        ("CONFIGURATION_KEY_UNDECLARED", "settings")
    ]
    assert configuration.wrong_keys(seen(more), declared(exactly=False)) == []


@pytest.mark.parametrize("nothing", ["", "  \n", None])
@pytest.mark.parametrize("key", ["ONE", "THREE"])
def test_key_with_nothing_under_it(key: str, nothing: str | None) -> None:
    data: dict[str, Any] = {"ONE": "1", "TWO": "2", key: nothing}
    held = seen(there(**data))

    (found,) = configuration.unfit_values(held, declared(exactly=False))
    assert found.cause == "CONFIGURATION_KEY_MISSING"
    assert found.summary == f"ConfigMap {SHOP}/settings holds nothing under {key}"


def test_empty_value_of_a_secret_is_found_by_its_shape() -> None:
    held = seen(there("Secret", ONE=shape(b"x"), TWO=shape(b" ")))

    (found,) = configuration.unfit_values(held, declared("Secret"))
    assert found.summary == f"Secret {SHOP}/settings holds nothing under TWO"


@pytest.mark.parametrize(("held", "is_right"), [("certificate", True), ("private-key", False)])
def test_certificate_is_held_where_one_is_wanted(held: str, *, is_right: bool) -> None:
    pem = shape(PAIR.certificate.encode())
    found = configuration.unfit_values(seen(there("Secret", PEM=pem)), declared("Secret", PEM=held))

    assert causes(found) == ([] if is_right else [("CERTIFICATE_UNREADABLE", "settings")])


@pytest.mark.parametrize(
    ("held", "is_right"), [("certificate", False), ("private-key", True), ("something", True)]
)
def test_private_key_is_held_where_one_is_wanted(held: str, *, is_right: bool) -> None:
    key = shape(PAIR.key.encode())
    found = configuration.unfit_values(seen(there("Secret", PEM=key)), declared("Secret", PEM=held))

    assert causes(found) == ([] if is_right else [("CERTIFICATE_UNREADABLE", "settings")])


PAIR_KEYS: dict[str, Any] = {"web.pem": "certificate", "web.key": "private-key"}


def authority(*, may_issue: bool = True) -> str:
    """Return the certificate of an authority, or of one that may issue none."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of somebody")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=may_issue, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def with_pair(**more: str) -> Object:
    held = {"web.pem": PAIR.certificate, "web.key": PAIR.key, **more}
    return there("Secret", **{key: shape(value.encode()) for key, value in held.items()})


@pytest.mark.parametrize(
    "more",
    [
        {"ca.crt": authority()},
        {"issuers.pem": authority() + authority()},
        {"ca.crt": PAIR.certificate},
        {"ca.crt": ""},
    ],
    ids=["ca.crt", "a chain", "self-signed", "of an issuer that everybody knows"],
)
def test_who_issued_a_certificate_may_be_beside_it(more: dict[str, str]) -> None:
    held, spec = seen(with_pair(**more)), declared("Secret", **PAIR_KEYS)

    assert configuration.wrong_keys(held, spec) == []
    assert configuration.unfit_values(held, spec) == []


@pytest.mark.parametrize(
    "more",
    [
        {"ca.key": PAIR.key},
        {"ca.crt": PAIR.key},
        {"ca.crt": "hunter2"},
        {"ca.crt": authority() + authority(may_issue=False)},
        {"old.pem": authority(may_issue=False)},
        {"ca.pem": ""},
    ],
    ids=["its key", "a key", "a password", "a certificate too many", "another's", "nothing"],
)
def test_anything_else_beside_a_certificate_is_found(more: dict[str, str]) -> None:
    held = seen(with_pair(**more))

    assert causes(configuration.wrong_keys(held, declared("Secret", **PAIR_KEYS))) == [
        ("CONFIGURATION_KEY_UNDECLARED", "settings")
    ]


def test_authority_beside_what_is_no_certificate_is_found() -> None:
    held = there("Secret", ONE=shape(b"x"), TWO=shape(b"y"))
    held["data"]["ca.crt"] = shape(authority().encode())

    assert causes(configuration.wrong_keys(seen(held), declared("Secret"))) == [
        ("CONFIGURATION_KEY_UNDECLARED", "settings")
    ]


def test_private_key_that_cannot_be_read_is_none() -> None:
    broken = shape(b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n")
    spec = declared("Secret", PEM="private-key")

    assert causes(configuration.unfit_values(seen(there("Secret", PEM=broken)), spec)) == [
        ("CERTIFICATE_UNREADABLE", "settings")
    ]


SERVICES = next(it for it in nova().every_configuration if it.name == "services-config")


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ({"USER_SERVICE_URL": "http://user-service.nova-services.svc.cluster.local:8080"}, None),
        ({"USER_SERVICE_URL": "http://user-service.nova-services:8080"}, "ADDRESS_WRONG"),
        (
            {"USER_SERVICE_URL": "http://user-service.nova-services.svc.cluster.local:8081"},
            "ADDRESS_WRONG",
        ),
        ({}, "CONFIGURATION_KEY_MISSING"),
        (None, "CONFIGURATION_MISSING"),
    ],
)
def test_address_is_the_full_name_and_port(data: dict[str, str] | None, cause: str | None) -> None:
    metadata = {"name": SERVICES.name, "namespace": SERVICES.namespace}
    objects = [] if data is None else [{"kind": "ConfigMap", "metadata": metadata, "data": data}]
    found = configuration.wrong_address(seen(*objects), nova(), SERVICES, "USER_SERVICE_URL")

    assert [each.cause for each in found] == ([cause] if cause else [])


@pytest.mark.parametrize(("scheme", "cause"), [("https", None), ("http", "ADDRESS_WRONG")])
def test_address_of_a_service_over_tls_says_https(scheme: str, cause: str | None) -> None:
    system = spec("""
components:
  - {kind: http, name: web, namespace: shop, port: 443, protocol: https}
configuration:
  - {kind: ConfigMap, namespace: shop, name: where, keys: {WEB: {address: web}}}
""")
    data = {"WEB": f"{scheme}://web.shop.svc.cluster.local:443"}
    held = {"kind": "ConfigMap", "metadata": {"name": "where", "namespace": "shop"}, "data": data}

    found = configuration.wrong_address(seen(held), system, system.configuration[0], "WEB")

    assert [each.cause for each in found] == ([cause] if cause else [])
