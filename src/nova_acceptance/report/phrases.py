"""What a run wrote itself, in the language of its reader.

A record has its sentences in English, and what they were made of (see `phrase`).
`texts/<language>/phrases.toml` has the templates of another language, by those in English, and the
folder of a kind of component has in `phrases.toml` those of its own, in a table a language. What
the catalogue of causes says may be one, too, and its translation is the catalogue's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from nova_acceptance.causes import causes, rooms
from nova_acceptance.phrase import Phrase, filled
from nova_acceptance.report.cause_texts import cause_text
from nova_acceptance.report.texts import ENGLISH, texts

_PLACE: Final = re.compile(r"\{\w+\}")
_SEPARATORS: Final = {"zh-Hant": "、"}


def phrase_of(fields: Mapping[str, Any], name: str) -> Phrase:
    """Return a field of a record with what it was made of, which may be unknown."""
    text, told = fields.get(name), fields.get("told")
    parts = told.get(name) if isinstance(told, dict) else None
    said = text if isinstance(text, str) else ""
    return Phrase.read(said, parts if isinstance(parts, dict) else {})


@cache
def translations(language: str) -> Mapping[str, str]:
    """Return the templates of a language, by those in English: of the rooms, and of all else."""
    found = {
        key.removeprefix("phrases."): texts(language).get(key)
        for key in texts(language)
        if key.startswith("phrases.")
    }
    for room in rooms():
        if (file := room / "phrases.toml").is_file():
            found |= tomllib.loads(file.read_text(encoding="utf-8")).get(language, {})
    return found


def in_language(said: str, language: str) -> tuple[str, str]:
    """Return what a run said, and the language that this is in.

    What it quoted of others, and what is not known in the language, stays as it is.
    """
    if language == ENGLISH or not isinstance(said, Phrase) or not said:
        return said, ENGLISH
    translated = _translated(said.template, said.values, language)
    return (translated, language) if translated else (said, ENGLISH)


def _translated(template: str, values: Mapping[str, Any], language: str) -> str:
    wanted = translations(language).get(template) or _of_causes(language).get(template, "")
    if not values:
        return "" if _PLACE.search(wanted) else wanted
    try:
        known = {name: _value(value, language) for name, value in values.items()}
        return filled(wanted, known, _SEPARATORS[language])
    except (KeyError, IndexError, ValueError, AttributeError):  # a record may hold anything
        return ""


def _value(value: Any, language: str) -> Any:
    if isinstance(value, Phrase):
        return in_language(value, language)[0]
    if isinstance(value, list | tuple):
        return [_value(each, language) for each in value]
    if isinstance(value, dict):
        template, values = value.get("template"), value.get("values")
        template = template if isinstance(template, str) else ""
        values = values if isinstance(values, dict) else {}
        return _translated(template, values, language) or _english(template, values)
    return value if isinstance(value, str | int | float) else ""


def _english(template: str, values: Mapping[str, Any]) -> str:
    """Return a phrase of which no translation is known; its template is a stranger's."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", str(_value(value, ENGLISH)))
    return template


@cache
def _of_causes(language: str) -> Mapping[str, str]:
    """Return what the catalogue of causes says, by what it says in English."""
    return {
        cause_text(cause.id, field, ENGLISH): cause_text(cause.id, field, language)
        for cause in causes().values()
        for field in ("title", "cure")
    }
