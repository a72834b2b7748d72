"""How a value is written: what is around it and which characters are as they should not be.

A trait tells which character stands at which end or in which part, and never the text around it.
What the value would be without it is told by a mark alone, so that it can be compared.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote

from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.kube import Object

TRAITS: Final = "traits"
"""The field of a Secret without its values that tells how they are written, by key."""

Name = Literal[
    "blank",
    "blank-around-text",
    "quoted",
    "encoded",
    "bytes",
    "placeholder",
    "unescaped",
    "escapes",
    "option",
]

_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060\x00"
"""What no reader sees either, and what Python does not count among blanks."""
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_PLAIN: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+|\d+|true|false|[a-z0-9-]+(\.[a-z0-9-]+)*:\d{1,5}", re.IGNORECASE
)
"""What is never meant to have quotes around it."""

_WORDS: Final = re.compile(
    r"(.*[-_ ])?(change|replace|fill|update|edit)[-_ ]?(me|this)([-_ !.].*|\d*)"
    r"|replace[-_ ]?with[-_ ].*|fill[-_ ]?in([-_ ](me|this|later|here))?"
    r"|(?-i:([A-Z0-9]+[-_ ])*TODO)\W*|to[-_ ]?do: .*|fixme\W*|tbd|tba|placeholder|redacted"
    r"|x{3,}|\*{3,}|\?{3,}|\.{3,}"
    r"|to[-_ ]be[-_ ](defined|done|replaced|changed|set|filled([-_ ]in)?)"
    r"|your[-_]\S+|(enter|insert|put|add)[-_ ].*[-_ ]here",
    re.IGNORECASE,
)
"""What people write where a value shall come later, and for nothing else."""
_HINTS: Final = re.compile(
    r"(.*[-_ ])?todo\W*|your [a-z ]*(password|token|secret|key)", re.IGNORECASE
)
"""The same where a password or a URL is: elsewhere it may be the name of something."""
_TEMPLATE: Final = re.compile(
    r"<[^<>]+>|\{\{.*\}\}|\$\{[^}]*\}|\$\([A-Za-z_]\w*\)|__[A-Z][A-Z0-9_]*__|%[A-Z][A-Z0-9_]{2,}%"
)
"""What a tool should have filled in."""
_NOTHING: Final = re.compile(r"null|nil|undefined|nan|\(null\)|(?-i:None)", re.IGNORECASE)
"""What programs write for nothing."""

_WEB: Final = ("http", "https", "ws", "wss")
"""Schemes in which an `@` may stand in a path."""
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_HOSTS: Final = r"[A-Za-z0-9._\[\]-]+(?::\d{1,5})?(?:,[A-Za-z0-9._\[\]-]+(?::\d{1,5})?)*"
_WELL: Final = re.compile(rf"{_HOSTS}(?:/[\w.-]*)?(?:[?#].*)?", re.DOTALL)
_WHERE: Final = re.compile(rf"{_HOSTS}(?:[/?#].*)?", re.DOTALL)
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_BREAKING: Final = "/?#@[]"
"""Of what RFC 3986, section 3.2.1, does not let stand in a login, what parsers split a URL by."""

OPTIONS: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": (
        "any",
        "read-write",
        "read-only",
        "primary",
        "standby",
        "prefer-standby",
    ),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "targetServerType": ("any", "primary", "master", "secondary", "slave", "preferSecondary"),
}
"""Options of a URL that may be told, with all values that each can have.

Source: the PostgreSQL manual, 34.1.2; of the last one the manual of its JDBC driver.
"""


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing about how a value is written.

    Attributes:
        name: what it is: `blank` characters, those around what is no single word, `quoted`,
            `encoded` once too often, `bytes` that are no text, a `placeholder`, a character
            `unescaped`, `escapes` that may be meant as they stand, an `option` of a URL.
        at: where: the `begin`, the `end`, the `password` or the `user` of a URL; of an option its
            name; of what is encoded or quoted `plain` where it can be meant in no other way.
        what: the characters; of an option its value, empty where there is no such value; of a
            placeholder whether it is a `word`, a `hint` of one, a `template` or `nothing`.
        meant: the mark of the value as it would be without it; empty where that is not known.
    """

    name: Name
    at: str = ""
    what: str = ""
    meant: str = ""


def traits_of(value: bytes) -> tuple[Trait, ...]:
    """Return how a value is written; nothing where there is nothing to say."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return (Trait("bytes", meant=mark(base64.b64encode(value).decode())),)
    bare = _stripped(text)
    if not bare or "-----BEGIN" in text:
        return ()
    if "\n" in bare or "\r" in bare:
        return tuple(_of_file(text))
    return (*_around(text, bare), *_of_word(bare))


def held_traits(holder: Object | None, key: str) -> tuple[Trait, ...]:
    """Return how a value of a Secret without its values, or of a ConfigMap, is written."""
    if holder is None:
        return ()
    if holder["kind"] == "Secret":
        told: list[dict[str, Any]] = (holder.get(TRAITS) or {}).get(key) or []
        return tuple(Trait(**each) for each in told)
    return traits_of(str((holder.get("data") or {}).get(key) or "").encode())


def _stripped(text: str) -> str:
    before = None
    while before != text:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def _of_file(text: str) -> Iterator[Trait]:
    """Yield what is wrong with a text of several lines: only a script does not bear CR LF."""
    if text.startswith("#!") and "\r\n" in text:
        yield Trait("blank", "end", "\r\n")


def _around(text: str, bare: str) -> Iterator[Trait]:
    start = text.index(bare)
    before, after = text[:start], text[start + len(bare) :]
    name: Name = "blank-around-text" if re.search(r"\s|^[{\[]", bare) else "blank"
    for at, characters in (("begin", before), ("end", after)):
        if characters:
            yield Trait(name, at, _once(characters), mark(bare))


def _once(characters: str) -> str:
    """Return each of some characters once; an end of a line stays whole."""
    found = re.findall(r"\r\n|.", characters, re.DOTALL)
    return "".join(dict.fromkeys(found))


def _of_word(text: str) -> Iterator[Trait]:
    if kind := _placeholder(text):
        yield Trait("placeholder", what=kind)
        return
    inner = text[1:-1]
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and text[0] not in inner:  # noqa: PLR2004
        yield Trait("quoted", "plain" if _PLAIN.fullmatch(inner) else "", text[0], mark(inner))
        yield from _of_word(inner)
        return
    if found := _URL.fullmatch(text):
        yield from _of_url(found["scheme"].lower(), found["rest"])
    elif decoded := _decoded(text):
        yield Trait("encoded", "plain" if "://" in decoded else "", meant=mark(decoded))


def _placeholder(text: str) -> str:
    kinds = {"word": _WORDS, "hint": _HINTS, "template": _TEMPLATE, "nothing": _NOTHING}
    return next((kind for kind, words in kinds.items() if words.fullmatch(text)), "")


def _decoded(text: str) -> str:
    """Return the text that base64 stands for; of random bytes, which it mostly stands for, none."""
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return ""
    try:
        decoded = _stripped(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded if decoded.isprintable() else ""


def _of_url(scheme: str, rest: str) -> Iterator[Trait]:
    login = _login(scheme, rest)
    user, _, password = login.partition(":")
    for part, written in (("user", user), ("password", password)):
        yield from _of_login(part, written)
    where = rest[len(login) + 1 :] if login or rest.startswith("@") else rest
    host, slash, after = where.partition("/")
    if (kind := _placeholder(host.partition(":")[0])) in ("word", "template"):
        yield Trait("placeholder", "host", kind)
    if slash and (kind := _placeholder(after.partition("?")[0])) in ("word", "template"):
        yield Trait("placeholder", "path", kind)
    query = where.partition("?")[2].partition("#")[0]
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in OPTIONS:
            yield Trait("option", name, value if value in OPTIONS[name] else "")


def _of_login(part: str, written: str) -> Iterator[Trait]:
    meant = unquote(written)
    if kind := _placeholder(meant):
        yield Trait("placeholder", part, kind)
        return
    for character in dict.fromkeys(written):
        if character in _BREAKING or character.isspace():
            yield Trait("unescaped", part, character, mark(written))
    if "%" in _ESCAPED.sub("", written):
        yield Trait("unescaped", part, "%", mark(written))
    elif "%" in written:
        yield Trait("escapes", part, "%", mark(written))
        if unquote(meant) != meant:
            yield Trait("escapes", part, "%25", mark(unquote(meant)))
    if part == "password" and meant != (bare := _stripped(meant)) and bare:
        for each in _around(meant, bare):
            yield Trait("blank", "password", each.what, each.meant)
    if inner := re.fullmatch(r"([\"'])(.+)\1", meant):
        yield Trait("quoted", part, inner[1], mark(inner[2]))
    if part == "password" and (decoded := _decoded(meant)):
        yield Trait("encoded", part, meant=mark(decoded))


def _login(scheme: str, rest: str) -> str:
    """Return user and password as they stand in a URL, up to the `@` that ends them."""
    found = re.match(r"[^/?#]*", rest)
    authority = found[0] if found else ""
    login, at, host = authority.rpartition("@")
    later = rest[len(authority) :]
    if "@" not in later:
        return login
    if at and (scheme in _WEB or _WELL.fullmatch(host + later)):
        return login
    if not at and (_WELL.fullmatch(rest) or (scheme in _WEB and not _is_cut_short(authority))):
        return login
    wider, _, where = rest.rpartition("@")
    return wider if ":" in wider and _WHERE.fullmatch(where) else login


def _is_cut_short(authority: str) -> bool:
    """Whether what stands before the first `/`, `?` or `#` is no host and port."""
    _, colon, port = authority.partition(":")
    return bool(colon) and not port.isdigit()
