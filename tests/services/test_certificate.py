"""The services' certificate: its key, its names and its time."""

from __future__ import annotations

import pytest

from nova_acceptance.components.certificates import checks
from nova_acceptance.components.certificates.held import HeldCertificate
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.system import Certificate, System
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.secret_values import SecretValues

pytestmark = pytest.mark.tls


@pytest.fixture
def held(
    secret_values: SecretValues, certificate: Certificate, transcript: Transcript
) -> HeldCertificate:
    """The certificate and the public half of its key, as the Secret holds them."""
    keys = certificate.certificate, certificate.private_key
    shapes = {key: shape(secret_values.text(*certificate.ref, key).encode()) for key in keys}
    found = HeldCertificate(certificate.ref, shapes[keys[0]], shapes[keys[1]], *keys)
    with transcript.asking("certificate", source="runner", target=str(certificate.ref)) as asking:
        asking.answered(found)
    return found


def test_certificate_is_in_a_tls_secret(objects: Seen, certificate: Certificate) -> None:
    """The Secret is of the type that Kubernetes checks for a certificate and its key."""
    secret = objects.get("Secret", certificate.namespace, certificate.secret)
    assert checks.wrong_type(secret, certificate) == []


def test_certificate_fits_its_key(held: HeldCertificate) -> None:
    """The certificate's public key is that of the private key beside it."""
    assert checks.foreign_key(held) == []


def test_certificate_names_the_services(
    held: HeldCertificate, certificate: Certificate, system: System
) -> None:
    """The certificate holds every name that nova.yaml asks for."""
    assert checks.lacking_names(held, certificate, system) == []


def test_certificate_is_not_about_to_expire(
    held: HeldCertificate, certificate: Certificate
) -> None:
    """The certificate is valid now, and for as many days more as nova.yaml asks for."""
    assert checks.wrong_time(held, certificate.days_left) == []
