"""The libraries that nothing needs before the first test, each imported when it is first used.

Of the time from typing to that test they would take a seventh. A run asks by them in threads, which
import them while others wait for the API.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cryptography.exceptions
    import dns.exception
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import psycopg
    import redis
    import redis.backoff
    import redis.retry
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
else:

    @cache
    def _imported(first: str, *others: str) -> ModuleType:
        for each in others:
            import_module(each)
        return import_module(first)

    class _Library:
        """Stands for a module; others, of which it is asked as its parts, are imported with it."""

        def __init__(self, *names: str) -> None:
            self._names = names

        def __getattr__(self, name: str) -> Any:
            return getattr(_imported(*self._names), name)

    cryptography = _Library("cryptography", "cryptography.exceptions")
    dns = _Library("dns", "dns.exception", "dns.message", "dns.rcode", "dns.rdatatype")
    ec = _Library("cryptography.hazmat.primitives.asymmetric.ec")
    hashes = _Library("cryptography.hazmat.primitives.hashes")
    psycopg = _Library("psycopg")
    redis = _Library("redis", "redis.backoff", "redis.retry")
    serialization = _Library("cryptography.hazmat.primitives.serialization")
    x509 = _Library("cryptography.x509")

__all__ = [
    "cryptography",
    "dns",
    "ec",
    "hashes",
    "psycopg",
    "redis",
    "serialization",
    "x509",
]
