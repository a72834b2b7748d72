"""What is wrong with how a value is written, by its traits: told without the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.traits import OPTIONS, Trait
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.phrase import Phrase

_CHARACTERS: Final = {
    "\n": Phrase("a line feed (\\n)"),
    "\r": Phrase("a carriage return (\\r)"),
    "\r\n": Phrase("a carriage return and a line feed (\\r\\n)"),
    " ": Phrase("a space"),
    "\t": Phrase("a tab"),
    "\x00": Phrase("a null character (U+0000)"),
    "\u00a0": Phrase("a no-break space (U+00A0)"),
    "\u200b": Phrase("a zero-width space (U+200B)"),
    "\ufeff": Phrase("a byte order mark (U+FEFF)"),
}
_PARTS: Final = {
    "password": Phrase("password"),
    "user": Phrase("user"),
    "host": Phrase("host"),
    "path": Phrase("database"),
}
_WORDS: Final = ("word", "hint")
PLACED: Final = "placeholder"


@check
def badly_written(
    where: Ref, key: str, traits: Iterable[Trait], *, is_credential: bool
) -> Iterator[Finding]:
    """Find what is around a value or in it that is not meant.

    Args:
        where: the ConfigMap, Secret or workload that holds the value.
        key: its key.
        traits: how it is written.
        is_credential: whether it is known to be a password or a URL, so that quotes, `null` and
            blanks cannot be meant; of anything else only what is certain is told.
    """
    its = list(traits)
    for trait in its:
        if trait.name == "blank" or (trait.name == "blank-around-text" and is_credential):
            yield _blank(where, key, trait)
        elif trait.name == "quoted" and (trait.at == "plain" or (is_credential and not trait.at)):
            yield quoted(where, key, trait)
        elif trait.name == "encoded" and trait.at == "plain":
            yield encoded(where, key)
        elif trait.name == "placeholder" and (is_credential or trait.what == "word"):
            yield _placeholder(where, key, trait)
    for part in ("user", "password"):
        unescaped = [it.what for it in its if it.name == "unescaped" and it.at == part]
        if unescaped:
            yield unescaped_characters(where, key, part, unescaped)


def unescaped_characters(where: Ref, key: str, part: str, characters: list[str]) -> Finding:
    """Return that characters stand in a URL as they are which have to be escaped."""
    named = [_CHARACTERS.get(it, it) for it in characters]
    escaped = [quote(it, safe="") for it in characters]
    return Finding(
        "URL_CHARACTER_UNESCAPED",
        where,
        Phrase(
            "the {part} in the URL of {where}, {key}, holds {characters} as it is, and programs"
            " split the URL there",
            part=_PARTS[part],
            where=where,
            key=key,
            characters=named,
        ),
        Phrase(
            "write {escaped} in the place of {characters}, in this URL alone",
            escaped=escaped,
            characters=named,
        ),
    )


def quoted(where: Ref, key: str, trait: Trait) -> Finding:
    """Return that a value has quotes around it, which are a part of it."""
    return Finding(
        "VALUE_IN_QUOTES",
        where,
        Phrase(
            "{where}, {key}, has {quote} at both ends of its {part}, as characters of it",
            where=where,
            key=key,
            quote=trait.what,
            part=_PARTS.get(trait.at, Phrase("value")),
        ),
        Phrase("write it without them; `--from-env-file` takes quotes for a part of the value"),
    )


def encoded(where: Ref, key: str) -> Finding:
    """Return that a value is encoded once too often."""
    return Finding(
        "VALUE_ENCODED_TWICE",
        where,
        Phrase("{where}, {key}, is still base64 after it was decoded", where=where, key=key),
        Phrase("write the value itself under `stringData`, or encode it once under `data`"),
    )


def not_text(where: Ref, key: str) -> Finding:
    """Return that what stands under `data` was taken for base64 and is no text when decoded."""
    return Finding(
        "VALUE_ENCODED_TWICE",
        where,
        Phrase(
            "{where}, {key}, is no text: it was put under `data` without being encoded",
            where=where,
            key=key,
        ),
        Phrase("write the value itself under `stringData`, or encode it once under `data`"),
    )


def escaped_outside_a_url(where: Ref, key: str) -> Finding:
    """Return that a password is written as in a URL where it stands alone."""
    return Finding(
        "URL_CHARACTER_UNESCAPED",
        where,
        Phrase(
            "the password in the URL of {where}, {key}, holds % as it is, and programs take what"
            " follows it for an escape",
            where=where,
            key=key,
        ),
        Phrase("write %25 in the place of %, in this URL alone"),
    )


def escaped_twice(where: Ref, key: str) -> Finding:
    """Return that a password in a URL was escaped again after it was escaped."""
    return Finding(
        "URL_CHARACTER_UNESCAPED",
        where,
        Phrase("the password in the URL of {where}, {key}, is escaped twice", where=where, key=key),
        Phrase("escape it once: write % where it says %25"),
    )


def wrong_option(where: Ref, key: str, option: str) -> Finding:
    """Return that an option of a URL has a value that there is none of."""
    return Finding(
        "URL_OPTION_WRONG",
        where,
        Phrase(
            "{where}, {key}, gives {option} a value that it cannot have",
            where=where,
            key=key,
            option=option,
        ),
        Phrase("write one of {values}", values=list(OPTIONS[option])),
    )


def _blank(where: Ref, key: str, trait: Trait) -> Finding:
    characters = [_CHARACTERS.get(it, f"U+{ord(it[0]):04X}") for it in _characters_of(trait.what)]
    sentence = Phrase(
        "{where}, {key}, begins with {characters}, as a part of the value"
        if trait.at == "begin"
        else "the password in the URL of {where}, {key}, has {characters} at one end, escaped"
        if trait.at == "password"
        else "{where}, {key}, ends with {characters}, as a part of the value",
        where=where,
        key=key,
        characters=characters,
    )
    cure = Phrase(
        "write it without: `printf %s`, not `echo`, before `base64`; no `|` before it in YAML"
    )
    return Finding("VALUE_WITH_BLANKS", where, sentence, cure)


def _characters_of(text: str) -> Iterator[str]:
    while text:
        first = "\r\n" if text.startswith("\r\n") else text[0]
        yield first
        text = text[len(first) :]


def _placeholder(where: Ref, key: str, trait: Trait) -> Finding:
    part = _PARTS.get(trait.at)
    sentence = Phrase(
        "{where}, {key}, holds a placeholder in the place of its {part}"
        if part and trait.what in _WORDS
        else "{where}, {key}, holds a template that nothing filled in, in the place of its {part}"
        if part and trait.what == "template"
        else "{where}, {key}, holds what a program writes for nothing, in the place of its {part}"
        if part
        else "{where}, {key}, holds a placeholder, and no value"
        if trait.what in _WORDS
        else "{where}, {key}, holds a template that nothing filled in"
        if trait.what == "template"
        else "{where}, {key}, holds what a program writes for nothing",
        where=where,
        key=key,
        part=part,
    )
    return Finding("VALUE_IS_PLACEHOLDER", where, sentence)
