"""What PostgreSQL's answers say of their cause.

The codes are PostgreSQL's (its manual, appendix A); an error at connecting carries none, so its
words are read as well.
"""

from __future__ import annotations

import re
from typing import Final

from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.answers import line, lines, of_words

_BY_STATE: Final = {
    "28P01": "PASSWORD_REFUSED",
    "28000": "ADMISSION_REFUSED",
    "3D000": "DATABASE_MISSING",
    "3F000": "SCHEMA_MISSING",
    "42P01": "TABLE_MISSING",
    "42501": "PRIVILEGE_MISSING",
    "53300": "CONNECTIONS_EXHAUSTED",
    "53100": "DISK_FULL",
    "57P03": "DATABASE_STARTING",
    "57P01": "DATABASE_STARTING",
    "57P02": "DATABASE_STARTING",
    "25006": "PRIMARY_READ_ONLY",
    "57014": "STATEMENT_TIMED_OUT",
    "55P03": "STATEMENT_TIMED_OUT",
}

# In this order: what is told more exactly comes first.
_BY_WORDS: Final = tuple(
    (cause, re.compile(pattern, re.IGNORECASE))
    for cause, pattern in (
        ("PASSWORD_REFUSED", r"password authentication failed|no password supplied"),
        ("ADMISSION_REFUSED", r"no pg_hba\.conf entry|pg_hba\.conf rejects"),
        ("ADMISSION_REFUSED", r"(?:peer|ident|certificate|GSSAPI) authentication failed"),
        ("DATABASE_MISSING", r'database "[^"]*" does not exist'),
        ("DATABASE_CLOSED", r"is not currently accepting connections"),
        ("SCHEMA_MISSING", r'schema "[^"]*" does not exist'),
        ("ROLE_MISSING", r'role "[^"]*" does not exist'),
        ("TABLE_MISSING", r'relation "[^"]*" does not exist'),
        ("ROLE_ATTRIBUTES_WRONG", r"is not permitted to log in|must be superuser or replication"),
        (
            "CONNECTIONS_EXHAUSTED",
            r"too many (?:clients|connections)|remaining connection slots are reserved"
            r"|standby connections exceeds max_wal_senders",
        ),
        (
            "DATABASE_STARTING",
            r"the database system is (?:starting up|shutting down|in recovery mode|not yet accept)"
            r"|terminating connection due to",
        ),
        ("STATEMENT_TIMED_OUT", r"canceling statement due to (?:statement|lock) timeout"),
        ("DISK_FULL", r"No space left on device|could not extend file"),
        ("PRIMARY_READ_ONLY", r"read-only transaction|recovery is in progress"),
        ("ROW_SECURITY_HIDES", r"violates row-level security policy"),
        ("PRIVILEGE_MISSING", r"permission denied"),
    )
)


def of_error(error: BaseException) -> Finding | None:
    """Return what PostgreSQL, or the way to it, says."""
    if not isinstance(error, psycopg.Error):
        return None
    named = next((cause for cause, words in _BY_WORDS if words.search(str(error))), None)
    cause = named or _BY_STATE.get(error.sqlstate or "")
    if cause is None and isinstance(error, psycopg.OperationalError):
        cause = of_words(str(error))
    return _says(cause, line(error), lines(error)) if cause else None


def of_refusal(said: str) -> Finding | None:
    """Return what the words show with which PostgreSQL refuses a connection."""
    cause = next((cause for cause, words in _BY_WORDS if words.search(said)), None)
    return _says(cause, said, (said,)) if cause else None


def _says(cause: str, said: str, evidence: tuple[str, ...]) -> Finding:
    answer = Phrase("PostgreSQL answers: {said}", said=said)
    return Finding(cause, NOWHERE, answer, evidence=evidence)
