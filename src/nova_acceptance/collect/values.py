"""Which of a Secret's values must never be written."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from nova_acceptance import masking
from nova_acceptance.kube import Object

_TELLING_KEY: Final = re.compile(r"pass|pwd|token|secret|key|credential|auth|salt", re.IGNORECASE)
_NEXT_URL: Final = r"""[,;|"'][A-Za-z][A-Za-z0-9+.-]*://"""
_PASSWORD_IN_URL: Final = re.compile(
    rf"://[^\s:/?#]*:((?:(?!{_NEXT_URL})[^\s@])+(?:@[^\s@/?#]+)*)@"
)
"""Up to the last @ before the path: some write one of a name or a password as it is."""
_MARK: Final = "‹"  # noqa: RUF001 - how the shape of a password begins
_LONG: Final = 16
_DIGIT: Final = re.compile(r"[0-9]")


def to_mask(secret: Object) -> Iterator[str]:
    """Yield what of a Secret's values is secret; the rest are words that messages are made of.

    The password of a URL is, not the URL. Of other values one is taken for secret whose key says
    so, or that is long and looks random: `production` or a host name stays legible.
    """
    for key, encoded in (secret.get("data") or {}).items():
        try:
            text = base64.b64decode(encoded or "").decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            continue  # bytes; no text that is written holds them
        if "PRIVATE KEY-----" in text:
            yield text
        elif "-----BEGIN" in text:
            continue
        elif "://" in text:
            for password in _PASSWORD_IN_URL.findall(text):
                yield password
                yield unquote(password)
        elif _is_secret(key, text):
            yield text


def values_of(objects: Sequence[Object], plain: Collection[str] = ()) -> Iterator[str]:
    """Yield every value of the Secrets among objects that were rendered, however it is written.

    A certificate is for everybody to see, and so are `plain` keys; of their URLs the passwords are
    not.

    Args:
        objects: what is going to be applied.
        plain: keys whose values are no secrets.
    """
    for obj in objects:
        if obj["kind"] != "Secret":
            continue
        strings = {key: str(it) for key, it in (obj.get("stringData") or {}).items()}
        for key, text in (*_decoded(obj.get("data") or {}), *strings.items()):
            for password in _PASSWORD_IN_URL.findall(text):
                yield password
                yield unquote(password)
            is_certificate = "-----BEGIN CERTIFICATE" in text and "PRIVATE KEY" not in text
            if not is_certificate and key not in plain:
                yield text
                yield text.strip()


def _decoded(data: dict[str, str | None]) -> Iterator[tuple[str, str]]:
    for key, encoded in data.items():
        try:
            yield key, base64.b64decode(encoded or "").decode()
        except (binascii.Error, ValueError):
            continue  # bytes; no text that is written holds them


def without_passwords(text: str) -> str:
    """Return text of any origin with every known secret, and every password of a URL, replaced."""
    return _PASSWORD_IN_URL.sub(_replaced, masking.mask(text))


def _replaced(found: re.Match[str]) -> str:
    if found[1].startswith(_MARK):
        return found[0]
    return f"{found[0].removesuffix(f'{found[1]}@')}{masking.REPLACEMENT}@"


def _is_secret(key: str, text: str) -> bool:
    random = len(text) >= _LONG and not re.search(r"[\s:/]", text) and _DIGIT.search(text)
    return bool(_TELLING_KEY.search(key) or random)
