"""The keys that tests write, by a name that is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.redis.spec import Redis as Spec

_PREFIX: Final = "nova-acceptance:"
_AT_ONCE: Final = 1000


def new_key() -> str:
    """Return a key of nobody's."""
    return f"{_PREFIX}{uuid4()}"


@contextmanager
def own_key(redis: Redis) -> Iterator[str]:
    """Have a key that nobody else has, gone at the end."""
    key = new_key()
    try:
        yield key
    finally:
        redis.ask("DEL", key)


def clear(redis: Redis, _spec: Spec) -> list[str]:
    """Remove what tests have left that were killed, and return the names.

    Keys are read bit by bit, so that a big Redis serves its clients meanwhile.
    """
    removed: set[str] = set()
    cursor = 0
    while True:
        cursor, keys = redis.ask("SCAN", cursor, "MATCH", f"{_PREFIX}*", "COUNT", _AT_ONCE)
        for key in keys:
            redis.ask("DEL", key)
        removed.update(keys)
        if not int(cursor):
            return [f"key {key}" for key in sorted(removed)]
