"""The libraries that nothing needs before the first test, each imported when it is first used.

Of the time from typing to that test they would take a seventh.
"""

from __future__ import annotations

import threading
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
    # Two threads that import two parts of one library would each find the other's half made.
    _importing = threading.Lock()

    @cache
    def _imported(name: str, *parts: str) -> ModuleType:
        with _importing:
            found = import_module(name)
            for part in parts:
                import_module(f"{name}.{part}")
        return found

    class _Library:
        """Stands for a module and for parts of it that it does not import itself."""

        def __init__(self, name: str, *parts: str) -> None:
            self._names = (name, *parts)

        def __getattr__(self, name: str) -> Any:
            return getattr(_imported(*self._names), name)

    cryptography = _Library("cryptography", "exceptions")
    dns = _Library("dns", "exception", "message", "rcode", "rdatatype")
    ec = _Library("cryptography.hazmat.primitives.asymmetric.ec")
    hashes = _Library("cryptography.hazmat.primitives.hashes")
    psycopg = _Library("psycopg")
    redis = _Library("redis", "backoff", "retry")
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


def load() -> None:
    """Import those of them that nobody has used yet."""
    for name in __all__:
        _ = globals()[name].__name__  # to be asked for anything imports it
