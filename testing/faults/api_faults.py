"""What a proxy before the API does to the requests that pass it."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

WHOLE: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's first line, as far as a fault cares.

    Attributes:
        method: the HTTP method.
        target: path and query.
        is_upgrade: whether it becomes a WebSocket (exec, port-forward).
    """

    method: str
    target: str
    is_upgrade: bool

    @property
    def is_watch(self) -> bool:
        """Whether it watches a collection."""
        return "true" in parse_qs(urlsplit(self.target).query).get("watch", ())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one request; nothing else than the wait, unless it says so.

    Attributes:
        wait: seconds before anything else happens.
        status: the status that the proxy answers with by itself.
        headers: headers of that answer.
        body: its body.
        is_dropped: whether the connection is cut without an answer.
        lasts: seconds after which the answer is cut in its middle.
    """

    wait: float = 0.0
    status: int = 0
    headers: tuple[str, ...] = ()
    body: bytes = b""
    is_dropped: bool = False
    lasts: float = WHOLE


PASSES: Final = Verdict()


class Fault:
    """One way in which the API is in trouble; this one is none.

    Attributes:
        refuses: whether nothing listens at this moment.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def refuses(self) -> bool:
        """Whether nothing listens at this moment."""
        return False

    def greets(self) -> bool:
        """Whether a connection gets past its first byte."""
        return True

    def judge(self, asked: Asked) -> Verdict:  # noqa: ARG002 - the faults below look at it
        """Return what becomes of a request."""
        return PASSES

    def _number(self) -> int:
        with self._lock:
            return next(self._numbers)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._began


class WatchCut(Fault):
    """Every watch is cut after a second and a half, wherever its answer is."""

    def judge(self, asked: Asked) -> Verdict:
        """Cut watches."""
        return Verdict(lasts=1.5) if asked.is_watch else PASSES


class Gone(Fault):
    """Most watches find that their version has expired: at once, or by an event a moment later."""

    def judge(self, asked: Asked) -> Verdict:
        """Answer two watches of three by 410, as a status and as an event in turn."""
        if not asked.is_watch:
            return PASSES
        expired = _status(410, "Expired", "too old resource version: 1 (2)")
        way = self._number() % 3
        if way == 0:
            return PASSES
        if way == 1:
            return Verdict(status=410, body=expired)
        event = b'{"type": "ERROR", "object": %s}\n' % expired
        return Verdict(status=200, body=event, wait=0.5)


class Slow(Fault):
    """Answers come a second and a half late.

    Args:
        every: which of them: each, or each second one, and so on.
    """

    def __init__(self, every: int = 4) -> None:
        super().__init__()
        self._every = every

    def judge(self, asked: Asked) -> Verdict:  # noqa: ARG002
        """Delay."""
        return Verdict(wait=1.5) if self._number() % self._every == 0 else PASSES


class Hanging(Fault):
    """Every fortieth request is never answered."""

    def judge(self, asked: Asked) -> Verdict:  # noqa: ARG002
        """Hang now and then."""
        return Verdict(wait=600, is_dropped=True) if self._number() % 40 == 0 else PASSES


class Busy(Fault):
    """For one second of every four the API is too busy, and says so in several ways."""

    def judge(self, asked: Asked) -> Verdict:  # noqa: ARG002
        """Shed load in bursts."""
        if self._age % 4 > 1:
            return PASSES
        return (
            Verdict(
                status=429,
                headers=("Retry-After: 1",),
                body=_status(429, "TooManyRequests", "please try again later"),
            ),
            Verdict(status=500, body=_status(500, "", "etcdserver: leader changed")),
            Verdict(status=500, body=_status(500, "", "etcdserver: request timed out")),
            Verdict(status=503, body=b"apiserver not ready"),
            Verdict(status=504, body=_status(504, "Timeout", "request did not complete in time")),
        )[self._number() % 5]


class HandshakeCut(Fault):
    """Every fifth connection ends in the middle of its TLS handshake."""

    def greets(self) -> bool:
        """Drop every fifth."""
        return self._number() % 5 != 0


class Restarting(Fault):
    """The API stops a few seconds in, is away for a while, and comes up bit by bit.

    Every connection is cut; then nothing listens; then it is there and not ready, and knows
    neither users nor rights.

    Args:
        after: seconds until it stops.
        away: seconds until something listens again.
    """

    def __init__(self, after: float = 4.0, away: float = 20.0) -> None:
        super().__init__()
        self._stops = after
        self._listens = after + away

    @property
    def refuses(self) -> bool:
        """Whether it is down."""
        return self._stops <= self._age < self._listens

    def judge(self, asked: Asked) -> Verdict:  # noqa: ARG002
        """Answer as a server does that has just started."""
        up = self._age - self._listens
        if up < 0:
            return PASSES
        steps = (
            (1.0, 503, b"apiserver not ready"),
            (2.0, 401, _status(401, "Unauthorized", "Unauthorized")),
            (3.0, 403, _status(403, "Forbidden", "not yet ready to handle request")),
        )
        return next(
            (Verdict(status=code, body=body) for end, code, body in steps if up < end), PASSES
        )


MODES: Final[dict[str, Callable[[], Fault]]] = {
    "none": Fault,
    "watch-cut": WatchCut,
    "gone": Gone,
    "slow": Slow,
    "very-slow": lambda: Slow(every=1),
    "hanging": Hanging,
    "busy": Busy,
    "handshake-cut": HandshakeCut,
    "restarting": Restarting,
}


def _status(code: int, reason: str, message: str) -> bytes:
    return json.dumps(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
        }
    ).encode()
