"""List and watch: a collection's objects and every change to them, until a deadline.

Follows "Efficient detection of changes" of the Kubernetes API concepts: list, watch from the
list's resourceVersion, and list again when that version has expired (410). The official client's
`Watch` repeats once and then raises, and stops resuming when it is given a time-out (#2223).
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus

import urllib3

from nova_acceptance import secrecy, timeouts
from nova_acceptance.kube.failures import ApiError, ApiUnreachableError
from nova_acceptance.kube.objects import Object
from nova_acceptance.kube.resources import Discovery
from nova_acceptance.kube.rest import Rest

SYNCED = "SYNCED"
"""The event that follows each complete list, for those who asked for it; its object is empty."""

Event = tuple[str, Object]

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_QUICK = 1.0
"""A round without events that ended sooner than this, in seconds, counts as a failure."""
_SILENCE = 5.0
"""How much longer than its agreed length a round may stay silent, in seconds."""


class Watch(Iterator[Event]):
    """An iterator over `(type, object)`: ADDED, MODIFIED, DELETED.

    Survives expired versions, cut connections and an API server that restarts. It ends at its
    deadline or after `stop`, and raises `ClusterError` when the API refuses for good, or is out of
    reach when the deadline comes or for longer than its budget. What vanished while nobody
    watched is reported as DELETED.

    Args:
        rest: the API.
        discovery: what the API serves.
        api_version: the kind's version, such as `v1`.
        kind: the kind.
        namespace: one namespace; None watches all.
        selectors: `labelSelector` and `fieldSelector`, where wanted.
        deadline: when to end, in seconds of `time.monotonic`.
        announce: whether `(SYNCED, {})` follows each complete list.
    """

    def __init__(
        self,
        rest: Rest,
        discovery: Discovery,
        api_version: str,
        kind: str,
        *,
        namespace: str | None,
        selectors: dict[str, str],
        deadline: float,
        announce: bool = False,
    ) -> None:
        self._rest = rest
        self._discovery = discovery
        self._kind = (api_version, kind)
        self._namespace = namespace
        self._selectors = selectors
        self._deadline = deadline
        self._announce = announce
        self._stopped = threading.Event()
        self._response: urllib3.HTTPResponse | None = None
        self._known: dict[str, Object] = {}
        self._version = ""
        self._was_listed = False
        self._events = self._run()

    def __next__(self) -> Event:
        return next(self._events)

    def stop(self) -> None:
        """End the iteration, from any thread, without waiting for the next event."""
        self._stopped.set()
        response = self._response
        if response is not None:
            # RuntimeError and ValueError: it was over already
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                response.shutdown()

    @property
    def _left(self) -> float:
        return 0.0 if self._stopped.is_set() else self._deadline - time.monotonic()

    def _run(self) -> Iterator[Event]:
        pause = _FIRST_PAUSE
        failure: ApiError | ApiUnreachableError | None = None
        failing = math.inf
        while self._left > 0 and time.monotonic() - failing < timeouts.API_AWAY:
            started, seen = time.monotonic(), False
            try:
                for event in self._round():
                    seen, failure, failing = True, None, math.inf
                    yield event
                failure = None
            except ApiError as error:
                if error.status == HTTPStatus.GONE:
                    self._version = ""
                elif self._was_listed or self._rest.availability.patience(error) > 0:
                    # also a 403: a server that starts may not know its roles yet
                    failure = error
                else:
                    raise
            except ApiUnreachableError as error:
                failure = error
            failing = min(failing, time.monotonic()) if failure else math.inf
            fruitful = failure is None and (seen or time.monotonic() - started > _QUICK)
            pause = _FIRST_PAUSE if fruitful else min(pause * 2, _LONGEST_PAUSE)
            if not (fruitful and self._version):
                self._stopped.wait(max(0.0, min(pause, self._left)))
        if failure is not None and not self._stopped.is_set():
            raise failure

    def _round(self) -> Iterator[Event]:
        # one attempt each: this loop repeats, and ends with the deadline
        resource = self._discovery.resource(*self._kind, patience=0)
        path = resource.path(namespace=self._namespace)
        if not self._version:
            yield from self._list(path)
        yield from self._follow(path)

    def _list(self, path: str) -> Iterator[Event]:
        timeout = max(1.0, min(timeouts.API_REQUEST, self._left))
        answer = self._rest.request("GET", path, query=self._selectors, timeout=timeout, patience=0)
        listed = {item["metadata"]["uid"]: self._typed(item) for item in answer.get("items") or ()}
        before, self._known = self._known, listed
        self._version = answer["metadata"]["resourceVersion"]
        self._was_listed = True
        for uid in before.keys() - listed.keys():
            yield "DELETED", before[uid]
        for uid, item in listed.items():
            if uid not in before:
                yield "ADDED", item
            elif _version(before[uid]) != _version(item):
                yield "MODIFIED", item
        if self._announce:
            yield SYNCED, {}

    def _follow(self, path: str) -> Iterator[Event]:
        seconds = max(1, int(min(timeouts.WATCH_ROUND, self._left)))
        query = {
            **self._selectors,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(seconds),
        }
        response = self._rest.stream(path, query=query, read_timeout=seconds + _SILENCE)
        self._response = response
        try:
            for line in self._lines(path, response):
                if self._left <= 0:
                    return
                event = json.loads(line)
                kind, obj = event["type"], event["object"]
                secrecy.hide(self._typed(obj))
                if kind == "ERROR":  # mostly 410; whatever it is, a new list mends it
                    self._version = ""
                    raise ApiError(f"watch {path}", HTTPStatus.GONE, json.dumps(obj))
                self._version = _version(obj)
                if kind != "BOOKMARK":
                    yield kind, self._remember(kind, self._typed(obj))
        finally:
            self._response = None
            response.close()

    def _lines(self, path: str, response: urllib3.HTTPResponse) -> Iterator[bytes]:
        rest = b""
        try:
            while self._left > 0 and (data := response.read1()):
                *lines, rest = (rest + data).split(b"\n")
                yield from filter(None, lines)
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            # ValueError and AttributeError: `stop` closed it under our hands
            if not self._stopped.is_set():
                raise ApiUnreachableError(f"watch {path}", self._rest.server, error) from error

    def _remember(self, kind: str, obj: Object) -> Object:
        uid = obj["metadata"]["uid"]
        if kind == "DELETED":
            self._known.pop(uid, None)
        else:
            self._known[uid] = obj
        return obj

    def _typed(self, obj: Object) -> Object:
        api_version, kind = self._kind
        return {"apiVersion": api_version, "kind": kind, **obj}


def _version(obj: Object) -> str:
    return str(obj["metadata"]["resourceVersion"])
