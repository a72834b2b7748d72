"""Servers on the loopback that speak TLS, and their certificates."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = "127.0.0.1"


@dataclass
class Shown:
    """A server's certificate, and what it was asked.

    Attributes:
        port: where it listens.
        der: its certificate.
        names: those that clients asked for (RFC 6066, section 3).
        requests: what they sent.
    """

    port: int
    der: bytes
    names: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def certificate(*names: str, days: int = 90) -> tuple[x509.Certificate, bytes]:
    """Return a certificate for these names that ends in so many days, and its key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made, pem


@contextmanager
def served(
    directory: Path, *names: str, answer: bytes, wants_clients: bool = False
) -> Iterator[Shown]:
    """Serve one answer to whatever is asked over TLS.

    Args:
        directory: where the certificate and its key lie.
        names: those of the certificate.
        answer: what is sent back.
        wants_clients: whether clients have to show a certificate, too.
    """
    made, key = certificate(*names)
    chain = directory / "chain.pem"
    chain.write_bytes(key + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    if wants_clients:
        context.load_verify_locations(chain)
        context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server((HERE, 0))
    shown = Shown(listener.getsockname()[1], made.public_bytes(serialization.Encoding.DER))

    def note(_: Any, name: str | None, __: Any) -> None:
        shown.names.append(name or "")

    context.sni_callback = note

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            channel = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            with channel, suppress(OSError):
                try:
                    channel.do_handshake()
                except ssl.SSLError:
                    # what is closed with something unread is reset, and the alert may be lost
                    socket.socket.recv(channel, 4096)
                    continue
                shown.requests.append(channel.recv(4096).decode())
                channel.sendall(answer)
                channel.unwrap()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield shown
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
