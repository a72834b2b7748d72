"""A small HTTP server that answers as a Kubernetes API would, by a script of the test's."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
PODS = {"name": "pods", "kind": "Pod", "namespaced": True}
RESOURCES = {
    "/api/v1": [
        PODS,
        {"name": "pods/log", "kind": "Pod", "namespaced": True},
        {"name": "pods/eviction", "kind": "Eviction", "group": "policy", "version": "v1"},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False},
        {"name": "secrets", "kind": "Secret", "namespaced": True},
    ],
    "/apis/apps/v1": [{"name": "deployments", "kind": "Deployment", "namespaced": True}],
}


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What to answer: JSON; or lines, one by one, and then the end.

    It is cut off there where `cut` says so, and `held` keeps it silent until the API ends.
    """

    body: object = None
    status: int = 200
    lines: Iterable[object] | None = None
    cut: bool = False
    held: bool = False
    websocket: Callable[[Channels], None] | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Channels:
    """The server's side of a WebSocket."""

    handler: BaseHTTPRequestHandler
    received: list[bytes] = field(default_factory=list)

    def send(self, channel: int, data: bytes) -> None:
        payload = bytes([channel]) + data
        size = len(payload)
        short = 126
        head = bytes([0x82, size]) if size < short else struct.pack(">BBH", 0x82, 126, size)
        self.handler.wfile.write(head + payload)

    def receive(self) -> bytes:
        """Return a frame's payload, channel number included; nothing at the end."""
        try:
            head = self.handler.rfile.read(2)
        except ConnectionError:
            return b""
        if len(head) < 2 or head[0] & 0x0F == 8:
            return b""
        size = head[1] & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.handler.rfile.read(2))[0]
        mask = self.handler.rfile.read(4)
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.handler.rfile.read(size)))
        self.received.append(payload)
        return payload

    def close(self) -> None:
        self.handler.wfile.write(bytes([0x88, 0]))


@dataclass
class ScriptedApi:
    """An API; a script may wait for `over`, which is set when it ends."""

    script: Callable[[Request], Answer]
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    clock: float = 0.0
    """Seconds by which its clock is ahead."""

    def asked(self, path: str, **query: str) -> list[Request]:
        """Return the requests for a path whose query holds these."""
        return [
            request
            for request in self.requests
            if request.path == path and query.items() <= request.query.items()
        ]

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.path in RESOURCES:
            return Answer({"kind": "APIResourceList", "resources": RESOURCES[request.path]})
        return self.script(request)

    def kubeconfig(self, directory: Path) -> Path:
        path = directory / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "scripted",
                    "contexts": [
                        {"name": "scripted", "context": {"cluster": "scripted", "user": "tester"}}
                    ],
                    "clusters": [
                        {
                            "name": "scripted",
                            "cluster": {"server": f"http://127.0.0.1:{self.port}"},
                        }
                    ],
                    "users": [{"name": "tester", "user": {"token": "the-token"}}],
                }
            )
        )
        return path


def status(code: int, reason: str, message: str = "", **details: object) -> dict[str, Any]:
    return {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a port of 127.0.0.1 where nothing listens but what a test has listen there.

    A port that is only believed to be free may be another's, or a client's own, a moment later.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = True  # it may be a reserved one

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that does not trust it."""


@contextmanager
def scripted_api(
    script: Callable[[Request], Answer], port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedApi]:
    """Serve the script on a port of 127.0.0.1 until the block ends, over TLS if that is given."""
    api = ScriptedApi(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + api.clock)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: ",".join(values) for name, values in parse_qs(url.query).items()}
            answer = api.answer(
                Request(self.command, url.path, query, dict(self.headers.items()), body)
            )
            if answer.websocket and "Sec-WebSocket-Key" not in self.headers:
                self._plain(Answer(status(400, "BadRequest"), 400))  # as the API does
            elif answer.websocket:
                self._upgrade(answer.websocket)
            elif answer.lines is not None:
                self._stream(answer.lines, answer)
            else:
                self._plain(answer)

        do_PATCH = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        def _plain(self, answer: Answer) -> None:
            body = (
                answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            )
            self.send_response(answer.status)
            for header in answer.headers.items():
                self.send_header(*header)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, lines: Iterable[object], answer: Answer) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in lines:
                data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
            if answer.held:
                api.over.wait()
            if not answer.cut:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def _upgrade(self, talk: Callable[[Channels], None]) -> None:
            key = self.headers["Sec-WebSocket-Key"].encode()
            accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET).digest())  # noqa: S324
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", accept.decode())
            self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
            self.end_headers()
            talk(Channels(self))
            self.close_connection = True

    server = _Server(("127.0.0.1", port), Handler)
    if tls:
        # the handshake is the connection's own thread's, at its first read
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    api.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
