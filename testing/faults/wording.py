"""What a sentence leaves open: a placeholder, dots, the words of a test."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from testing.faults.fault import Fault

_LEFT_OPEN: Final = re.compile(
    r"…|\.\.\."  # something is to be put here
    r"|\bassert "  # the words of a test, and not of what is wrong
    r"|<[a-z][a-z -]*>"
    # a name in capitals, but for what an option takes, such as `context:NAME`
    r"|(?<![:=\w])(?:NAME|NAMESPACE|NS|POD|NODE|KEY|CONTAINER|VALUE|ZONE|FOO|XXX|TODO)\b"
)
_ESCAPED: Final = re.compile(r"\\([\W_])")
"""What Markdown has a backslash before."""

_CLOSING: Final = re.compile(r"^=+ Nova acceptance =+$", re.MULTILINE)
_CUT_BY_PYTEST: Final = re.compile(r"^((?:FAILED|ERROR) .*?)\.\.\.$")
"""A line of pytest's own summary, which it cuts at the terminal's width."""


def left_open(text: str) -> list[str]:
    """Return what a text leaves open."""
    return [found[0] for found in _LEFT_OPEN.finditer(text)]


def left_open_by(told: Iterable[str], faults: Sequence[Fault]) -> list[tuple[str, str]]:
    """Return what sentences leave open, each with its sentence.

    What a fault itself writes is not left open where the suite quotes it, such as a placeholder
    in a URL.
    """
    own = json.dumps(
        [fault.model_dump(mode="json", include={"breaks", "deploy"}) for fault in faults],
        ensure_ascii=False,
    )
    return [
        (found, sentence)
        for sentence in dict.fromkeys(told)
        for found in dict.fromkeys(left_open(sentence))
        if not re.search(rf"(?<!\w){re.escape(found)}(?!\w)", own)
    ]


def told_in_record(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield what a record says of each cause: the summary and the cure."""
    for event in events:
        found = event if event["type"] == "diagnosis" else event.get("diagnosis")
        if isinstance(found, dict):
            yield from (str(found[field]) for field in ("summary", "cure") if found.get(field))


def told_in_summary(markdown: str) -> list[str]:
    """Return the lines of a summary.md as they are read."""
    return [_ESCAPED.sub(r"\1", line) for line in markdown.splitlines() if line.strip()]


def told_at_the_end(output: str) -> list[str]:
    """Return the lines with which a run ends in a terminal, from the suite's own section on."""
    found = list(_CLOSING.finditer(output))
    if not found:
        return []
    lines = output[found[-1].end() :].splitlines()
    return [_CUT_BY_PYTEST.sub(r"\1", line) for line in lines if line.strip()]
