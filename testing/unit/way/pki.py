"""Authorities, certificates and keys of a test's own."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes

    def server(self, directory: Path, clients: bytes = b"") -> ssl.SSLContext:
        """Return what a server needs to show it, and to want one of its clients."""
        certificate, key = directory / "server.crt", directory / "server.key"
        certificate.write_bytes(self.certificate)
        key.write_bytes(self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.decode())
        return context


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Authority:
    """Vouches for the certificates that it issues."""

    name: str = "the authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)

    @property
    def certificate(self) -> bytes:
        """Its own certificate, PEM."""
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(_name(self.name))
            .issuer_name(_name(self.name))
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - 400 * DAY)
            .not_valid_after(now + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        *names: str,
        begin: timedelta = -DAY,
        end: timedelta = DAY,
    ) -> Pair:
        """Return a certificate for these names; the times are from now."""
        key, now = _key(), datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(_name(names[0] if names else "nobody"))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begin)
            .not_valid_after(now + end)
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return Pair(built.public_bytes(serialization.Encoding.PEM), _pem(key))
