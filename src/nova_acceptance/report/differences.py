"""A comparison of two runs in words, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from nova_acceptance.report.comparison import Change, Comparison, Pace
from nova_acceptance.report.outcomes import PastCause
from nova_acceptance.report.texts import Texts
from nova_acceptance.report.wording import Wording

Finding = Callable[[str], str]
"""What makes foreign text fit for where it is written, such as `escaping.plain`."""


class Part(NamedTuple):
    """Something that differs: what it is, and a line each."""

    heading: str
    lines: tuple[str, ...]


def differences(
    comparison: Comparison, say: Texts, shown: Finding, most: int | None = None
) -> Iterator[Part]:
    """Yield what differs, what got worse first; nothing where nothing does.

    Args:
        comparison: the comparison.
        say: the texts of the language.
        shown: makes foreign text fit for where it is written.
        most: how many lines a part may have; the rest is counted.
    """
    word = Wording(say)

    def part(heading: str, lines: Iterable[str]) -> Iterator[Part]:
        found = tuple(lines)
        kept = found[:most]
        if rest := len(found) - len(kept):
            kept = (*kept, say("page.history.more", n=rest))
        if found:
            yield Part(say(heading, n=len(found)), kept)

    def tests(kind: str) -> Iterator[Part]:
        yield from part(f"page.history.{kind}", map(shown, getattr(comparison, kind)))

    for kind in ("failing", "unshown", "still", "mended"):
        yield from tests(kind)
    for heading, causes in (
        ("comparison.causes-came", comparison.causes_came),
        ("comparison.causes-went", comparison.causes_went),
    ):
        yield from part(heading, (_cause(c, say, shown) for c in causes))
    yield from part("comparison.changes", (_change(c, say, shown) for c in comparison.changes))
    for kind in ("added", "gone"):
        yield from tests(kind)
    yield from part("page.history.paces", (_pace(p, say, word, shown) for p in comparison.paces))


def _cause(cause: PastCause, say: Texts, shown: Finding) -> str:
    return say("comparison.cause", cause=shown(cause.cause), subject=shown(cause.subject))


def _change(change: Change, say: Texts, shown: Finding) -> str:
    kind = say(f"comparison.kind.{change.kind}")
    what = f"{kind} {shown(change.name)}" if change.name else kind
    return say("comparison.line", what=what, before=shown(change.before), after=shown(change.after))


def _pace(pace: Pace, say: Texts, word: Wording, shown: Finding) -> str:
    before, after = word.duration(pace.before), word.duration(pace.after)
    return say("comparison.line", what=shown(pace.test), before=before, after=after)
