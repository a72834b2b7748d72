"""Secrets as they should not be; no value of theirs is shown anywhere."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from testing.faults.fault import Certificate, Url, Value


def changed_url(data: dict[str, str], wanted: Url) -> dict[str, str]:
    """Return the Secret's key with the URL changed, encoded as the API has it."""
    return {wanted.key: _encoded(_changed(_decoded(data[wanted.key]), wanted))}


def rewritten(data: dict[str, str], wanted: Value) -> dict[str, str]:
    """Return the key of a Secret or ConfigMap written otherwise, encoded as the API has it."""
    is_secret = wanted.kind == "Secret"
    value = _decoded(data[wanted.key]) if is_secret else data[wanted.key]
    text = wanted.written.replace("{value}", value)
    for _ in range(wanted.times if is_secret else 0):
        text = _encoded(text)
    return {wanted.key: text}


def _changed(text: str, wanted: Url) -> str:
    old = urlsplit(text)
    user = wanted.user if wanted.user is not None else unquote(old.username or "")
    password = wanted.password if wanted.password is not None else unquote(old.password or "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    place = f"{wanted.host or old.hostname}:{wanted.port or old.port}"
    path = old.path if wanted.path is None else wanted.path
    return f"{wanted.scheme or old.scheme}://{f'{login}@' if login else ''}{place}{path}"


def reissued(data: dict[str, str], wanted: Certificate) -> dict[str, str]:
    """Return `tls.crt` and `tls.key` as the fault wants them, encoded as the API has them."""
    old = x509.load_pem_x509_certificate(_decoded(data["tls.crt"]).encode())
    held = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = wanted.names or tuple(held.get_values_for_type(x509.DNSName))
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    issued = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=wanted.from_days))
        .not_valid_after(now + timedelta(days=wanted.to_days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    own_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    changed = {"tls.crt": _encoded(issued.public_bytes(serialization.Encoding.PEM).decode())}
    return changed if wanted.keeps_key else {**changed, "tls.key": _encoded(own_key)}


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
