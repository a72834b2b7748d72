"""A pod's port on this machine: a TCP listener whose connections go through the API.

The official client gives a socket pair for one connection (kubernetes-client/python #1534); libpq
and redis-py want an address that takes as many as they open.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, NovaError, ProbeError
from nova_acceptance.kube.channels import Channels
from nova_acceptance.kube.failures import (
    ApiError,
    ApiUnreachableError,
    forbidden,
    kubelet_trouble,
)
from nova_acceptance.kube.objects import PodRef
from nova_acceptance.kube.rest import Rest

_DATA, _ERROR = range(2)
_PORT_BYTES = 2
_CHUNK = 64 * 1024
_FIRST_TRY = 2.5
"""Seconds for the first of two attempts to open one connection's way."""
_LOOK_UP = 0.25
"""Seconds between two looks at whether the forward has ended."""
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong with the way to a pod, as opposed to what is at its end.

    Attributes:
        error: what the API did or did not do.
        is_away: whether the API was away; else the way was cut, and the API may be well.
    """

    error: ClusterError
    is_away: bool


class Forward(AbstractContextManager[int]):
    """A listener on 127.0.0.1, within a `with`, that carries each connection to a pod's port.

    Entering gives the local port. A connection that the pod refuses is reset here, as it would be
    without the API in between. What is open at the end is closed. The listener outlives an API that
    goes away: a later connection finds its way once the API is back.

    Args:
        rest: the API.
        pod: the pod.
        port: the port that something in the pod listens on.

    Attributes:
        port: the local port, once it was entered.
        error: what went wrong behind the listener last, such as "connection refused" inside the
            pod; empty if nothing did.
        refusal: how the API said that this user may not open a way to the pod, or that itself has
            none to the pod's node; None if it did not.
    """

    def __init__(self, rest: Rest, pod: PodRef, port: int) -> None:
        self.error = ""
        self.port = 0
        self.refusal: ApiError | None = None
        self._faults: list[tuple[float, Fault]] = []
        self._rest = rest
        self._pod = pod
        self._there = port
        self._ended = threading.Event()
        self._listener: socket.socket | None = None

    def __enter__(self) -> int:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()
        self.port = int(self._listener.getsockname()[1])
        return self.port

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._listener:
            with contextlib.suppress(OSError):  # macOS: a listener is not connected
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
            self._listener.close()

    def fault_since(self, moment: float) -> Fault | None:
        """Return what has been wrong with the way since then; None where nothing was.

        For whoever got no answer through it and must not take that for the pod's own.

        Args:
            moment: in seconds of `time.monotonic`.
        """
        found = [fault for at, fault in list(self._faults) if at >= moment]
        if found:
            return max(found, key=lambda fault: fault.is_away)
        if not self._rest.answers():
            return Fault(self._unreachable(TimeoutError("no answer in time")), is_away=True)
        return None

    def _listen(self, listener: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(timeouts.PORT_FORWARD)
            # An answer that comes in two pieces must not wait for the client's word of the first.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                with self._opened() as channels:
                    self._pump(connection, channels)
            except (NovaError, OSError) as error:
                self._note(error)
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _opened(self) -> Channels:
        path = f"/api/v1/namespaces/{self._pod.namespace}/pods/{self._pod.name}/portforward"
        query = {"ports": str(self._there)}
        # Clients have less patience than the API may need for one request that hangs.
        with contextlib.suppress(ApiUnreachableError):
            return Channels(self._rest.channels(path, query=query, timeout=_FIRST_TRY))
        return Channels(self._rest.channels(path, query=query, timeout=timeouts.PORT_FORWARD))

    def _note(self, error: NovaError | OSError) -> None:
        """Keep what went wrong, before the client can see that something did."""
        self.error = f"{self._pod} port {self._there}: {error}"
        if isinstance(error, ClusterError | ProbeError):
            if not self._rest.availability.is_passing(error):
                self.refusal = forbidden(error) or kubelet_trouble(error) or self.refusal
            else:
                away = error if isinstance(error, ClusterError) else self._unreachable(error)
                self._faults.append((time.monotonic(), Fault(away, is_away=True)))
        elif not isinstance(error, _RefusedError):
            fault = Fault(self._unreachable(error), is_away=not self._rest.answers())
            self._faults.append((time.monotonic(), fault))

    def _unreachable(self, error: Exception) -> ApiUnreachableError:
        return ApiUnreachableError(f"port-forward to {self._pod}", self._rest.server, error)

    def _pump(self, connection: socket.socket, channels: Channels) -> None:
        greeted: set[int] = set()
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        poll.register(channels, select.POLLIN)
        while not self._ended.is_set():
            wait = 0.0 if channels.has_buffered else _LOOK_UP
            ready = {descriptor for descriptor, _ in poll.poll(wait * 1000)}
            if channels.has_buffered or channels.fileno() in ready:
                frame = channels.receive(time.monotonic() + timeouts.PORT_FORWARD)
                if frame is None:
                    return
                channel, data = frame
                if channel not in greeted:  # each channel begins with its port's number
                    greeted.add(channel)
                    data = data[_PORT_BYTES:]
                if channel == _ERROR and data:
                    raise _RefusedError(data.decode("utf-8", "replace").strip())
                if not _passed_on(connection, data):
                    return
            if connection.fileno() in ready:
                data = _received(connection)
                if not data:
                    return
                channels.send(_DATA, data)


class _RefusedError(ConnectionError):
    """The pod's side said why it carries nothing."""


def _received(connection: socket.socket) -> bytes:
    """Return what the client sent; nothing when it is gone, which is no error of the pod's."""
    try:
        return connection.recv(_CHUNK)
    except OSError:
        return b""


def _passed_on(connection: socket.socket, data: bytes) -> bool:
    """Send to the client; False when it is gone."""
    try:
        connection.sendall(data)
    except OSError:
        return False
    return True
