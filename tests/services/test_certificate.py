"""The services' certificate: its key, its names and its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from nova_acceptance.claims import BrokenClaimError, broken
from nova_acceptance.components.kubernetes.certificates import names_of
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Certificate, System
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.secret_values import SecretValues

pytestmark = pytest.mark.tls


@pytest.fixture
def shown(secret_values: SecretValues, certificate: Certificate) -> x509.Certificate:
    """The certificate of the Secret."""
    text = secret_values.text(
        "Secret", certificate.namespace, certificate.secret, certificate.certificate
    )
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise unreadable(certificate, "tls.crt") from error


def unreadable(certificate: Certificate, key: str) -> BrokenClaimError:
    """Return what it shows that a key of the Secret holds nothing readable."""
    sentence = Phrase(
        "{key} of Secret {namespace}/{secret} cannot be read",
        key=key,
        namespace=certificate.namespace,
        secret=certificate.secret,
    )
    return broken("CERTIFICATE_UNREADABLE", sentence)


def fingerprint(key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a public key."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@pytest.mark.means("CERTIFICATE_UNREADABLE")
def test_certificate_is_in_a_tls_secret(objects: Objects, certificate: Certificate) -> None:
    """The Secret is of the type that Kubernetes checks for a certificate and its key."""
    found = objects.find("Secret", certificate.secret, certificate.namespace)

    if found is None:
        said = Phrase("there is no Secret {secret}", secret=certificate.secret)
        raise broken("CONFIGURATION_MISSING", said)
    assert found["type"] == "kubernetes.io/tls"


@pytest.mark.means("CERTIFICATE_KEY_MISMATCH", "CERTIFICATE_UNREADABLE")
def test_certificate_fits_its_key(
    shown: x509.Certificate,
    secret_values: SecretValues,
    certificate: Certificate,
    witness: Witness,
) -> None:
    """The certificate's public key is that of the private key beside it."""
    text = secret_values.text(
        "Secret", certificate.namespace, certificate.secret, certificate.private_key
    )
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except ValueError as error:
        raise unreadable(certificate, "tls.key") from error
    prints = {"tls.crt": fingerprint(shown.public_key()), "tls.key": fingerprint(key.public_key())}
    with witness.asking("public keys", source="runner", target=certificate.secret) as asking:
        asking.answered(prints)

    assert prints["tls.crt"] == prints["tls.key"]


@pytest.mark.means("CERTIFICATE_NAME_MISMATCH", "CERTIFICATE_UNREADABLE")
def test_certificate_names_the_services(
    shown: x509.Certificate, certificate: Certificate, system: System, witness: Witness
) -> None:
    """The certificate holds every name that nova.yaml asks for."""
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = set(names.get_values_for_type(x509.DNSName))
    wanted = set(names_of(certificate, system))
    with witness.asking("names", source="runner", target=certificate.secret) as asking:
        asking.answered(", ".join(sorted(held)))

    assert wanted - held == set()


@pytest.mark.means("CERTIFICATE_EXPIRING", "CERTIFICATE_EXPIRED", "CERTIFICATE_UNREADABLE")
def test_certificate_is_not_about_to_expire(
    shown: x509.Certificate, certificate: Certificate, witness: Witness
) -> None:
    """The certificate is valid now, and for as many days more as nova.yaml asks for."""
    now = datetime.now(UTC)
    with witness.asking("validity", source="runner", target=certificate.secret) as asking:
        asking.answered(f"{shown.not_valid_before_utc} to {shown.not_valid_after_utc}")

    if not shown.not_valid_before_utc <= now <= shown.not_valid_after_utc:
        said = Phrase(
            "the certificate is valid from {start} to {end}",
            start=shown.not_valid_before_utc,
            end=shown.not_valid_after_utc,
        )
        raise broken("CERTIFICATE_EXPIRED", said)
    assert shown.not_valid_after_utc - now >= timedelta(days=certificate.days_left)
