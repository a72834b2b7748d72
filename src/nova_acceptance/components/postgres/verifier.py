"""Whether a password is the one that PostgreSQL stores a verifier of, without trying to log in.

A server may let anybody in from its own loopback, and a failed login is seen in its log. What is
stored tells for certain, and is looked at here alone.
Source: the PostgreSQL manual, "pg_authid", and RFC 5802, section 3.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from typing import Final

_SCRAM: Final = re.compile(
    r"SCRAM-SHA-256\$(?P<rounds>\d+):(?P<salt>[A-Za-z0-9+/=]+)"
    r"\$(?P<stored>[A-Za-z0-9+/=]+):(?P<server>[A-Za-z0-9+/=]+)"
)


def is_password(password: str, role: str, stored: str) -> bool:
    """Whether a role's stored verifier, SCRAM or md5, is that of a password."""
    if not (password and stored):
        return False
    if stored.startswith("md5"):
        made = hashlib.md5(f"{password}{role}".encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(stored, f"md5{made}")
    found = _SCRAM.fullmatch(stored)
    if found is None:
        return False
    try:
        salt, key = (base64.b64decode(found[name]) for name in ("salt", "stored"))
    except binascii.Error:
        return False
    # SASLprep leaves what is plain as it is, and composes the rest (RFC 4013)
    text = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", text, salt, int(found["rounds"]))
    client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    return hmac.compare_digest(hashlib.sha256(client).digest(), key)
