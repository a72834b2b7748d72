"""Foreign text made fit for a terminal or for Markdown: it stays text there, in one line.

Names, messages and logs of a cluster may hold anything. In Markdown they may neither leave the
place that they are written in nor become HTML, links, pictures, mentions or references (CommonMark
0.31, sections 2.4 and 6.1, and what GitHub and GitLab add).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.masking import CUT

LONGEST: Final = 400
"""Characters that are kept of one text."""

_PUNCTUATION: Final = re.compile(r"([\\`*_\[\]<|~&$])")
_REFERENCE: Final = re.compile(
    r"""(?<=[@#!~%&$])(?=[\w"])|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=GH-)""", re.I
)
_JOINER: Final = "\u2060"
"""Word joiner (Unicode 16, section 23.2): nobody sees it, and it parts what makes a reference."""


def plain(text: str, longest: int = LONGEST) -> str:
    """Return a text in one line without control characters, cut where it is too long.

    Args:
        text: any text.
        longest: how many characters may come back.
    """
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in " ".join(text.split())[: longest + 1]
    )
    end = f" {CUT}"
    return shown if len(shown) <= longest else f"{shown[: longest - len(end)]}{end}"


def code(text: str, longest: int = LONGEST) -> str:
    """Return a text as a code span of Markdown, in which no character has a meaning.

    It does not belong in a table, whose cells end at every bar.
    """
    kept = plain(text, longest)
    fence = "`" * (1 + max(map(len, re.findall("`+", kept)), default=0))
    gap = " " if "`" in (kept[:1], kept[-1:]) else ""
    return f"{fence}{gap}{kept}{gap}{fence}" if kept else ""


def spans(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a sentence, and whether each was set in backticks; none is empty."""
    *pairs, last = text.split("`")
    is_paired = len(pairs) % 2 == 0
    for number, part in enumerate([*pairs, last] if is_paired else [text]):
        if part:
            yield part, is_paired and number % 2 == 1


def sentence(text: str, longest: int = LONGEST) -> str:
    """Return a sentence of ours as words of Markdown, with code spans where it has backticks."""
    kept = plain(text, longest)
    return "".join(code(part) if is_code else _words(part) for part, is_code in spans(kept))


def prose(text: str, longest: int = LONGEST) -> str:
    """Return a text as words of Markdown, in which no character has a meaning.

    They do not belong at the beginning of a line, where other characters have one too.
    """
    return _words(plain(text, longest))


def _words(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", _REFERENCE.sub(_JOINER, text))
