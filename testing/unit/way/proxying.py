"""Proxies of a test's own: HTTP's CONNECT, and SOCKS 5 (RFC 1928, RFC 1929)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ProxyOfATest:
    """A proxy; it leads to one port of this machine, whatever it is asked for.

    Attributes:
        target: that port.
        port: its own.
        asked: what it was asked for, as `host:port`.
        known: who came, as `user:password` or a header's value.
        answer: what an HTTP proxy answers.
    """

    target: int
    port: int = 0
    asked: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    answer: str = "200 Connection established"
    refuses: bool = False


def _pumped(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _joined(client: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_pumped, args=(server, client), daemon=True)
        back.start()
        _pumped(client, server)
        back.join()


def _http(proxy: ProxyOfATest, client: socket.socket) -> None:
    reader = client.makefile("rb")
    head = [line.decode().strip() for line in iter(reader.readline, b"\r\n")]
    proxy.asked.append(head[0].split()[1])
    proxy.known += [
        line.partition(": ")[2] for line in head if line.lower().startswith("proxy-authorization")
    ]
    body = b"" if proxy.answer.startswith("200") else b"<html>no</html>"
    client.sendall(f"HTTP/1.1 {proxy.answer}\r\n\r\n".encode() + body)
    if proxy.answer.startswith("200"):
        _joined(client, proxy.target)


def _socks(proxy: ProxyOfATest, client: socket.socket) -> None:
    reader = client.makefile("rb", buffering=0)
    methods = reader.read(reader.read(2)[1])
    if 2 in methods:
        client.sendall(b"\x05\x02")
        user = reader.read(reader.read(2)[1])
        password = reader.read(reader.read(1)[0])
        proxy.known.append(f"{user.decode()}:{password.decode()}")
        client.sendall(b"\x01\x00")
    else:
        client.sendall(b"\x05\x00")
    kind = reader.read(4)[3]
    if kind == 3:
        host = reader.read(reader.read(1)[0]).decode()
    else:
        host = socket.inet_ntoa(reader.read(4))
    (port,) = struct.unpack(">H", reader.read(2))
    proxy.asked.append(f"{host}:{port}")
    client.sendall(bytes([5, 5 if proxy.refuses else 0, 0, 1, 0, 0, 0, 0, 0, 0]))
    if not proxy.refuses:
        _joined(client, proxy.target)


@contextmanager
def _served(
    proxy: ProxyOfATest, speak: Callable[[ProxyOfATest, socket.socket], None]
) -> Iterator[ProxyOfATest]:
    listener = socket.create_server(("127.0.0.1", 0))
    proxy.port = listener.getsockname()[1]

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, IndexError):
            speak(proxy, client)

    def listen() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield proxy
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def http_proxy(target: int, answer: str = "200 OK") -> Iterator[ProxyOfATest]:
    """Serve an HTTP proxy until the block ends."""
    with _served(ProxyOfATest(target, answer=answer), _http) as proxy:
        yield proxy


@contextmanager
def socks_proxy(target: int, *, refuses: bool = False) -> Iterator[ProxyOfATest]:
    """Serve a SOCKS proxy until the block ends."""
    with _served(ProxyOfATest(target, refuses=refuses), _socks) as proxy:
        yield proxy
