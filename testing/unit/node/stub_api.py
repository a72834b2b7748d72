"""An API server in this process: list, watch, create and delete, with faults to order."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nova_node.api import Api, Object
from testing.unit.waiting import SOON


class Client(Api):
    """An Api whose followers rest once its server is closed: its port may be another's."""

    closed = threading.Event()

    def _connect(self) -> http.client.HTTPConnection:
        if self.closed.is_set():
            threading.Event().wait()
        return super()._connect()


class StubApi:
    """Collections by path (such as "/api/v1/services"), all versions of them kept.

    `compact` forgets the past, so that resuming ends in 410; `cut` closes every watch in the
    middle; `closes` announces the end of the connection in every answer; `refuse` answers
    every request with a status until it is None again.
    """

    def __init__(self, credentials: Path) -> None:
        self._credentials = credentials
        (credentials / "token").write_text("token\n")
        self.refuse: int | None = None
        self.closes = False
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._objects: dict[str, dict[str, Object]] = {}
        self._events: list[tuple[int, str, Object]] = []
        self._version = 100
        self._oldest = 0
        self._generation = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def api(self) -> Api:
        client = Client("127.0.0.1", self._server.server_port, self._credentials, tls=False)
        # Past the frozen fields: an Api is a value, this is a fact about its server.
        object.__setattr__(client, "closed", self._closed)
        return client

    def __enter__(self) -> StubApi:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    def put(self, path: str, obj: Object) -> None:
        """Create `obj`, or replace what has its name."""
        with self._changed:
            objects = self._objects.setdefault(path, {})
            kind = "MODIFIED" if _key(obj) in objects else "ADDED"
            objects[_key(obj)] = self._record(path, kind, obj)

    def remove(self, path: str, obj: Object) -> None:
        with self._changed:
            self._record(path, "DELETED", self._objects[path].pop(_key(obj)))

    def objects(self, path: str) -> list[Object]:
        with self._changed:
            return list(self._objects.get(path, {}).values())

    def wait_for_requests(self, number: int, path: str = "") -> None:
        """Until there were `number` requests in all, or of exactly `path`."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: sum(path in ("", asked) for _, asked in self.requests) >= number, SOON
            )

    def compact(self) -> None:
        with self._changed:
            self._oldest = self._version

    def cut(self) -> None:
        with self._changed:
            self._generation += 1
            self._changed.notify_all()

    def _record(self, path: str, kind: str, obj: Object) -> Object:
        self._version += 1
        obj = json.loads(json.dumps(obj))
        obj["metadata"]["resourceVersion"] = str(self._version)
        self._events.append((self._version, path, {"type": kind, "object": obj}))
        self._changed.notify_all()
        return obj

    def _list(self, path: str) -> Object:
        with self._changed:
            version = {"resourceVersion": str(self._version)}
            return {"metadata": version, "items": list(self._objects.get(path, {}).values())}

    def _watch(self, path: str, version: int, generation: int) -> Iterator[Object]:
        with self._changed:
            if version < self._oldest:
                gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
                yield {"type": "ERROR", "object": gone}
                return
            while generation == self._generation:
                news = [e for e in self._events if e[0] > version and e[1] == path]
                if not news:
                    self._changed.wait()
                for number, _, event in news:
                    version = number
                    yield event

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            generation = 0

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                if self._refused():
                    return
                if "watch" not in query:
                    self._answer(200, stub._list(url.path))
                    return
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                with contextlib.suppress(OSError):
                    version = int(query["resourceVersion"][0])
                    for event in stub._watch(url.path, version, self.generation):
                        line = json.dumps(event).encode() + b"\n"
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                # No last chunk: to the client the stream is cut, not ended.
                self.close_connection = True

            def do_POST(self) -> None:
                obj = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self._refused():
                    return
                if any(_key(obj) == _key(old) for old in stub.objects(self.path)):
                    self._answer(409, {"message": "already exists"})
                    return
                stub.put(self.path, obj)
                self._answer(201, obj)

            def do_DELETE(self) -> None:
                path, _, name = self.path.rpartition("/")
                if self._refused():
                    return
                for obj in stub.objects(path):
                    if obj["metadata"]["name"] == name:
                        stub.remove(path, obj)
                        self._answer(200, obj)
                        return
                self._answer(404, {"message": "not found"})

            def _refused(self) -> bool:
                with stub._changed:
                    stub.requests.append((self.command, self.path))
                    stub.tokens.append(self.headers["Authorization"])
                    stub._changed.notify_all()
                    # As of its arrival, so that a cut or a refusal ordered after that meets it.
                    self.generation = stub._generation
                    status = stub.refuse
                if status is not None:
                    self._answer(status, {"message": "refused to order"})
                return status is not None

            def _answer(self, status: int, body: Any) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                if stub.closes:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _key(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata.get('name', metadata.get('generateName'))}"
