"""Passwords replaced by value in everything that is written.

Whoever generates or reads a secret registers it here; whoever writes anything (the record, a
report, a log, a traceback) passes it through `mask`. A secret is recognised as it is and in the
forms that it takes on its way: base64 (also inside a longer base64 text, as in a Kubernetes Secret
or an Authorization header), percent-encoded, escaped for JSON, Python or HTML, in hexadecimal, and
cut off by an ellipsis as in pytest's shortened values.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus

REPLACEMENT: Final = "‹secret›"  # noqa: RUF001 - no word of a program, a shell or a URL
SHORTEST: Final = 6
"""Characters below which a value would hide ordinary words rather than a secret."""

_SHORTEST_LINE: Final = 16
_SHORTEST_CUT: Final = 4
_ELLIPSIS: Final = re.compile(r"\.{3}|…")


class Masker:
    """Knows secret values and replaces them in text; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()

    def register(self, values: Iterable[str]) -> None:
        """Remember secret values from now on.

        Args:
            values: the secrets as they are used. Those shorter than `SHORTEST` characters are
                left out; of one with several lines (a private key) each line counts as well.
        """
        found = {part for value in values for part in _parts(value)}
        with self._lock:
            if found <= self._values:
                return
            self._values |= found
            forms = {form for value in self._values for form in _written_forms(value)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """Return `text` with every known secret replaced by `REPLACEMENT`."""
        there = [form for form in self._forms if form in text]
        if there:
            # In one pass and the longest first: a replacement is not looked at again.
            text = re.sub("|".join(re.escape(form) for form in there), REPLACEMENT, text)
        return _without_cut_forms(text, self._forms) if self._forms else text

    def masked(self, value: Any) -> Any:
        """Return a copy of JSON-like data with every string in it masked.

        Args:
            value: a string, number, None, or mappings and sequences of them; anything else is
                turned into a string first.
        """
        if isinstance(value, str):
            return self.mask(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {self.mask(str(key)): self.masked(leaf) for key, leaf in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.masked(leaf) for leaf in value]
        return self.mask(str(value))


class MaskingFilter(logging.Filter):
    """Masks a log record, its traceback included; belongs on handlers, not on loggers.

    A logger's filter sees only what is logged on that very logger, a handler's sees everything
    that the handler will write.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask `record` in place; nothing is ever filtered out."""
        text = record.getMessage()
        if (clean := mask(text)) != text:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        if record.stack_info:
            record.stack_info = mask(record.stack_info)
        return True


def _parts(value: str) -> Iterator[str]:
    if len(value) >= SHORTEST:
        yield value
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (
            line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----")
        )


def _written_forms(value: str) -> Iterator[str]:
    """Yield the forms, and each as it looks when it is shown inside a string once or twice."""
    shown = set(_forms(value))
    for _ in range(2):
        shown |= {escaped for form in shown for escaped in _escaped(form)}
    yield from shown


def _escaped(form: str) -> Iterator[str]:
    yield json.dumps(form)[1:-1]
    yield json.dumps(form, ensure_ascii=False)[1:-1]
    yield repr(form)[1:-1]
    # Which quote repr escapes depends on what else is in the string.
    yield repr(form + '"')[1:-2]


def _forms(value: str) -> Iterator[str]:
    octets = value.encode("utf-8", "surrogatepass")
    yield value
    yield html.escape(value)
    yield octets.hex()
    for encoded in (quote(octets, safe=""), quote(octets), quote_plus(octets)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(octets).decode()
        yield whole
        yield whole.rstrip("=")
        for shift in range(3):
            core = _base64_core(octets, shift, encode(bytes(shift) + octets).decode())
            if len(core) >= SHORTEST:
                yield core


def _base64_core(octets: bytes, shift: int, encoded: str) -> str:
    """Return the characters that depend on `octets` alone, `shift` foreign octets before them.

    Six bits make a character, so the characters at the edges hold bits of the neighbours too
    (RFC 4648, section 4).
    """
    first = -(-shift * 8 // 6)
    last = (shift + len(octets)) * 8 // 6
    return encoded[first:last]


def _without_cut_forms(text: str, forms: Sequence[str]) -> str:
    """Mask the beginning of a form that stands before an ellipsis, and the end of one after it."""
    pieces = _ELLIPSIS.split(text)
    if len(pieces) == 1:
        return text
    ellipses = _ELLIPSIS.findall(text)
    pieces[:-1] = [_without_end(piece, forms) for piece in pieces[:-1]]
    pieces[1:] = [_without_start(piece, forms) for piece in pieces[1:]]
    return "".join(piece + mark for piece, mark in zip(pieces, [*ellipses, ""], strict=True))


def _without_end(piece: str, forms: Sequence[str]) -> str:
    for form in forms:
        if form[:_SHORTEST_CUT] in piece[-len(form) :]:
            for length in range(len(form) - 1, _SHORTEST_CUT - 1, -1):
                if piece.endswith(form[:length]):
                    return piece[:-length] + REPLACEMENT
    return piece


def _without_start(piece: str, forms: Sequence[str]) -> str:
    for form in forms:
        if form[-_SHORTEST_CUT:] in piece[: len(form)]:
            for length in range(len(form) - 1, _SHORTEST_CUT - 1, -1):
                if piece.startswith(form[-length:]):
                    return REPLACEMENT + piece[length:]
    return piece


_masker = Masker()
register = _masker.register
mask = _masker.mask
masked = _masker.masked
