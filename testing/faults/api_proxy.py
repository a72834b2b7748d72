"""A proxy between the suite and the API, which puts the API in trouble.

    python -m testing.faults.api_proxy --mode restarting [--context NAME] [--directory DIR]

prints the path of a kubeconfig whose one context has the name of the original and leads through the
proxy, and serves until it is told to stop. It ends TLS with a certificate of its own and speaks to
the API with the credentials of the original, so what passes can be read, delayed, cut and answered
for. WebSockets pass as they are.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import select
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from kubernetes import client, config

from nova_acceptance.deploy.certificate import KeyPair
from testing.faults.api_faults import MODES, Asked, Fault, Verdict

NAME = "localhost"
HERE = "127.0.0.1"
CHUNK = 64 * 1024
LOOK_UP = 0.1
HEAD_AT_MOST = 256 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_OURS = ("authorization", "connection", "host")


@dataclass(frozen=True)
class Upstream:
    """The real API and how to speak to it, from a kubeconfig."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    name: str
    headers: tuple[str, ...]

    @classmethod
    def of(cls, kubeconfig: Path | None, context: str | None) -> Upstream:
        """Read address and credentials of a context."""
        source: Any = client.Configuration()
        config.load_kube_config(  # type: ignore[no-untyped-call]
            str(kubeconfig) if kubeconfig else None, context, client_configuration=source
        )
        url = urlsplit(source.host)
        secure = url.scheme == "https"
        settings = source.auth_settings().values()
        return cls(
            host=url.hostname or HERE,
            port=url.port or (443 if secure else 80),
            tls=_context(source) if secure else None,
            name=source.tls_server_name or url.hostname or HERE,
            headers=tuple(f"{s['key']}: {s['value']}" for s in settings if s["in"] == "header"),
        )

    def connect(self) -> socket.socket:
        """Open a connection to the real API."""
        raw = socket.create_connection((self.host, self.port), 10)
        return self.tls.wrap_socket(raw, server_hostname=self.name) if self.tls else raw


def _context(source: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=source.ssl_ca_cert)
    if not source.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if source.cert_file:
        context.load_cert_chain(source.cert_file, source.key_file)
    return context


class ApiProxy:
    """Serves on a port of the loopback until closed; every connection carries one request."""

    def __init__(self, upstream: Upstream, fault: Fault, directory: Path) -> None:
        self._upstream = upstream
        self._fault = fault
        self._pair = KeyPair.issue([NAME])
        self._tls = self._own_tls(directory)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._held = socket.socket()
        self.port = 0

    def start(self) -> None:
        """Begin to serve."""
        # held, so that nobody takes the port while nothing listens there
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind((HERE, 0))
        self.port = self._held.getsockname()[1]
        listener = self._listener()
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and cut what is open."""
        self._over.set()
        if self._thread:
            self._thread.join()
        self._held.close()

    def _listener(self) -> socket.socket:
        return socket.create_server((HERE, self.port), reuse_port=True)

    def kubeconfig(self, path: Path, context: str) -> Path:
        """Write a kubeconfig that leads here, its one context of this name."""
        authority = base64.b64encode(self._pair.certificate.encode()).decode()
        cluster = {
            "server": f"https://{HERE}:{self.port}",
            "certificate-authority-data": authority,
            "tls-server-name": NAME,
        }
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "clusters": [{"name": context, "cluster": cluster}],
            # the proxy has the credentials; a client without any would send nothing at all
            "users": [{"name": context, "user": {"token": "none"}}],
        }
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def _own_tls(self, directory: Path) -> ssl.SSLContext:
        both = directory / "proxy.pem"
        both.touch(mode=0o600)
        both.write_text(self._pair.certificate + self._pair.key, encoding="utf-8")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context

    def _serve(self, first: socket.socket) -> None:
        listener: socket.socket | None = first
        while not self._over.is_set():
            if self._fault.refuses:
                if listener:
                    listener.close()
                    self._cut()
                listener = None
                self._over.wait(LOOK_UP)
            elif listener is None:
                listener = self._listener()
            elif select.select([listener], [], [], LOOK_UP)[0]:
                connection, _ = listener.accept()
                with self._lock:
                    self._open.add(connection)
                threading.Thread(target=self._carry, args=(connection,), daemon=True).start()
        if listener:
            listener.close()
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            cut, self._open = self._open, set()
        for connection in cut:
            # no farewell: a server that is killed says none
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _carry(self, raw: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):
                if not self._fault.greets():
                    raw.recv(1)
                    return
                raw.settimeout(30)
                # the plain socket stays ours to cut
                with self._tls.wrap_socket(raw.dup(), server_side=True) as near:
                    self._answer(near, raw)
        finally:
            with self._lock:
                self._open.discard(raw)
            raw.close()

    def _answer(self, near: ssl.SSLSocket, raw: socket.socket) -> None:
        head, rest = _head(near)
        asked = _asked(head)
        verdict = self._fault.judge(asked)
        if not self._wait(raw, verdict.wait) or verdict.is_dropped:
            return
        if verdict.status:
            _received(near, head, rest)  # a client still sending would see a reset
            near.sendall(_own_answer(verdict))
            return
        with self._upstream.connect() as far:
            far.sendall(self._rewritten(head, asked) + rest)
            self._pump(near, far, time.monotonic() + verdict.lasts)

    def _wait(self, raw: socket.socket, seconds: float) -> bool:
        """Wait; False when the client has left or everything is over meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._over.wait(min(left, LOOK_UP)) or _has_left(raw):
                return False
        return True

    def _rewritten(self, head: bytes, asked: Asked) -> bytes:
        first, *lines = head.decode("latin-1").split("\r\n")
        kept = [line for line in lines if line.partition(":")[0].strip().lower() not in _OURS]
        connection = "Upgrade" if asked.is_upgrade else "close"
        ours = [f"Host: {self._upstream.host}:{self._upstream.port}", f"Connection: {connection}"]
        text = "\r\n".join([first, *kept, *ours, *self._upstream.headers])
        return text.encode("latin-1") + _END_OF_HEAD

    def _pump(self, near: ssl.SSLSocket, far: socket.socket, end: float) -> None:
        others: dict[socket.socket, socket.socket] = {near: far, far: near}
        while not self._over.is_set() and time.monotonic() < end:
            # what TLS has read already, `select` cannot see
            held = [one for one in others if isinstance(one, ssl.SSLSocket) and one.pending()]
            for one in held or select.select(list(others), [], [], LOOK_UP)[0]:
                data = one.recv(CHUNK)
                if not data:
                    return
                others[one].sendall(data)


def _has_left(raw: socket.socket) -> bool:
    readable, _, _ = select.select([raw], [], [], 0)
    return bool(readable) and raw.recv(1, socket.MSG_PEEK) == b""


def _head(near: ssl.SSLSocket) -> tuple[bytes, bytes]:
    received = b""
    while _END_OF_HEAD not in received:
        part = near.recv(CHUNK)
        if not part or len(received) > HEAD_AT_MOST:
            raise ValueError("no request")
        received += part
    head, _, rest = received.partition(_END_OF_HEAD)
    return head, rest


def _received(near: ssl.SSLSocket, head: bytes, rest: bytes) -> None:
    sizes = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    left = (sizes or [0])[0] - len(rest)
    while left > 0 and (part := near.recv(CHUNK)):
        left -= len(part)


def _asked(head: bytes) -> Asked:
    first = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return Asked(first[0], first[1], b"\r\nupgrade: websocket" in head.lower())


def _own_answer(verdict: Verdict) -> bytes:
    lines = [
        f"HTTP/1.1 {verdict.status} Trouble",
        "Content-Type: application/json",
        f"Content-Length: {len(verdict.body)}",
        "Connection: close",
        *verdict.headers,
    ]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + verdict.body


@contextmanager
def proxied(
    mode: str,
    directory: Path,
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    fault: Fault | None = None,
) -> Iterator[Path]:
    """Serve, and give a kubeconfig that leads through the proxy, until the block ends.

    Args:
        mode: one of `MODES`.
        directory: where the kubeconfig is written, and the proxy's certificate.
        kubeconfig: the file that leads to the real API; None takes the user's.
        context: the context in it, and in the new one; None takes the current one.
        fault: what happens, in the place of what the mode stands for.
    """
    chosen = context or _current(kubeconfig)
    proxy = ApiProxy(Upstream.of(kubeconfig, chosen), fault or MODES[mode](), directory)
    proxy.start()
    try:
        yield proxy.kubeconfig(directory / "kubeconfig", chosen)
    finally:
        proxy.close()


def _current(kubeconfig: Path | None) -> str:
    source = str(kubeconfig) if kubeconfig else None
    _, active = config.list_kube_config_contexts(source)  # type: ignore[no-untyped-call]
    return str(active["name"])


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="A proxy that puts the API in trouble.")
    parser.add_argument("--mode", choices=sorted(MODES), required=True)
    parser.add_argument("--kubeconfig", type=Path, default=os.environ.get("KUBECONFIG"))
    parser.add_argument("--context")
    parser.add_argument("--directory", type=Path)
    given = parser.parse_args()
    over = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with tempfile.TemporaryDirectory() as own:
        directory = given.directory or Path(own)
        with proxied(
            given.mode, directory, kubeconfig=given.kubeconfig, context=given.context
        ) as path:
            print(path, flush=True)  # noqa: T201 - this is what it is for
            over.wait()


if __name__ == "__main__":
    main()
