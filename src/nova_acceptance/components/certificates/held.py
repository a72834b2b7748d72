"""A certificate and its private key as a Secret holds them, without anything secret."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from nova_acceptance.components.kubernetes.shapes import PRIVATE_KEY, fingerprint
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.libraries import cryptography, x509
from nova_acceptance.system import Certificate, System
from nova_acceptance.system.parts import forms, fronts

CERTIFICATE = "tls.crt"
KEY = "tls.key"


@dataclass(frozen=True, slots=True)
class HeldCertificate:
    """What a Secret holds under two of its keys.

    Attributes:
        where: the Secret.
        certificate: the certificate in PEM, or whatever is in its place.
        private_key: the shape of the private key, which is the fingerprint of its public half.
        certificate_key: under which key of the Secret the certificate is.
        private_key_key: under which the private key is.
    """

    where: Ref
    certificate: str
    private_key: str
    certificate_key: str = CERTIFICATE
    private_key_key: str = KEY

    @classmethod
    def of(cls, secret: Object, declared: Certificate | None) -> HeldCertificate:
        """Return what a Secret holds, given by the shapes of its values."""
        names = (declared.certificate, declared.private_key) if declared else (CERTIFICATE, KEY)
        data = secret.get("data") or {}
        certificate, private_key = (str(data.get(name) or "") for name in names)
        return cls(ref(secret), certificate, private_key, *names)

    def __str__(self) -> str:
        try:
            shown = self.read()
        except ValueError as error:
            return str(error)
        names = ", ".join(sorted(dns_names(shown))) or "no name"
        times = f"{shown.not_valid_before_utc} to {shown.not_valid_after_utc}"
        return f"{names}; {times}; public key {public_key(shown) or 'of an unknown kind'}"

    def read(self) -> x509.Certificate:
        """Return the certificate; the first of several.

        Raises:
            ValueError: there is none, or none that can be read.
        """
        if not self.certificate.lstrip().startswith("-----BEGIN CERTIFICATE"):
            raise ValueError("no certificate")
        return x509.load_pem_x509_certificate(self.certificate.encode())

    def read_key(self) -> str:
        """Return the fingerprint of the private key's public half.

        Raises:
            ValueError: there is none, or none that can be read.
        """
        if not self.private_key.startswith(PRIVATE_KEY):
            raise ValueError("no private key")
        found = self.private_key.removeprefix(PRIVATE_KEY)
        if found.startswith("nothing"):
            raise ValueError(found.rpartition(": ")[2])
        return found


def shown_by(where: Ref, der: bytes) -> HeldCertificate:
    """Return a certificate as a server showed it, without a key.

    Args:
        where: the Service by which it was asked.
        der: the certificate, which may turn out to be unreadable.
    """
    return HeldCertificate(where, ssl.DER_cert_to_PEM_cert(der), "")


def is_same(one: HeldCertificate, other: HeldCertificate) -> bool:
    """Whether two hold the same certificate; not, where one cannot be read."""
    try:
        return one.read() == other.read()
    except ValueError:
        return False


def public_key(shown: x509.Certificate) -> str:
    """Return the fingerprint of a certificate's key; empty of a kind that is not known here."""
    try:
        return fingerprint(shown.public_key())
    except (ValueError, cryptography.exceptions.UnsupportedAlgorithm):
        return ""


def dns_names(shown: x509.Certificate) -> frozenset[str]:
    """Return the names that a certificate holds, in lower case."""
    try:
        extension = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()
    return frozenset(map(str.lower, extension.value.get_values_for_type(x509.DNSName)))


def names_of(declared: Certificate, system: System) -> list[str]:
    """Return the names that a certificate should hold."""
    if declared.names is not None:
        return list(declared.names)
    return [
        name
        for front in fronts(system)
        if front.workload.layer == "services" and front.namespace == declared.namespace
        for name in (front.name, *forms(front.name, front.namespace, system.zone))
    ]


def is_covered(name: str, names: frozenset[str]) -> bool:
    """Whether a name is among them, by itself or by a wildcard (RFC 6125, section 6.4.3)."""
    _, _, parent = name.lower().partition(".")
    return name.lower() in names or bool(parent and f"*.{parent}" in names)
