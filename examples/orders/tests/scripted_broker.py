"""A broker that says what a test wants of it, in AMQP 0-9-1 by pika's own frames."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from pika import frame, spec

HEADER_SIZE = 8
Reply = Sequence[Any] | None
"""Methods to send back; None closes the TCP connection without a word."""
Replies = Mapping[Any, Reply]

GREETING: Replies = {
    spec.Connection.StartOk: [spec.Connection.Tune(10, 131072, 0)],
    spec.Connection.TuneOk: [],
    spec.Connection.Open: [spec.Connection.OpenOk()],
    spec.Connection.Close: [spec.Connection.CloseOk()],
    spec.Channel.Open: [spec.Channel.OpenOk()],
    spec.Channel.Close: [spec.Channel.CloseOk()],
    spec.Confirm.Select: [spec.Confirm.SelectOk()],
    spec.Queue.Declare: [spec.Queue.DeclareOk("q", 0, 0)],
}
"""What a broker answers that lets everybody do everything."""
PROPERTIES = {
    "product": "RabbitMQ",
    "version": "3.10.8",
    "capabilities": {
        "authentication_failure_close": True,
        "basic.nack": True,
        "connection.blocked": True,
        "publisher_confirms": True,
    },
}
"""What it says of itself; pika asks for nothing that is not among it."""


def refused(code: int, text: str) -> list[Any]:
    """A channel that is closed for a reason."""
    return [spec.Channel.Close(code, text, 0, 0)]


def shut_out(code: int, text: str) -> list[Any]:
    """A connection that is closed for a reason."""
    return [spec.Connection.Close(code, text, 0, 0)]


class Broker:
    """Listens on a port of the loopback for as long as the context lasts.

    Args:
        replies: what is answered, by the method that is asked; the rest as in `GREETING`.

    Attributes:
        asked: the methods that came.
    """

    def __init__(self, replies: Replies | None = None) -> None:
        self._replies = {**GREETING, **(replies or {})}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.asked: list[Any] = []

    def __enter__(self) -> Broker:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread that waits in accept() is woken by a shutdown, not by a close.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(ConnectionError):
                    self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        data = b""
        while len(data) < HEADER_SIZE:
            if not (more := connection.recv(4096)):
                return
            data += more
        data = data[HEADER_SIZE:]
        start = spec.Connection.Start(0, 9, PROPERTIES)
        connection.sendall(frame.Method(0, start).marshal())
        while True:
            consumed, found = frame.decode_frame(data)
            if found is None:
                if not (more := connection.recv(4096)):
                    return
                data += more
                continue
            data = data[consumed:]
            if isinstance(found, frame.Method):
                self.asked.append(found.method)
                replies = self._replies.get(type(found.method), [])
                if replies is None:
                    return
                for reply in replies:
                    connection.sendall(_frames(found.channel_number, reply))


def _frames(channel: int, reply: Any) -> bytes:
    """Return a method as it travels; a message has its properties and its body behind it."""
    method, *body = reply if isinstance(reply, tuple) else (reply,)
    number = 0 if method.INDEX >> 16 == spec.Connection.INDEX else channel
    sent: bytes = frame.Method(number, method).marshal()
    for content in body:
        sent += frame.Header(number, len(content), spec.BasicProperties()).marshal()
        sent += frame.Body(number, content).marshal()
    return sent
