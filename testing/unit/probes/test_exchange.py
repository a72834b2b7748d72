"""One HTTP request over a route, and where its answer ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage.http import Kept, exchange
from nova_acceptance.vantage.routes import LOOPBACK, RUNNER, Route

PATIENCE = 10
"""Seconds within which each side has to be through."""


class Well:
    """A forward with which nothing is wrong."""

    refusal = None

    def fault_since(self, _: float) -> None:
        return None


@contextmanager
def serving(*pieces: bytes, is_held: bool) -> Iterator[Route]:
    """Serve one answer in pieces, after which the connection is held open or closed."""
    over = threading.Event()
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(PATIENCE)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                for piece in pieces:
                    connection.sendall(piece)
                if is_held:
                    over.wait(PATIENCE)

        thread = threading.Thread(target=serve)
        thread.start()
        forward: Any = Well()
        try:
            yield Route(server.getsockname()[1], RUNNER, "shop/web-x:8008", forward)
        finally:
            over.set()
            thread.join()


HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"


@pytest.mark.parametrize("body", [b'{"members": [{"name": "a"}]}', b"[1, [2]]", b' {"a": "}"}'])
def test_document_is_whole_before_its_connection_ends(body: bytes) -> None:
    pieces = [body[n : n + 1] for n in range(len(body))]
    with serving(HEAD, *pieces, is_held=True) as route:
        assert exchange(route, "GET", "/cluster") == (200, body.decode())


@pytest.mark.parametrize("body", [b"12", b"", b"ok", b'{"members": [', b"caf\xc3\xa9"])
def test_what_is_no_document_ends_with_its_connection(body: bytes) -> None:
    with serving(HEAD, body, is_held=False) as route:
        assert exchange(route, "GET", "/") == (200, body.decode())


def test_body_of_a_length_ends_by_it() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    with serving(head, b"{}", b"  ", is_held=True) as route:
        assert exchange(route, "GET", "/") == (200, "{}  ")


def test_body_that_is_cut_is_no_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
    with (
        serving(head, b'{"members": []}', is_held=False) as route,
        pytest.raises(ProbeError, match="did not answer GET /cluster"),
    ):
        exchange(route, "GET", "/cluster")


class Greeting(BaseHTTPRequestHandler):
    """Answers every request, and leaves the connection open for `left` of them."""

    protocol_version = "HTTP/1.1"
    left = 1

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.close_connection = self.left == 0
        self.left -= 1

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def test_connection_is_kept_for_the_next_request_and_made_anew_where_it_was_cut() -> None:
    opened: list[object] = []

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, Any]:
            found = super().get_request()
            opened.append(found)
            return found

    server = Server((LOOPBACK, 0), Greeting)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    kept: Kept = []
    forward: Any = Well()
    route = Route(server.server_port, RUNNER, "shop/web-x:8080", forward)
    try:
        answers, seen = [], []
        for _ in range(4):
            answers.append(exchange(route, "GET", "/", None, kept))
            seen.append(len(opened))
    finally:
        server.shutdown()
        server.server_close()
        serving.join()

    assert answers == [(200, "{}")] * 4
    assert seen == [1, 1, 2, 2]
