"""How values are written that hold other values: URLs, JSON, base64, quotes.

It knows nothing of what is secret in them; that is `secrecy`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Final

URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
"""A scheme, and everything that follows it: a URL is not parsed."""
_NEXT: Final = re.compile(r"""[,;|\s"'](?=[A-Za-z][A-Za-z0-9+.-]*://)""")


def urls_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield scheme and rest of each URL; one that is all of a value may have blanks in it."""
    if "://" not in text:  # a search would try every character of a key as the first of a scheme
        return
    is_whole = "\n" not in text and re.match(r"\S*://", text) is not None
    for line in text.splitlines():
        for part in _NEXT.split(line) if "://" in line else ():
            if found := URL.search(part):
                rest = found["rest"]
                yield found["scheme"], rest if is_whole else re.split(r"\s", rest, maxsplit=1)[0]


def json_leaves(text: str) -> Iterator[tuple[str, str]]:
    """Yield the texts and numbers in a JSON object or list, each with the key it is under."""
    if not text.startswith(("{", "[")):
        return
    try:
        pending = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending += [(str(inner), leaf) for inner, leaf in value.items()]
        elif isinstance(value, list):
            pending += [(key, leaf) for leaf in value]
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield key, str(value)


def decoded_base64(text: str) -> str:
    """Return the text that base64 stands for; empty where it stands for none."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=None, validate=True)
        decoded = octets.decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded if decoded.isprintable() or "\n" in decoded else ""


def unquoted(value: str) -> str:
    """Return what a value says, as YAML, JSON or a shell has it, without its comment."""
    quote = value[:1]
    if quote in ("'", '"') and (end := value.rfind(quote)) > 0:
        return _unescaped(value[1:end]) if quote == '"' else value[1:end].replace("''", "'")
    return value.partition(" #")[0].strip()


def _unescaped(text: str) -> str:
    """Return what a text between double quotes says, in YAML, JSON or a shell."""
    try:
        return text.encode("latin-1", "backslashreplace").decode("unicode_escape")
    except UnicodeDecodeError:
        return text.replace("\\", "")
