"""How often one API is asked, by what is asked of it."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

_STREAMS: Final = {"exec": "execs", "portforward": "forwards"}
"""By the subresource of a pod: what a connection that stays open is for."""


class Usage:
    """Counts what is sent to an API, from any thread; what is sent again counts again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def request(self) -> None:
        """Count a request with one answer."""
        self._count("requests")

    def stream(self, path: str) -> None:
        """Count a connection that stays open, to a subresource of a pod."""
        self._count(_STREAMS[path.rpartition("/")[2]])

    def as_dict(self) -> dict[str, int]:
        """Return the counts so far: `execs`, `forwards` (connections), and other `requests`."""
        with self._lock:
            return {kind: self._counts[kind] for kind in ("requests", *_STREAMS.values())}

    def _count(self, kind: str) -> None:
        with self._lock:
            self._counts[kind] += 1
