"""What the words of a failed connection say, and how an error is quoted."""

from __future__ import annotations

import re
from typing import Final

from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import verbatim
from nova_acceptance.vantage.transcript import shorten

_WORDS: Final = tuple(
    (cause, re.compile(pattern, re.IGNORECASE))
    for cause, pattern in (
        # first, since a lookup may be said to have timed out or been refused, which is no port's
        (
            "NAME_UNRESOLVED",
            r"name or service not known|could not translate host name|EAI_|getaddrinfo"
            r"|(?:temporary failure|failure) in name resolution|nodename nor servname"
            r"|no address associated|no such host|server misbehaving|lookup \S+(?: on \S+)?: "
            r"|could not resolve|cannot resolve",
        ),
        ("PORT_CLOSED", r"connection refused|errno 111"),
        ("PORT_SILENT", r"timeout expired|timed out|timeout|no route to host|unreachable"),
        (
            "CONNECTION_CUT",
            r"closed (?:the connection|by server)|connection reset|reset by peer|broken pipe"
            r"|server closed|unexpectedly|aborted|EOF",
        ),
    )
)
_LONGEST: Final = 160
"""Characters of an answer that a headline quotes; the whole of it is evidence."""


def of_words(text: str) -> str | None:
    """Return the cause that the words of a failed connection name."""
    return next((cause for cause, words in _WORDS if words.search(text)), None)


def of_error(error: BaseException) -> Finding | None:
    """Return what an error of a connection shows."""
    if not isinstance(error, ConnectionError | TimeoutError):
        return None
    cause = of_words(f"{type(error).__name__} {error}") or "CONNECTION_CUT"
    return Finding(cause, NOWHERE, verbatim(line(error)))


def lines(error: BaseException) -> tuple[str, ...]:
    """Return what an error says, as evidence shows it."""
    return tuple(each.strip() for each in str(error).splitlines() if each.strip())[:5]


def line(error: BaseException) -> str:
    """Return what of an error a headline quotes: a server's own word, where there is one.

    Of one that goes on and on, such as Redis' of its protected mode, it is the first sentences.
    """
    found = lines(error) or (type(error).__name__,)
    fatal = [each for each in found if "FATAL:" in each]
    said = (fatal or found)[-1 if fatal else 0].rpartition("FATAL:")[2].strip()
    whole = said[:_LONGEST].rpartition(". ")[0] if len(said) > _LONGEST else ""
    return f"{whole}." if whole else shorten(said, _LONGEST)
