"""A self-signed TLS certificate for a set of DNS names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nova_acceptance.libraries import ec, hashes, serialization, x509

LIFETIME = timedelta(days=365)
RENEWAL = timedelta(days=60)
"""A certificate with less time left than this is replaced."""

_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str = field(repr=False)

    @classmethod
    def issue(cls, names: Collection[str]) -> KeyPair:
        """Return a new pair whose subject alternative names are `names`, the first the CN."""
        ordered = list(names)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, ordered[0])])
        for_servers = x509.oid.ExtendedKeyUsageOID.SERVER_AUTH
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + LIFETIME)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(dns) for dns in ordered]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([for_servers]), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        )

    def serves(self, names: Collection[str]) -> bool:
        """Whether the pair fits together, covers the names and is not about to expire."""
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.encode())
            key = serialization.load_pem_private_key(self.key.encode(), password=None)
            extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (ValueError, TypeError, x509.ExtensionNotFound):
            return False
        covered = set(extension.value.get_values_for_type(x509.DNSName))
        left = certificate.not_valid_after_utc - datetime.now(UTC)
        fits = key.public_key() == certificate.public_key()
        return fits and covered >= set(names) and left > RENEWAL
