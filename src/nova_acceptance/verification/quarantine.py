"""Known failures that do not turn a run red, each until a day, as `--quarantine FILE` lists them.

    - test: "tests/networking/test_dns.py::*"     # a pattern over node identifiers: * and ?
      cause: DNS_WRONG_ANSWER                     # the cause that the failure has to name
      reason: the corporate resolver answers for every name
      owner: platform team
      until: 2027-01-31                           # the last day; from the next on it fails again

One of `test` and `cause` has to be there; of both, both have to fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from nova_acceptance.causes import causes
from nova_acceptance.errors import SpecError
from nova_acceptance.system.base import Strict
from nova_acceptance.system.load import MESSAGES
from nova_acceptance.system.source import Problem, Source, parse

UNKNOWN: Final = "UNKNOWN"
"""The cause of a failure of which none is known."""

Said = Annotated[str, Field(min_length=1)]

_MESSAGES: Final = MESSAGES | {
    "date_type": "must be a date, such as 2027-01-31, without quotes",
    "string_too_short": "must not be empty",
}


class Entry(Strict):
    """One known failure.

    Attributes:
        test: a pattern over node identifiers; empty: any test.
        cause: the name of the cause that the failure has; empty: any.
        reason: why it is known, and not mended.
        owner: who mends it.
        until: the last day on which it does not count.
    """

    test: str = ""
    cause: str = ""
    reason: Said
    owner: Said
    until: date

    @property
    def what(self) -> str:
        """What it is about: the pattern, the cause, or both."""
        return " ".join(filter(None, (self.test, self.cause)))

    def is_about(self, nodeid: str) -> bool:
        """Whether it may be about a test, whatever the test's failure has as its cause."""
        return not self.test or _pattern(self.test).fullmatch(nodeid) is not None

    def fits(self, nodeid: str, cause: str) -> bool:
        """Whether a failure is the one that it describes."""
        return self.is_about(nodeid) and self.cause in ("", cause)


@dataclass
class Quarantine:
    """The known failures of a run, and which of them it has met."""

    entries: tuple[Entry, ...] = ()
    met: set[int] = field(default_factory=set)

    def find(self, nodeid: str, cause: str, today: date) -> tuple[int, Entry] | None:
        """Return the first known failure that fits, with its place; one that holds before others.

        Args:
            nodeid: pytest's name of the test.
            cause: the name of the failure's cause; empty where none was looked for.
            today: the day.
        """
        found = [it for it in enumerate(self.entries) if it[1].fits(nodeid, cause or UNKNOWN)]
        return min(found, key=lambda it: it[1].until < today, default=None)

    def unmet(self, unshown: Iterable[str]) -> list[Entry]:
        """Return the entries that fitted no failure.

        Args:
            unshown: tests that were neither passed nor failed, and may fail yet.
        """
        tests = list(unshown)
        return [
            entry
            for place, entry in enumerate(self.entries)
            if place not in self.met and not any(map(entry.is_about, tests))
        ]


def load(path: Path) -> Quarantine:
    """Read the known failures.

    Raises:
        SpecError: the file cannot be read, or is wrong: `file:line: field: what` of the first
            problem; the evidence lists the others.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"{path}: cannot be read: {reason}") from error
    source = parse(text)
    entries, problems = _validated(source)
    if problems:
        said = [
            f"{path}:{it.line}:{f' {it.field}:' * bool(it.field)} {it.message}" for it in problems
        ]
        raise SpecError(said[0], hint=f"mend {path} and try again", evidence=said[1:])
    return Quarantine(entries)


def _validated(source: Source) -> tuple[tuple[Entry, ...], list[Problem]]:
    if source.problems:
        return (), source.problems
    try:
        entries = TypeAdapter(tuple[Entry, ...]).validate_python(source.data or (), strict=True)
    except ValidationError as error:
        # a key that is not known is why another one is missing, so it comes first
        details = sorted(error.errors(), key=lambda it: it["type"] != "extra_forbidden")
        return (), [
            source.problem(it["loc"], _MESSAGES.get(it["type"], it["msg"])) for it in details
        ]
    known = {*causes(), UNKNOWN}
    problems = []
    for place, entry in enumerate(entries):
        if not entry.test and not entry.cause:
            problems.append(source.problem((place,), "has neither test nor cause"))
        elif entry.cause and entry.cause not in known:
            said = f"there is no cause {entry.cause}; docs/diagnosis.md has them all"
            problems.append(source.problem((place, "cause"), said))
    return entries, problems


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern in which brackets mean themselves, as they do in node identifiers."""
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
