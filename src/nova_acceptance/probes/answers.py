"""What an error says of its cause: of PostgreSQL, of Redis, of the way to them, of the API.

Pure: an exception in, a cause's stable name out. The codes of SQL are PostgreSQL's (its manual,
appendix A); an error at connecting carries none, so its words are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import psycopg
import redis

from nova_acceptance.diagnosis import Ref
from nova_acceptance.errors import PodProbeError
from nova_acceptance.kube import ApiError, ApiUnreachableError
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.probes.claims import Shown
from nova_acceptance.probes.witness import shorten

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
        ("PRIVILEGE_MISSING", r"permission denied"),
    )
)
_OF_THE_WAY: Final = tuple(
    (cause, re.compile(pattern, re.IGNORECASE))
    for cause, pattern in (
        ("PORT_CLOSED", r"connection refused|errno 111"),
        ("NAME_UNRESOLVED", r"name or service not known|could not translate host name|EAI_"),
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
_TURNED_AWAY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_REDIS: Final = tuple(
    (cause, re.compile(pattern))
    for cause, pattern in (
        ("REDIS_WITHOUT_PASSWORD", r"(?i:without any password configured|no password is set)"),
        ("REDIS_WRONG_PASSWORD", r"(?i:WRONGPASS|NOAUTH|invalid (?:username-)?password)"),
        ("REDIS_WRONG_PASSWORD", r"(?i:authentication required)"),
        ("REDIS_COMMAND_FORBIDDEN", r"NOPERM|(?i:this user has no permissions to)"),
        ("REDIS_CLIENTS_EXHAUSTED", r"(?i:max number of clients)"),
        ("REDIS_REPLICAS_WANTED", r"NOREPLICAS|(?i:not enough good replicas)"),
        ("REDIS_READ_ONLY", r"(?i:READONLY|against a read only (?:replica|slave))"),
        ("REDIS_OUT_OF_MEMORY", r"OOM|(?i:used memory > 'maxmemory')"),
        ("REDIS_WRITE_FAILS", r"MISCONF|(?i:errors? (?:when )?writing to the AOF)"),
        ("REDIS_LOADING", r"LOADING|(?i:loading the dataset)"),
    )
)


def of_error(error: BaseException) -> Shown | None:
    """Return what an error shows, or what led to it; None where it names nothing."""
    for each in _behind(error):
        if found := _of_one(each):
            return found
    return None


def pods_of_error(error: BaseException) -> Iterator[Ref]:
    """Yield the pods from inside which something could not be asked."""
    for each in _behind(error):
        if isinstance(each, PodProbeError):
            yield Ref("Pod", each.namespace, each.pod)


def of_postgres(error: psycopg.Error) -> Shown | None:
    """Return what PostgreSQL, or the way to it, says."""
    named = next((cause for cause, words in _BY_WORDS if words.search(str(error))), None)
    cause = named or _BY_STATE.get(error.sqlstate or "")
    if cause is None and isinstance(error, psycopg.OperationalError):
        cause = of_words(str(error))
    return _postgres_says(cause, _line(error), _lines(error)) if cause else None


def of_refusal(said: str) -> Shown | None:
    """Return what the words show with which PostgreSQL refuses a connection."""
    cause = next((cause for cause, words in _BY_WORDS if words.search(said)), None)
    return _postgres_says(cause, said, (said,)) if cause else None


def of_redis(error: redis.RedisError) -> Shown | None:
    """Return what Redis, or the way to it, says."""
    cause = next((cause for cause, words in _REDIS if words.search(str(error))), None)
    by_class = {
        redis.AuthenticationError: "REDIS_WRONG_PASSWORD",
        redis.ReadOnlyError: "REDIS_READ_ONLY",
        redis.BusyLoadingError: "REDIS_LOADING",
        redis.OutOfMemoryError: "REDIS_OUT_OF_MEMORY",
    }
    cause = cause or next(
        (name for kind, name in by_class.items() if isinstance(error, kind)), None
    )
    if cause is None and isinstance(error, redis.ConnectionError | redis.TimeoutError):
        cause = of_words(str(error)) or "CONNECTION_CUT"
    said = Phrase("Redis answers: {said}", said=_line(error))
    return Shown(cause, said, evidence=_lines(error)) if cause else None


def of_words(text: str) -> str | None:
    """Return the cause that the words of a failed connection name."""
    return next((cause for cause, words in _OF_THE_WAY if words.search(text)), None)


def _postgres_says(cause: str, said: str, evidence: tuple[str, ...]) -> Shown:
    return Shown(cause, Phrase("PostgreSQL answers: {said}", said=said), evidence=evidence)


def _of_one(error: BaseException) -> Shown | None:
    found: Shown | None = getattr(error, "shown", None)
    match error:
        case psycopg.Error():
            found = of_postgres(error)
        case redis.RedisError():
            found = of_redis(error)
        case ApiUnreachableError() if error.is_away:
            found = Shown("API_UNREACHABLE", verbatim(error.message), evidence=error.evidence)
        case ApiError() if error.is_away:
            found = Shown("API_UNREACHABLE", verbatim(error.message), evidence=error.evidence)
        case ApiError() if error.status in _TURNED_AWAY:
            found = Shown("API_REFUSED", verbatim(error.message), evidence=error.evidence)
        case ConnectionError() | TimeoutError():
            cause = of_words(f"{type(error).__name__} {error}") or "CONNECTION_CUT"
            found = Shown(cause, verbatim(_line(error)))
    return found


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it, the last one first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _lines(error: BaseException) -> tuple[str, ...]:
    return tuple(line.strip() for line in str(error).splitlines() if line.strip())[:5]


def _line(error: BaseException) -> str:
    lines = _lines(error) or (type(error).__name__,)
    fatal = [line for line in lines if "FATAL:" in line]
    return shorten((fatal or lines)[-1 if fatal else 0].rpartition("FATAL:")[2].strip(), _LONGEST)
