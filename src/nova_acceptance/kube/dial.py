"""A TCP connection to the API, through the proxy that is on the way, if any.

A WebSocket begins on it, so that exec and port-forward go the way that every other request goes.
"""

from __future__ import annotations

import base64
import socket
import time

from nova_acceptance.kube.failures import WayError
from nova_acceptance.kube.proxies import Proxy
from nova_acceptance.phrase import Phrase

_LONGEST_HEAD = 65536


class ProxyRefusedError(OSError):
    """The proxy answered, and lets nothing through."""


class ProxyAbsentError(OSError):
    """The proxy cannot be reached itself."""


def dial(host: str, port: int, proxy: Proxy | None, timeout: float) -> socket.socket:
    """Return a connection to a port of a host.

    Args:
        host: its name or address.
        port: the port.
        proxy: what it goes through.
        timeout: seconds at most; the connection keeps it as its own.

    Raises:
        OSError: there is none; `ProxyRefusedError`, `ProxyAbsentError` where the proxy is why.
        WayError: this kind of proxy takes no such connection.
    """
    if proxy is None:
        return _alert(socket.create_connection((host, port), timeout))
    if proxy.scheme == "https":
        raise WayError(
            Phrase(
                "exec and port-forward do not go through the proxy {proxy}, "
                "which is itself spoken to by TLS ({source})",
                proxy=proxy.shown,
                source=proxy.source,
            ),
            hint=Phrase("name its port for http:// or socks5:// there"),
        )
    if proxy.is_socks:
        return _alert(_through_socks(host, port, proxy, timeout))
    return _alert(_through_http(host, port, proxy, timeout))


def _alert(connection: socket.socket) -> socket.socket:
    """Send what is small at once, and notice who is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def _through_socks(host: str, port: int, proxy: Proxy, timeout: float) -> socket.socket:
    import socks  # noqa: PLC0415 -- few have such a proxy

    try:
        opened: socket.socket = socks.create_connection(
            (host, port),
            timeout,
            proxy_type=socks.SOCKS5,
            proxy_addr=proxy.host,
            proxy_port=proxy.port,
            proxy_username=proxy.user or None,
            proxy_password=proxy.password or None,
        )
    except socks.ProxyConnectionError as error:
        raise ProxyAbsentError(str(error.socket_err or error)) from error
    except socks.ProxyError as error:
        raise ProxyRefusedError(str(error.socket_err or error)) from error
    return opened


def _through_http(host: str, port: int, proxy: Proxy, timeout: float) -> socket.socket:
    deadline = time.monotonic() + timeout
    try:
        connection = socket.create_connection((proxy.host, proxy.port), timeout)
    except OSError as error:
        raise ProxyAbsentError(str(error)) from error
    try:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if proxy.user:
            known = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {known}")
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        first = _head(connection, deadline).partition(b"\r\n")[0].decode("latin-1")
        _, _, status = first.partition(" ")
        if not status.startswith("200"):
            raise ProxyRefusedError(status.strip() or first or "it closed the connection")
        connection.settimeout(timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _head(connection: socket.socket, deadline: float) -> bytes:
    """Return what the proxy answers, to the end of its head; nothing that follows is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the proxy did not answer in time")
        connection.settimeout(left)
        if not (byte := connection.recv(1)):
            break
        head += byte
    return head
