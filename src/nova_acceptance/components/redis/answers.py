"""What Redis's answers say of their cause."""

from __future__ import annotations

import re
from typing import Final

from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.libraries import redis
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.answers import line, lines, of_words

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
_BY_CLASS: Final = {
    "AuthenticationError": "REDIS_WRONG_PASSWORD",
    "ReadOnlyError": "REDIS_READ_ONLY",
    "BusyLoadingError": "REDIS_LOADING",
    "OutOfMemoryError": "REDIS_OUT_OF_MEMORY",
}


def of_error(error: BaseException) -> Finding | None:
    """Return what Redis, or the way to it, says."""
    if not isinstance(error, redis.RedisError):
        return None
    cause = next((cause for cause, words in _REDIS if words.search(str(error))), None)
    names = [kind.__name__ for kind in type(error).__mro__]
    cause = cause or next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)
    if cause is None and isinstance(error, redis.ConnectionError | redis.TimeoutError):
        cause = of_words(str(error)) or "CONNECTION_CUT"
    said = Phrase("Redis answers: {said}", said=line(error))
    return Finding(cause, NOWHERE, said, evidence=lines(error)) if cause else None
