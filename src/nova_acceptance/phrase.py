"""Sentences that remember what they were made of, so that they can be told in another language.

A cause's summary is made while a cluster is looked at, in English, with names and numbers in it. A
`Phrase` is that sentence, a string like any other, and keeps its template and what filled it; a
record has both. The templates of another language are in `phrases.toml` (see `report.phrases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

SEPARATOR: Final = ", "
"""Between the entries of a list, in English."""
FIELD: Final = "told"
"""Where a record has what its phrases were made of, by the name of the field."""


class Phrase(str):
    """A sentence in English.

    Attributes:
        template: its words, with a place for each value as `str.format` has them.
        values: what fills the places: phrases, numbers, lists, and anything else as its string. Of
            one that was read they are as the record has them.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str = "", /, **values: Any) -> Self:
        """Make a phrase.

        Raises:
            KeyError: there is no value for one of its places.
        """
        made = super().__new__(cls, filled(template, values, SEPARATOR) if values else template)
        made.template = template
        made.values = values
        return made

    @classmethod
    def read(cls, text: str, parts: Mapping[str, Any]) -> Self:
        """Return a phrase as a record has it.

        Args:
            text: the sentence in English.
            parts: what `parts` returned for it; empty where that is not known.
        """
        template = parts.get("template")
        values = parts.get("values")
        made = super().__new__(cls, text)
        made.template = template if isinstance(template, str) else text
        made.values = dict(values) if isinstance(values, dict) else {}
        return made

    def parts(self) -> dict[str, Any]:
        """Return what it is made of, as a record has it: `template`, and `values` if any."""
        values = {name: _recorded(value) for name, value in self.values.items()}
        return {"template": self.template, **({"values": values} if values else {})}


NOTHING: Final = Phrase()
"""No sentence."""


def verbatim(text: str) -> Phrase:
    """Return words of somebody else's, which are told as they are in every language.

    Those that turn out to be a phrase are one already.
    """
    return text if isinstance(text, Phrase) else Phrase("{said}", said=text)


def filled(template: str, values: Mapping[str, Any], separator: str) -> str:
    """Return a template with its places filled; the entries of a list are joined."""
    joined = {
        name: separator.join(map(str, value)) if _is_list(value) else value
        for name, value in values.items()
    }
    return template.format(**joined)


def told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a record, with what those of them that are phrases are made of."""
    phrases = {name: value for name, value in fields.items() if isinstance(value, Phrase)}
    parts = {name: phrase.parts() for name, phrase in phrases.items() if phrase}
    plain = {name: str(phrase) for name, phrase in phrases.items()}
    return {**fields, **plain, **({FIELD: parts} if parts else {})}


def _recorded(value: Any) -> Any:
    if isinstance(value, Phrase):
        return value.parts()
    if isinstance(value, bool | int | float):
        return value
    if _is_list(value):
        return [_recorded(each) for each in value]
    return str(value)


def _is_list(value: Any) -> bool:
    # a reference to an object is a tuple by its making and a name by its meaning
    return type(value) in (list, tuple)
