"""Every text of the pages, by key and language: `texts/<language>/<part>.toml`.

A key is `<part>.<table>.<name>`, such as `words.outcome.passed`. Where a text depends on a number,
its entry is a table of `one` and `other`, chosen by the value `n`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

ENGLISH: Final = "en"
CHINESE: Final = "zh-Hant"
LANGUAGES: Final = (ENGLISH, CHINESE)


class Texts:
    """The texts of one language.

    Args:
        language: one of `LANGUAGES`.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = dict(_read(language))

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a text, its placeholders filled.

        Raises:
            KeyError: there is no such text, or no value for one of its placeholders.
        """
        plural = "one" if values.get("n") == 1 else "other"
        text = self._texts.get(f"{key}.{plural}") or self._texts[key]
        return text.format(**values)

    def get(self, key: str) -> str:
        """Return a text as it is, or nothing where there is none: for names from outside."""
        return self._texts.get(key, "")

    def __iter__(self) -> Iterator[str]:
        """Return every key."""
        return iter(self._texts)


@cache
def texts(language: str) -> Texts:
    """Return the texts of a language, read once."""
    return Texts(language)


def _read(language: str) -> Iterator[tuple[str, str]]:
    for file in (resources.files(__package__) / "texts" / language).iterdir():
        if file.name.endswith(".toml"):
            part = file.name.removesuffix(".toml")
            yield from _flat(part, tomllib.loads(file.read_text(encoding="utf-8")))


def _flat(prefix: str, entries: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in entries.items():
        if isinstance(entry, Mapping):
            yield from _flat(f"{prefix}.{name}", entry)
        else:
            yield f"{prefix}.{name}", str(entry)
