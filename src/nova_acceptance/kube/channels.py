"""Numbered channels over one WebSocket, as exec and port-forward speak them.

Each binary frame begins with its channel's number. Source: `k8s.io/apiserver/pkg/util/wsstream`
(`v4.channel.k8s.io`); version 5, since Kubernetes 1.30, can also close a single channel.
"""

from __future__ import annotations

import contextlib
import select
import ssl
import time
from typing import Self

from websocket import ABNF, WebSocket, WebSocketConnectionClosedException, WebSocketException

from nova_acceptance.kube.rest import CHANNELS_WITH_CLOSE

_CLOSE = 255
_DATA = (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT)


class Channels:
    """The channels of one WebSocket, used by one thread at a time.

    OpenSSL forbids reading and writing one connection from two threads, so whoever needs both
    waits with `poll` and then does either.
    """

    def __init__(self, connection: WebSocket) -> None:
        self._connection = connection
        self._can_close = bool(connection.subprotocol == CHANNELS_WITH_CLOSE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # shutdown rather than a closing handshake: nothing more is wanted from the other side
        with contextlib.suppress(OSError, WebSocketException):
            self._connection.shutdown()  # type: ignore[no-untyped-call]

    def fileno(self) -> int:
        """Return the socket's descriptor, for `poll`."""
        return int(self._connection.fileno())  # type: ignore[no-untyped-call]

    @property
    def has_buffered(self) -> bool:
        """Whether bytes wait above the socket, where `poll` cannot see them."""
        sock = self._connection.sock
        return bool(isinstance(sock, ssl.SSLSocket) and sock.pending())

    def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel.

        Raises:
            OSError: the connection broke.
        """
        try:
            self._connection.send_bytes(bytes([channel]) + data)
        except WebSocketException as error:
            raise ConnectionError(str(error)) from error

    def end(self, channel: int) -> bool:
        """Close one channel's sending side; False where the protocol has no way to say so."""
        if self._can_close:
            self.send(_CLOSE, bytes([channel]))
        return self._can_close

    def receive(self, deadline: float) -> tuple[int, bytes] | None:
        """Return the next channel's number and bytes, or None after the other side's close.

        Args:
            deadline: the moment to give up, in seconds of `time.monotonic`.

        Raises:
            TimeoutError: nothing came by the deadline.
            OSError: the connection broke.
        """
        while True:
            self._wait(deadline)
            try:
                opcode, data = self._connection.recv_data(control_frame=True)
            except WebSocketConnectionClosedException as error:
                # The other side says when it ends; without that, the way there was cut.
                raise ConnectionAbortedError("the API cut the connection") from error
            except WebSocketException as error:
                raise ConnectionError(str(error)) from error
            if opcode == ABNF.OPCODE_CLOSE:
                return None
            if opcode in _DATA and data and data[0] != _CLOSE:
                return data[0], data[1:]

    def _wait(self, deadline: float) -> None:
        if self.has_buffered:
            return
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError("no answer in time")
