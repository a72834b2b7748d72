"""The Kubernetes API as a pod reaches it: its service account, one request a connection."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONNECT_SECONDS: Final = 3.0
"""One connection; short, so that a server that comes back is soon found."""
REQUEST_SECONDS: Final = 10.0
"""One request upon a connection."""

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""


class ApiError(Exception):
    """The API answered with an error.

    Args:
        status: the HTTP status, or the `code` of a Status object in a watch.
        message: the server's own words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Api:
    """One API server.

    Args:
        host: its address or a name in its certificate.
        port: its port.
        credentials: the directory that holds `token` and `ca.crt`.
        tls: False speaks plain HTTP.
    """

    host: str
    port: int
    credentials: Path = SERVICE_ACCOUNT
    tls: bool = True

    @classmethod
    def from_environment(cls) -> Api:
        """The API server of this pod's cluster.

        CONTROL_PLANE_ENDPOINT (host:port) is what kind gives to its network programs: it
        answers before kube-proxy has made the Service's address work.
        """
        host, _, port = os.environ.get("CONTROL_PLANE_ENDPOINT", "").rpartition(":")
        if not host:
            host = os.environ["KUBERNETES_SERVICE_HOST"]
            port = os.environ["KUBERNETES_SERVICE_PORT"]
        return cls(host, int(port))

    def get(self, path: str) -> Object:
        """The object or list at `path`.

        Raises:
            ApiError: the server refused.
            OSError, http.client.HTTPException: it could not be asked.
        """
        return self._send("GET", path)

    def create(self, path: str, obj: Object) -> Object:
        """Post `obj` to the collection at `path`; raises as `get` does."""
        return self._send("POST", path, obj)

    def delete(self, path: str) -> Object:
        """Delete the object at `path`; raises as `get` does."""
        return self._send("DELETE", path)

    @contextlib.contextmanager
    def stream(self, path: str) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that the server goes on sending."""
        with contextlib.closing(self._connect()) as connection:
            sock = connection.sock  # the response takes it over when it says "close"
            response = self._ask(connection, "GET", path, None)
            # A watch may be silent for long; that the peer is alive is TCP's to find out.
            sock.settimeout(None)
            with response:
                yield iter(response.readline, b"")

    def _send(self, method: str, path: str, obj: Object | None = None) -> Object:
        with contextlib.closing(self._connect()) as connection:
            with self._ask(connection, method, path, obj) as response:
                answer: Object = json.load(response)
            return answer

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if not self.tls:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)
        else:
            context = ssl.create_default_context(cafile=str(self.credentials / "ca.crt"))
            connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=CONNECT_SECONDS, context=context
            )
        connection.connect()
        connection.sock.settimeout(REQUEST_SECONDS)
        _notice_a_dead_peer(connection.sock)
        return connection

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, obj: Object | None
    ) -> http.client.HTTPResponse:
        # Read for every request: the kubelet replaces the token before it expires.
        token = (self.credentials / "token").read_text(encoding="ascii").strip()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        }
        body = None if obj is None else json.dumps(obj)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        if response.status >= http.client.BAD_REQUEST:
            text = response.read().decode(errors="replace")
            with contextlib.suppress(ValueError, KeyError, TypeError):
                text = json.loads(text)["message"]
            raise ApiError(response.status, text)
        return response


def _notice_a_dead_peer(sock: socket.socket) -> None:
    """Give up a connection whose peer vanished without a word after about ten seconds."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
