"""What a record need not say again: evidence that tests have alike, and fields that say nothing.

Evidence that many tests have alike is written once; the others refer to it. A reference is
`{"same": DIGEST, "seconds": …}` in the place of what was asked, of whom and what came back. The
digest is that of these words, so that a reader needs no more than what came before in the file, and
nothing has to be numbered anew where records are put together.

Of a phase in which nothing was asked, written or wrong, as most are, the fields that would say so
are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from nova_acceptance.report.recorder import Fact

_WORDS: Final = ("asked", "source", "target", "answer")
_NOTHING: Final[Mapping[str, Any]] = {
    "expected_failure": False,
    "message": "",
    "text": "",
    "evidence": [],
    "sections": [],
    "worker": "",
}
"""The fields of a phase that are left out where they have these values."""
_LENGTH: Final = 16
"""Hexadecimal digits of a digest: 64 bits, for at most some million entries of a record."""


class Shortener:
    """Takes out of facts what the same record has said before."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def shortened(self, fact: Fact) -> Fact:
        """Return a fact with references in the place of evidence that is known.

        A phase is without the fields that say nothing.
        """
        if fact.get("type") == "phase":
            fact = {key: value for key, value in fact.items() if not _says_nothing(key, value)}
        evidence = fact.get("evidence")
        if not isinstance(evidence, list) or not all(map(_is_whole, evidence)):
            return fact  # or the lines of a diagnosis
        return {**fact, "evidence": [self._short(each) for each in evidence]}

    def _short(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        digest = _digest(entry)
        if digest in self._said:
            return {"same": digest, "seconds": entry["seconds"]}
        self._said.add(digest)
        return entry


class Expander:
    """Puts back into facts, in their order, what they refer to."""

    def __init__(self) -> None:
        self._said: dict[str, Mapping[str, Any]] = {}

    def whole(self, fact: Fact) -> Fact:
        """Return a fact without references, and with every field that a phase has.

        What a reference leads to may have been in a damaged line. Then it is left out: nothing is
        known of it.
        """
        if fact["type"] == "phase":
            fact = {**_NOTHING, "evidence": [], "sections": [], **fact}
        evidence = fact.get("evidence")
        if not isinstance(evidence, list):
            return fact
        found = []
        for entry in evidence:
            if not isinstance(entry, dict):
                found.append(entry)
            elif "same" not in entry:
                if _is_whole(entry):
                    self._said.setdefault(_digest(entry), entry)
                found.append(entry)
            elif known := self._said.get(str(entry["same"])):
                found.append({**known, "seconds": entry.get("seconds")})
        return {**fact, "evidence": found}


def _says_nothing(field: str, value: object) -> bool:
    return field in _NOTHING and type(value) is type(_NOTHING[field]) and not value


def _is_whole(entry: object) -> bool:
    return isinstance(entry, dict) and {*_WORDS, "seconds"} <= entry.keys()


def _digest(entry: Mapping[str, Any]) -> str:
    words = json.dumps([entry[word] for word in _WORDS], ensure_ascii=True)
    return hashlib.sha256(words.encode()).hexdigest()[:_LENGTH]
