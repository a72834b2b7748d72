"""Certificates in Secrets: time, names and keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nova_acceptance.components.certificates import checks
from nova_acceptance.components.certificates.held import HeldCertificate
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.diagnosis import beforehand
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Certificate
from testing.unit.diagnosis.rendered import Nova, system

TLS = Ref("Secret", "nova-services", "nova-tls")
DAY = timedelta(days=1)
DECLARED = Certificate(secret="nova-tls", namespace="nova-services", days_left=30)


def names() -> list[str]:
    return [
        name
        for it in system().services
        for name in (
            it.name,
            f"{it.name}.{it.namespace}",
            f"{it.name}.{it.namespace}.svc",
            f"{it.name}.{it.namespace}.svc.cluster.local",
        )
    ]


def pair(
    covered: Sequence[str], *, begins: timedelta = -DAY, ends: timedelta = 365 * DAY
) -> tuple[str, str]:
    """Return a certificate and its key, both PEM, with its times from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    shown = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(it) for it in covered]), False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return shown.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()


def tls(certificate: str, key: str, namespace: str = "nova-services") -> Object:
    return without_values(
        {
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": "nova-tls", "namespace": namespace},
            "stringData": {"tls.crt": certificate, "tls.key": key},
        }
    )


def causes_in_nova(certificate: str, key: str) -> dict[str, Ref]:
    nova = Nova()
    nova.add(tls(certificate, key))
    return nova.causes()


def test_good_certificate() -> None:
    assert causes_in_nova(*pair(names())) == {}


@pytest.mark.parametrize(
    ("times", "cause"),
    [
        ({"begins": -10 * DAY, "ends": -DAY}, "CERTIFICATE_EXPIRED"),
        ({"begins": DAY}, "CERTIFICATE_EXPIRED"),
        ({"ends": 20 * DAY}, "CERTIFICATE_EXPIRING"),
    ],
)
def test_certificate_whose_time_is_not_now(times: dict[str, timedelta], cause: str) -> None:
    assert causes_in_nova(*pair(names(), **times)) == {cause: TLS}


def test_certificate_for_other_names() -> None:
    assert causes_in_nova(*pair(["somebody.else"])) == {"CERTIFICATE_NAME_MISMATCH": TLS}


def test_certificate_that_lacks_one_service() -> None:
    some = [name for name in names() if not name.startswith("auth-service")]
    nova = Nova()
    nova.add(tls(*pair(some)))

    (found,) = nova.diagnoses()
    assert "auth-service" in found.summary


def test_wildcard_covers_one_label() -> None:
    short = [name for name in names() if "." not in name]
    wild = [*short, "*.nova-services", "*.nova-services.svc", "*.nova-services.svc.cluster.local"]

    assert causes_in_nova(*pair(wild)) == {}
    assert list(causes_in_nova(*pair([*short, "*.svc.cluster.local"]))) == [
        "CERTIFICATE_NAME_MISMATCH"
    ]


def test_certificate_of_another_key() -> None:
    certificate, _ = pair(names())
    _, key = pair(names())

    assert causes_in_nova(certificate, key) == {"CERTIFICATE_KEY_MISMATCH": TLS}


@pytest.mark.parametrize("broken", ["certificate", "key", "both empty"])
def test_certificate_that_cannot_be_read(broken: str) -> None:
    certificate, key = pair(names())
    if broken == "certificate":
        certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    elif broken == "key":
        key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    else:
        certificate = key = ""

    assert causes_in_nova(certificate, key)["CERTIFICATE_UNREADABLE"] == TLS


def test_key_that_cannot_be_read_hides_nothing_else() -> None:
    certificate, _ = pair(["somebody.else"], ends=20 * DAY)

    key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"

    assert causes_in_nova(certificate, key) == dict.fromkeys(
        ["CERTIFICATE_UNREADABLE", "CERTIFICATE_EXPIRING", "CERTIFICATE_NAME_MISMATCH"], TLS
    )


def test_each_check_says_that_there_is_no_certificate() -> None:
    nothing = HeldCertificate(TLS, "", "")

    for found in (
        checks.foreign_key(nothing),
        checks.wrong_time(nothing),
        checks.lacking_names(nothing, DECLARED, system()),
    ):
        assert found[0].cause == "CERTIFICATE_UNREADABLE"
    assert str(nothing) == "no certificate"


def test_certificate_is_told_by_its_names_and_its_key() -> None:
    certificate, key = pair(["b.example", "a.example"])
    held = HeldCertificate.of(tls(certificate, key), None)

    assert str(held).startswith("a.example, b.example; ")
    assert str(held).endswith(held.read_key())


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (DECLARED, ["CERTIFICATE_TYPE_WRONG"]),
        # of other keys than its own the type tells nothing
        (DECLARED.model_copy(update={"certificate": "cert.pem", "private_key": "key.pem"}), []),
    ],
)
def test_certificate_in_a_secret_of_another_type(
    declared: Certificate, expected: list[str]
) -> None:
    secret = {**tls(*pair(names())), "type": "Opaque"}

    assert [each.cause for each in checks.wrong_type(secret, declared)] == expected
    assert checks.wrong_type(tls(*pair(names())), declared) == []
    assert [each.cause for each in checks.wrong_type(None, declared)] == ["CONFIGURATION_MISSING"]


def test_rule_sees_the_type_too() -> None:
    nova = Nova()
    nova.add({**tls(*pair(names())), "type": "Opaque"})

    assert nova.causes() == {"CERTIFICATE_TYPE_WRONG": TLS}


def test_certificate_under_other_keys_is_found_there() -> None:
    certificate, key = pair(names())
    secret = without_values(
        {
            "kind": "Secret",
            "metadata": {"name": "nova-tls", "namespace": "nova-services"},
            "stringData": {"cert.pem": certificate, "key.pem": key},
        }
    )
    declared = DECLARED.model_copy(update={"certificate": "cert.pem", "private_key": "key.pem"})
    held = HeldCertificate.of(secret, declared)

    assert checks.foreign_key(held) == []
    assert checks.lacking_names(held, declared, system()) == []
    (found,) = checks.unreadable_certificate(HeldCertificate.of({**secret, "data": {}}, declared))
    assert "cert.pem" in found.summary


def test_any_tls_secret_is_looked_at_but_for_its_names() -> None:
    old = tls(*pair(["shop"], begins=-10 * DAY, ends=-DAY), namespace="shop")
    good = tls(*pair(["shop"]), namespace="shop")

    assert [str(it.cause) for it in beforehand(Snapshot.of([old]))] == ["CERTIFICATE_EXPIRED"]
    assert list(beforehand(Snapshot.of([good]))) == []
