"""The programs that the images carry, as modules, and an HTTP server that records requests."""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from testing.unit.kube.scripted_api import reserved_port

IMAGES = Path(__file__).parents[3] / "images"


def program(path: str) -> ModuleType:
    """Load a program by its path under images/."""
    name = f"nova_images_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, IMAGES / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Recorder:
    """Answers every request alike and keeps what was asked.

    Attributes:
        status: the HTTP status to answer with.
        answer: the JSON to answer with.
    """

    port: int = 0
    status: int = 200
    answer: Any = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    kept = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers.items())
            kept.requests.append(Request(self.command, self.path, headers, json.loads(body)))
            content = json.dumps(kept.answer).encode()
            self.send_response(kept.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback where a program can listen."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of the loopback that refuses connections."""
    with reserved_port() as port:
        yield port
