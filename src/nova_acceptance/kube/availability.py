"""When the API was away, and for how long what failed meanwhile is asked again.

An API server restarts, changes its leader, sheds load. None of that says anything about what runs
on the cluster, so it is waited out, within a budget, and remembered.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.failures import ApiError, ApiUnreachableError

T = TypeVar("T")
Failure = ApiError | ApiUnreachableError

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_UNKNOWN_USER = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the API was away, or too busy to answer.

    Attributes:
        at: when that was first seen, in seconds since the epoch.
        seconds: until it was next seen to answer.
        error: how it showed, in one line.
    """

    at: float
    seconds: float
    error: str


class Availability:
    """What all requests to one API have seen of it; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over: list[Outage] = []
        self._open: tuple[float, float, str] | None = None
        self._latest = -math.inf
        self._has_answered = False

    @property
    def is_settling(self) -> bool:
        """Whether it was away a moment ago, and may not know its users and paths yet."""
        return time.monotonic() - self._latest < timeouts.API_SETTLES

    @property
    def outages(self) -> tuple[Outage, ...]:
        """Every time that it was away, the one that lasts still included."""
        with self._lock:
            return (*self._over, *self._under_way())

    def away(self, error: Failure) -> None:
        """Note that a request has failed for the API's sake; other failures are no news."""
        if not error.is_away:
            if not self.is_settling:
                self.back()
            return
        with self._lock:
            self._latest = time.monotonic()
            if self._open is None:
                said = error.evidence[-1] if error.evidence else error.message
                self._open = time.time(), self._latest, said

    def back(self) -> None:
        """Note that it has answered."""
        with self._lock:
            self._has_answered = True
            self._over += self._under_way()
            self._open = None

    def patience(self, error: ClusterError) -> float:
        """Return for how many seconds after this failure the same is asked again; 0 for never."""
        if isinstance(error, ApiError):
            return self._patience_with_answer(error)
        if not isinstance(error, ApiUnreachableError) or not error.is_away:
            return 0.0
        return timeouts.API_AWAY if self._has_answered else timeouts.API_ABSENT

    def is_passing(self, error: BaseException | None) -> bool:
        """Whether an error, or one it comes from, is the API's own and may be over in a moment.

        One that has just come back may not know its users and their rights yet.
        """
        while error is not None:
            if isinstance(error, ApiError | ApiUnreachableError):
                return error.is_away or (isinstance(error, ApiError) and self._is_early(error))
            error = error.__cause__
        return False

    def _patience_with_answer(self, error: ApiError) -> float:
        if error.is_transient:
            return timeouts.API_AWAY if error.is_away else timeouts.API_ABSENT
        return timeouts.API_AWAY + timeouts.API_SETTLES if self._is_early(error) else 0.0

    def _is_early(self, error: ApiError) -> bool:
        """Whether an API that was away a moment ago does not know its users or paths yet."""
        # a path that nobody serves has no reason, an object that is not there has one
        may_be = error.status in _UNKNOWN_USER or (
            error.status == HTTPStatus.NOT_FOUND and not error.reason
        )
        return may_be and self.is_settling

    def _under_way(self) -> tuple[Outage, ...]:
        if self._open is None:
            return ()
        at, began, error = self._open
        return (Outage(at, time.monotonic() - began, error),)


class _Lost(threading.local):
    seconds = 0.0


_lost = _Lost()


def lost_seconds() -> float:
    """Return how long this thread has waited for an API that was away, up to now.

    Whoever measures something else takes the difference off.
    """
    return _lost.seconds


def lose(seconds: float) -> None:
    """Add to what this thread has waited for an API that was away."""
    _lost.seconds += seconds


def patiently(
    availability: Availability,
    attempt: Callable[[], T],
    *,
    limit: float = math.inf,
    is_safe: Callable[[Failure], bool] = lambda _error: True,
) -> T:
    """Return what an attempt returns, repeated while the API is away or busy.

    Args:
        availability: what is known of the API.
        attempt: the request.
        limit: seconds after the first failure at which the next one stands, whatever it is.
        is_safe: whether it may be repeated after this failure.

    Raises:
        ApiError: the API refused, for good or for too long.
        ApiUnreachableError: it did not answer for too long.
    """
    began, first, count, pause = time.monotonic(), math.inf, 1, _FIRST_PAUSE
    is_doubtful = False
    while True:
        try:
            found = attempt()
        except (ApiError, ApiUnreachableError) as error:
            now = time.monotonic()
            first = min(first, now)
            wait = max(pause, error.retry_after if isinstance(error, ApiError) else 0.0)
            lasts = first + min(limit, availability.patience(error))
            if now >= lasts or not is_safe(error):
                raise _told(error, count, now - first, is_doubtful=is_doubtful) from error.__cause__
            is_doubtful = is_doubtful or not error.was_turned_away
            time.sleep(min(wait, lasts - now))
            pause, count = min(2 * pause, _LONGEST_PAUSE), count + 1
        else:
            if count > 1:
                lose(time.monotonic() - began)
            return found


def _told(error: Failure, count: int, seconds: float, *, is_doubtful: bool) -> Failure:
    if count > 1 and error.is_away:
        error.evidence = (*error.evidence, f"asked {count} times in {seconds:.0f} s")
    if isinstance(error, ApiError):
        error.was_repeated = is_doubtful
    return error
