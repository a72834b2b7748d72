"""Secrets replaced by value in everything that is written.

Whoever generates or reads a secret registers it here; whoever writes anything (the record, a
report, a log, a traceback) passes it through `mask`. What of a Kubernetes Secret counts as secret,
`secrecy` decides.

A secret is recognised by every stretch of `SHORTEST` characters of it, since a parser that splits a
URL in the wrong place quotes a part that nobody foresaw. That holds for the forms, too, that it
takes on its way: base64 (also inside a longer base64 text, as in a Kubernetes Secret or an
Authorization header), percent-encoded, escaped for JSON, Python or HTML, in hexadecimal, in lower
case as a host's name, and cut off by an ellipsis as in pytest's shortened values. A stretch that
consists of words or of numbers, such as `-redis-` or `2026-01`, is no secret by itself: it is
masked as a part of a longer one, or where it is a whole secret.

Masking takes time in proportion to the text, however many secrets there are.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, quote_plus

REPLACEMENT: Final = "‹secret›"  # noqa: RUF001 - no word of a program, a shell or a URL
SHORTEST: Final = 6
"""Characters below which a value would hide ordinary words rather than a secret."""

_SHORTEST_LINE: Final = 16
_SHORTEST_CUT: Final = 4
_SAMPLE: Final = 4
"""Characters of a stretch that are looked up first, at every third place of a text."""
_EVERY: Final = SHORTEST - _SAMPLE + 1
_LONG: Final = 256
"""Characters from which only every eighth stretch of a form is kept, such as of a private key."""
_REPEATED: Final = 10_000
"""Short texts without a secret that are remembered, such as the names of a record's fields."""
_SPARSE: Final = 8
_FRAME: Final = "PRIVATE KEY-----"
_KEY: Final = re.compile(rf"-----BEGIN [A-Z ]*{_FRAME}(.*?)(?:-----END|\Z)", re.DOTALL)
_SHORTEST_OF_LONG: Final = 24
"""Characters that must follow each other: shorter ones of a key are in every certificate, too."""

CUT: Final = "[cut]"
"""What stands after the beginning of a text that is too long to be told."""
_CUTS: Final = ("...", "…", CUT)
_ELLIPSIS: Final = re.compile(rf" ?(?:\.{{3,}}|…|{re.escape(CUT)}) ?")
_TOKEN: Final = re.compile(r"[^\W_]+")
_WORD: Final = re.compile(r"[^\W\d_]?[^\WA-Z\d_]*|[A-Z]+|[0-9]+")
_LONGEST_WORD: Final = 16


class Masker:
    """Knows secret values and replaces them in text; may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._stretches: dict[str, tuple[str, int] | None] = {}
        self._samples: set[str] = set()
        self._whole: set[str] = set()
        self._beginnings: set[str] = set()
        self._ends: set[str] = set()
        self._harmless: set[str] = set()

    def register(self, values: Iterable[str]) -> None:
        """Remember secret values from now on.

        Args:
            values: the secrets as they are used. Those shorter than `SHORTEST` characters are
                left out; of one with several lines (a private key) each line counts as well.
        """
        found = {part for value in values for part in _parts(value)}
        with self._lock:
            for value in sorted(found - self._values):
                self._values.add(value)
                is_long = len(value) > _LONG or _FRAME in value
                for form in _long_forms(value) if is_long else _written_forms(value):
                    self._add(form, is_long=is_long)
            # last: whoever masks meanwhile remembers what it found in the set of before
            self._harmless = set()

    def mask(self, text: str) -> str:
        """Return `text` with every known secret, and every part of one, replaced."""
        harmless = self._harmless
        if not self._values or len(text) < _SHORTEST_CUT or text in harmless:
            return text
        pieces: list[str] = []
        end = 0
        for start, stop in self._spans(text):
            pieces += (text[end:start], REPLACEMENT)
            end = stop
        if pieces:
            return "".join((*pieces, text[end:]))
        if len(text) < _LONG and len(harmless) < _REPEATED:
            harmless.add(text)
        return text

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

    def _add(self, form: str, *, is_long: bool) -> None:
        if len(form) < SHORTEST:
            return
        self._whole.add(form)
        for length in range(_SHORTEST_CUT, SHORTEST):
            self._beginnings.add(form[:length])
            self._ends.add(form[-length:])
        last = len(form) - SHORTEST
        places = {*range(0, last, _SPARSE), last} if is_long else range(last + 1)
        for place in places:
            stretch = form[place : place + SHORTEST]
            if is_long:
                self._stretches.setdefault(stretch, (form, place))
            else:
                self._stretches[stretch] = None
            self._samples |= {stretch[at : at + _SAMPLE] for at in range(_EVERY)}

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets are, apart from each other and in order."""
        samples, size = self._samples, _SAMPLE
        found = [at for at in range(0, len(text), _EVERY) if text[at : at + size] in samples]
        runs = _joined(self._stretches_at(text, found))
        is_cut = any(mark in text for mark in _CUTS)
        cuts = list(_ELLIPSIS.finditer(text)) if is_cut else []
        starts, ends = {cut.end() for cut in cuts}, {cut.start() for cut in cuts}
        spans = [
            each
            for start, stop in runs
            for each in (
                [(start, stop)]
                if start in starts or stop in ends
                else self._secret_in(text, start, stop)
            )
        ]
        spans += [it for cut in cuts for it in self._cut_short(text, cut.start(), cut.end())]
        return _joined(sorted(spans)) if cuts else spans

    def _stretches_at(self, text: str, samples: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield the stretches of secrets around places at which a sample of one was found."""
        known = self._stretches
        done = -1
        for sample in samples:
            for at in range(max(done, sample - _EVERY + 1, 0), sample + 1):
                stretch = text[at : at + SHORTEST]
                if stretch not in known:
                    continue
                source = known[stretch]
                if source is None:
                    yield at, at + SHORTEST
                    continue
                start, stop = _extended(text, at, *source)
                if stop - start >= _SHORTEST_OF_LONG:
                    yield start, stop
                    done = stop - SHORTEST

    def _secret_in(self, text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield what of a run is secret: all of it, or nothing, or the whole secrets in it."""
        run = text[start:stop]
        if not is_ordinary(run):
            yield start, stop
            return
        whole = self._whole_in(run)
        if not whole:
            return
        for found in re.finditer("|".join(map(re.escape, whole)), run):
            first, last = start + found.start(), start + found.end()
            if not _is_in_a_word(text, first, last):
                yield first, last

    def _whole_in(self, run: str) -> list[str]:
        """Return the whole secrets that a run of words holds, the longest first."""
        if len(run) > _LONG:
            return sorted((each for each in self._whole if each in run), key=len, reverse=True)
        parts = {
            run[at:end]
            for at in range(len(run) - SHORTEST + 1)
            for end in range(at + SHORTEST, len(run) + 1)
        }
        return sorted(parts & self._whole, key=len, reverse=True)

    def _cut_short(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the beginning of a secret before an ellipsis and the end of one after it."""
        for length in range(SHORTEST - 1, _SHORTEST_CUT - 1, -1):
            if start >= length and text[start - length : start] in self._beginnings:
                yield start - length, start
                break
        for length in range(SHORTEST - 1, _SHORTEST_CUT - 1, -1):
            if text[end : end + length] in self._ends:
                yield end, end + length
                break


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
        yield value.strip() if _FRAME in value else value
    lines = value.splitlines()
    if _FRAME in value:
        lines = _body(value)[-1:]  # the others are recognised by what is in them
    elif len(lines) == 1:
        return
    yield from (line for line in lines if len(line) >= _SHORTEST_LINE)


def _body(pem: str) -> list[str]:
    """Return the lines within the frame of each private key (RFC 7468)."""
    return [line for key in _KEY.findall(pem) for line in key.splitlines() if line]


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
    yield value.lower()  # as urllib.parse has a host's name
    yield html.escape(value)
    yield octets.hex()
    yield repr(octets)[2:-1]
    yield ascii(value)[1:-1]
    for encoded in (quote(octets, safe=""), quote(octets), quote_plus(octets)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(octets).decode()
        yield whole
        yield whole.rstrip("=")
        for shift in range(3):
            yield _base64_core(octets, shift, encode(bytes(shift) + octets).decode())


def _long_forms(value: str) -> Iterator[str]:
    """Yield the forms of a private key, which is its lines in one, or of another long value."""
    octets = value.encode("utf-8", "surrogatepass")
    yield "".join(_body(value)) if _FRAME in value else value
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + octets).decode()
        yield _base64_core(octets, shift, encoded)


def _base64_core(octets: bytes, shift: int, encoded: str) -> str:
    """Return the characters that depend on `octets` alone, `shift` foreign octets before them.

    Six bits make a character, so the characters at the edges hold bits of the neighbours too
    (RFC 4648, section 4).
    """
    first = -(-shift * 8 // 6)
    last = (shift + len(octets)) * 8 // 6
    return encoded[first:last]


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans, in order of their starts, that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return joined


def _extended(text: str, at: int, form: str, place: int) -> tuple[int, int]:
    """Return how far a text and a secret are the same around a stretch of both."""
    before = min(at, place)
    back = next((n for n in range(before) if text[at - n - 1] != form[place - n - 1]), before)
    after = min(len(text) - at, len(form) - place)
    forth = next((n for n in range(SHORTEST, after) if text[at + n] != form[place + n]), after)
    return at - back, at + forth


def is_ordinary(run: str) -> bool:
    """Whether a part of a secret is made of words and numbers, and may be a part of anything."""
    return all(
        len(token) < _LONGEST_WORD and _WORD.fullmatch(token) for token in _TOKEN.findall(run)
    )


def _is_in_a_word(text: str, start: int, stop: int) -> bool:
    """Whether a word in lower case goes on before or after, so that it is another word."""
    word = text[start:stop]
    if not (word.isalpha() and word.islower()):
        return False
    before, after = text[max(0, start - 3) : start], text[stop : stop + 1]
    is_escape = before[-2:-1] == "\\" or before[:1] == "%"
    return (before[-1:].islower() and not is_escape) or after.islower()


_masker = Masker()
register = _masker.register
mask = _masker.mask
masked = _masker.masked
