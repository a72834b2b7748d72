"""The stand-in for a service of Nova: answers `GET /health` by its own name.

Environment:
    SERVICE_NAME: the name it answers by.
    SERVICE_PORT: the TCP port it listens on.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socketserver
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service(ThreadingHTTPServer):
    """An HTTP server that knows its service's name."""

    daemon_threads = True  # an idle connection does not hold up the shutdown
    request_queue_size = 128

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        super().__init__(("", port), Health)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name that HTTPServer adds: DNS may be slow."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.name, self.server_address[1]


class Health(BaseHTTPRequestHandler):
    """`/health` and nothing else."""

    protocol_version = "HTTP/1.1"
    server_version = "nova-service/1"
    sys_version = ""
    timeout = 30  # seconds that a connection may stay idle
    server: Service

    def do_GET(self) -> None:
        """Answer who this is and that it is well, or that there is no such page."""
        if self.path.partition("?")[0] == "/health":
            self._answer(HTTPStatus.OK, {"service": self.server.name, "status": "ok"})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"service": self.server.name, "error": "not found"})

    def _answer(self, status: HTTPStatus, content: dict[str, str]) -> None:
        body = json.dumps(content).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        """Log what is out of the ordinary: the probes alone would fill the log."""
        if code != HTTPStatus.OK:
            logging.info("%s %s from %s", code, self.requestline, self.address_string())


def main() -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    service = Service(os.environ["SERVICE_NAME"], int(os.environ["SERVICE_PORT"]))

    def stop(*_: Any) -> None:
        raise SystemExit(0)

    # The first process of a container has no default actions for signals.
    signal.signal(signal.SIGTERM, stop)
    logging.info("%s listens on port %d", service.name, service.server_port)
    service.serve_forever()


if __name__ == "__main__":
    main()
