"""What of a Secret's value may be looked at: its shape, in which nothing secret is left.

Of URLs there stay scheme, host and port, and of a database's also user and database; a host and a
port that their keys call so stay, a certificate is public, a private key becomes the fingerprint
of its public half. Everything else (a password, a query, the path of a web hook, the text around a
URL) becomes a mark that is equal for equal values and tells nothing else: it is keyed with bytes
that no file and no message holds. Nothing, and nothing but blanks, stays nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.traits import TRAITS, traits_of
from nova_acceptance.kube import Object
from nova_acceptance.libraries import serialization

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

PRIVATE_KEY: Final = "private key of "
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]*-----END CERTIFICATE-----"
)
_URL: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    # up to the last @ before the next URL: some write one of a name or a password as it is
    r"(?:(?P<user>[^\s:/?#]*)(?::(?P<password>(?:(?![,;|\"'][a-z][a-z0-9+.-]*://)\S)*))?@)?"
    r"(?P<hosts>(?:[a-z0-9.:\[\]_-]|,(?![a-z][a-z0-9+.-]*://))+)"
    r"(?P<path>/[^\s?#,;\"'<>]*)?(?P<rest>[?#][^\s\"'<>]*)?",
    re.IGNORECASE,
)
_WEB: Final = ("http", "https", "ws", "wss")
"""Schemes in which a user or a path may be a token."""
_DATABASE: Final = re.compile(r"/[\w-]{0,63}")
_ADDRESS: Final = re.compile(r"[a-z0-9.-]+:[0-9]{1,5}(,[a-z0-9.-]+:[0-9]{1,5})*", re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)
_PORT: Final = re.compile(r"[0-9]{1,5}")
_HOST_WORD: Final = "host|hostname|addr|address|endpoint"
_HOST_KEY: Final = re.compile(
    rf"[A-Za-z0-9]([_.-](?i:{_HOST_WORD})|{_HOST_WORD.title()})$|^(PG|DB)HOST$|^dbhost$"
)
_PORT_KEY: Final = re.compile(r"[A-Za-z0-9]([_.-](?i:port)|Port)$|^(PG|DB)PORT$|^dbport$")
_OWN_KEY: Final = re.compile(
    r"(^|[_.-])(bind|listen|virtual|my|self|own|node|pod|public|external|allowed|advertised?)"
    r"[_.-]?(host|hostname|addr|address|endpoint)$",
    re.IGNORECASE,
)


_CREDENTIAL_KEY: Final = re.compile(
    r"auth|pass|pwd|token|secret|cred|login|user|account|(^|[_.-])keys?($|[_.-])",
    re.IGNORECASE,
)
"""Of keys under which `name:12345` is rather a name and its password than a host and its port."""


def is_host_key(key: str) -> bool:
    """Whether a key says that its value is the host of something else."""
    return bool(_HOST_KEY.search(key)) and not _OWN_KEY.search(key)


def fingerprint(key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a public key's SubjectPublicKeyInfo, in hexadecimal."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()


def shape(value: bytes) -> str:
    """Return what may be looked at of a Secret's value."""
    text = value.decode("utf-8", "replace")
    if not text.strip():
        return ""
    if "PRIVATE KEY-----" in text:
        return _private_key(value)
    if blocks := _CERTIFICATE.findall(text):  # what some tools write around them is none
        return "\n".join((*blocks, ""))
    # a search would try every character of a long token as the first of a scheme
    found = list(_URL.finditer(text)) if "://" in text else []
    if found:
        around = _URL.sub("", text).strip(" \t\r\n,")
        shapes = [_url(each) for each in found]
        return " ".join([mark(text), *shapes]) if around else ",".join(shapes)
    return text if _ADDRESS.fullmatch(text) else mark(text)


def _url(found: re.Match[str]) -> str:
    """Return what may be looked at of one URL."""
    is_web = found["scheme"].lower() in _WEB
    user, path = found["user"] or "", found["path"] or ""
    if user and is_web:
        user = mark(unquote(user))
    password = "" if found["password"] is None else f":{mark(unquote(found['password']))}"
    if path.strip("/") and (is_web or not _DATABASE.fullmatch(path)):
        path = f"/{mark(path)}"
    login = f"{user}{password}@" if user or password else ""
    rest = f"?{mark(found['rest'])}" if found["rest"] else ""
    return f"{found['scheme']}://{login}{found['hosts']}{path}{rest}"


def without_values(secret: Object) -> Object:
    """Return a Secret, from the API or as it was rendered, with the shapes of its values.

    How they are written stands beside them, under `traits`, where there is something to say.

    Raises:
        ValueError: its data is not base64.
    """
    try:
        decoded = {
            key: base64.b64decode(value or "") for key, value in (secret.get("data") or {}).items()
        }
    except binascii.Error as error:
        raise ValueError(f"Secret {secret['metadata']['name']}: {error}") from error
    decoded |= {key: str(value).encode() for key, value in (secret.get("stringData") or {}).items()}
    metadata = dict(secret["metadata"])
    # a client-side apply keeps the whole object here, values included
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop("kubectl.kubernetes.io/last-applied-configuration", None)
    written = {key: [asdict(it) for it in traits_of(value)] for key, value in decoded.items()}
    traits = {key: its for key, its in written.items() if its}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {**metadata, "annotations": annotations},
        "type": secret.get("type", "Opaque"),
        "data": {key: _shape_under(key, value) for key, value in decoded.items()},
        **({TRAITS: traits} if traits else {}),
    }


def _shape_under(key: str, value: bytes) -> str:
    """Return a value's shape; a host and a port that their keys call so are no secrets."""
    text = value.decode("utf-8", "replace")
    if (is_host_key(key) and _NAME.fullmatch(text)) or (
        _PORT_KEY.search(key) and _PORT.fullmatch(text)
    ):
        return text
    if _CREDENTIAL_KEY.search(key) and not is_host_key(key) and _ADDRESS.fullmatch(text):
        return mark(text)
    return shape(value)


def _private_key(pem: bytes) -> str:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        return f"{PRIVATE_KEY}nothing readable: {type(error).__name__}"
    return f"{PRIVATE_KEY}{fingerprint(key.public_key())}"
