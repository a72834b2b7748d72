"""Asked inside a pod: dials, DNS exchanges, lookups of names, requests by HTTP, all at once.

Its text is passed to `python3` in a container, so it needs nothing but Python 3.8 and its
standard library. It reads one line of JSON from standard input, a list of questions, and writes a
line for each as soon as it is answered: its place in the list, and the answer. An answer says
`state` and `seconds`; one that could not be asked says `error` and no state.

Names are resolved first, each once and in a time of their own: a lookup that hangs is an answer
about the name, and never one about a port behind it.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import json
import os
import queue
import socket
import struct
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # of no use in a pod, where it takes time to load
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

AT_ONCE = 32
# A resolver asks again, five seconds later, for a packet that was lost (resolv.conf(5), timeout).
LOOKUP = 6.0
# A packet without an answer is sent again after this long, which is no slow answer yet.
AGAIN = 0.5
# What is answered within this long of another answer is written with it.
TOGETHER = 0.005
# A socket takes no wait of nothing for a wait.
MOMENT = 0.001
# Lookups that hang hold up the next ones for this long.
PACE = 1.0
BODY = 65536
SETTINGS = b"\0\0\0\4\0\0\0\0\0"  # empty: length, type, flags, stream
LARGEST_FRAME = 16384
FINAL = 200
LISTEN = "0A"
UNFINISHED = "the connection was closed before the answer was complete"
CUT = (errno.ECONNRESET, errno.EPIPE)
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
LOOKUP_ERRORS = {value: name for name, value in vars(socket).items() if name.startswith("EAI_")}


class CutError(Exception):
    """The other side ended the connection in the middle of its answer."""


def failure(error: OSError) -> dict[str, Any]:
    """Say how a connection failed; anything that is not the network's answer is raised again."""
    if isinstance(error, socket.gaierror):
        return {"state": "unresolved", "detail": LOOKUP_ERRORS.get(error.errno, str(error.errno))}
    if isinstance(error, socket.timeout) or error.errno == errno.ETIMEDOUT:
        return {"state": "timeout"}
    if hasattr(error, "library"):  # an ssl.SSLError, without that module
        reason = getattr(error, "reason", None) or type(error).__name__
        state = "alert" if "ALERT" in reason else "cut" if "EOF" in reason else "no-tls"
        return {"state": state, "detail": reason}
    if error.errno == errno.ECONNREFUSED:
        return {"state": "refused"}
    if error.errno in CUT:
        return {"state": "cut", "detail": errno.errorcode[error.errno]}
    if error.errno in UNREACHABLE:
        return {"state": "unreachable", "detail": errno.errorcode[error.errno]}
    raise error


def connect(question: dict[str, Any], kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Connect to the first address of the host, as most applications do."""
    host = question.get("at") or question["host"]
    family, _, _, _, address = socket.getaddrinfo(host, question["port"], 0, kind)[0]
    connection = socket.socket(family, kind)
    try:
        connection.settimeout(question["timeout"])
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def secure(connection: socket.socket, name: str) -> Any:
    """Begin TLS, whoever is there: what the peer shows is for others to judge."""
    import ssl  # noqa: PLC0415 - a Python may lack it, and seldom anybody needs it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=name)


def dial(question: dict[str, Any]) -> dict[str, Any]:
    """Open a TCP connection and close it."""
    with connect(question) as connection:
        return {"state": "open", "address": connection.getpeername()[0]}


def resolve(question: dict[str, Any]) -> dict[str, Any]:
    """Look a name up as an application does: /etc/hosts, search list and all."""
    found = socket.getaddrinfo(question["host"], None, 0, socket.SOCK_STREAM)
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return {"state": "resolved", "addresses": list(addresses)}


def is_by_name(question: dict[str, Any]) -> bool:
    """Whether a name has to be resolved before the question can be asked."""
    if question["op"] not in BY_NAME:
        return False
    try:
        socket.getaddrinfo(question["host"], None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return True
    return False


def resolver(question: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - there is but one
    """Read what the pod's resolver is configured with (resolv.conf(5)): the last search counts."""
    servers, search = [], []
    with open("/etc/resolv.conf", encoding="utf-8") as lines:
        for line in lines:
            key, *words = line.split() or [""]
            if key == "nameserver":
                servers += words[:1]
            elif key in ("search", "domain"):
                search = words
    return {"state": "read", "servers": servers, "search": search}


def nameserver() -> str:
    """Return the first name server of the pod."""
    for server in resolver({})["servers"]:
        return str(server)
    raise LookupError("/etc/resolv.conf names no server")


def receive(connection: socket.socket, size: int) -> bytes:
    """Read exactly `size` bytes."""
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise CutError(UNFINISHED)
        received += part
    return received


def dns(question: dict[str, Any]) -> dict[str, Any]:
    """Send a DNS message to a name server and take its answer, both as they are on the wire."""
    wire = base64.b64decode(question["wire"])
    question["host"] = question["host"] or nameserver()
    kind = socket.SOCK_STREAM if question["tcp"] else socket.SOCK_DGRAM
    with connect(question, kind) as connection:
        if question["tcp"]:
            connection.sendall(struct.pack("!H", len(wire)) + wire)
            answer = receive(connection, *struct.unpack("!H", receive(connection, 2)))
            sent = 1
        else:
            answer, sent = datagram(connection, wire, question["timeout"])
    text = base64.b64encode(answer).decode()
    return {"state": "answered", "server": question["host"], "wire": text, "sent": sent}


def datagram(connection: socket.socket, wire: bytes, timeout: float) -> tuple[bytes, int]:
    """Send a message until it is answered, as a resolver does, and count: a packet may get lost."""
    until = time.monotonic() + timeout
    sent = 0
    while True:
        connection.send(wire)
        sent += 1
        connection.settimeout(max(MOMENT, min(AGAIN, until - time.monotonic())))
        try:
            return connection.recv(65535), sent
        except socket.timeout:  # noqa: UP041 - a Python before 3.10 has no other name for it
            if time.monotonic() >= until:
                raise


def read_line(stream: BinaryIO) -> bytes:
    """Read one line of a head, without its end."""
    line = stream.readline(BODY)
    if not line.endswith(b"\n"):
        raise CutError(UNFINISHED)
    return line.strip()


def read_body(stream: BinaryIO, fields: dict[bytes, bytes]) -> bytes:
    """Read the start of a body by its chunks, by its length or to its end (RFC 9112, 6.3)."""
    size = fields.get(b"content-length")
    if b"chunked" not in fields.get(b"transfer-encoding", b"").lower():
        body = stream.read(min(int(size or BODY), BODY))
        if size and len(body) < min(int(size), BODY):
            raise CutError(UNFINISHED)
        return body
    body = b""
    while len(body) < BODY:
        wanted = int(read_line(stream).partition(b";")[0], 16)
        if not wanted:
            break
        body += read_body(stream, {b"content-length": b"%d" % wanted})
        read_line(stream)
    return body


def http(question: dict[str, Any]) -> dict[str, Any]:
    """GET a path by HTTP/1.1 on a connection of its own, over TLS where a name is given for it."""
    with connect(question) as connection:
        if not question["tls"]:
            return page(question, connection)
        with secure(connection, question["tls"]) as channel:
            shown = base64.b64encode(channel.getpeercert(True) or b"").decode()
            return {**page(question, channel), "certificate": shown}


def page(question: dict[str, Any], connection: socket.socket) -> dict[str, Any]:
    """Send the request, and read what comes back."""
    head = "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
    with contextlib.suppress(OSError):  # who hangs up before all is read may have said why
        connection.sendall(head.format(**question).encode())
    with connection.makefile("rb") as stream:
        status = 100
        while status < FINAL:  # a provisional one may come before
            first = read_line(stream)
            version, code, *_ = [*first.split(), b"", b""]
            if not version.startswith(b"HTTP/1.") or not code.isdigit():
                return {"state": "garbled", "detail": repr(first[:80])}
            status = int(code)
            lines = iter(lambda: read_line(stream), b"")
            pairs = (line.partition(b":") for line in lines)
            fields = {name.lower(): value.strip() for name, _, value in pairs}
        try:
            body = b"" if status in (204, 304) else read_body(stream, fields)
        except ValueError as error:
            return {"state": "garbled", "detail": str(error)}
    return {"state": "answered", "status": status, "body": body.decode("utf-8", "replace")}


def http2(question: dict[str, Any]) -> dict[str, Any]:
    """Exchange prefaces: a server of HTTP/2 begins with a SETTINGS frame (RFC 9113, 3.4)."""
    with connect(question) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)
        head = receive(connection, len(SETTINGS))
        size, is_settings = int.from_bytes(head[:3], "big"), head[3:] == SETTINGS[3:]
        if not is_settings or size % 6 or size > LARGEST_FRAME:
            return {"state": "garbled", "detail": repr(head)}
        receive(connection, size)
    return {"state": "answered"}


def listeners(question: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - there is but one
    """Read at which addresses and ports something listens here (proc_pid_net(5))."""
    found = []
    for name, family in ("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6):
        if name == "tcp6" and not os.path.exists("/proc/net/tcp6"):
            continue  # without IPv6
        with open("/proc/net/" + name, encoding="ascii") as lines:
            rows = [line.split() for line in lines][1:]
        for row in rows:
            if row[3] == LISTEN:
                address, port = row[1].split(":")
                words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
                packed = b"".join(struct.pack("=I", word) for word in words)
                found.append([socket.inet_ntop(family, packed), int(port, 16)])
    return {"state": "listed", "listeners": found}


OPERATIONS = {
    "dial": dial,
    "resolve": resolve,
    "dns": dns,
    "http": http,
    "http2": http2,
    "listeners": listeners,
    "resolver": resolver,
}
BY_NAME = ("dial", "resolve", "http", "http2")


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Answer one question, with the time that it took."""
    started = time.monotonic()
    try:
        found = OPERATIONS[question["op"]](question)
    except CutError as cut:
        found = {"state": "cut", "detail": str(cut)}
    except OSError as error:
        try:
            found = failure(error)
        except OSError as odd:
            found = {"error": f"{type(odd).__name__}: {odd}"}
    except Exception as error:  # noqa: BLE001 - the other answers must not be lost with this one
        found = {"error": f"{type(error).__name__}: {error}"}
    if question["op"] == "dns":
        found.setdefault("server", question["host"])
    found["seconds"] = round(time.monotonic() - started + question.get("spent", 0), 5)
    return found


class Lookups:
    """The names that questions wait for, and who is told once one is resolved, or is not."""

    def __init__(self, told: Callable[[int, dict[str, Any]], None]) -> None:
        self.told = told
        self.waiting: dict[str, list[int]] = {}
        self.lock = threading.Lock()

    def tell(self, host: str, found: dict[str, Any]) -> None:
        """Pass an answer on, to all who wait for it; only the first one counts."""
        with self.lock:
            for index in self.waiting.pop(host, ()):
                self.told(index, found)

    def one(self, host: str) -> None:
        """Look a name up; what takes too long is no answer."""
        hangs = {"state": "unresolved", "detail": "timeout", "seconds": LOOKUP}
        late = threading.Timer(LOOKUP, self.tell, (host, hangs))
        late.daemon = True
        late.start()
        self.tell(host, answer({"op": "resolve", "host": host}))
        late.cancel()

    def all(self) -> None:
        """Look all of them up, some at once."""
        hosts = list(self.waiting)
        for first in range(0, len(hosts), AT_ONCE):
            batch = [
                threading.Thread(target=self.one, args=(host,), daemon=True)
                for host in hosts[first : first + AT_ONCE]
            ]
            until = time.monotonic() + PACE
            for each in batch:
                each.start()
            for each in batch:
                each.join(max(0.0, until - time.monotonic()))


def answer_all(questions: list[dict[str, Any]]) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Answer side by side; a question that hangs past its time is answered with `timeout`.

    What is answered within a moment is given out together, each answer with its question's place.
    """
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()

    def told(index: int, found: dict[str, Any]) -> None:
        question = questions[index]
        if found["state"] == "resolved" and question["op"] != "resolve":
            question.update(at=found["addresses"][0], spent=found["seconds"])
            waiting.put(index)
        else:
            done.put((index, found))

    lookups = Lookups(told)
    for index, question in enumerate(questions):
        if is_by_name(question):
            lookups.waiting.setdefault(question["host"], []).append(index)
        else:
            waiting.put(index)

    def work() -> None:
        while (index := waiting.get()) is not None:
            done.put((index, answer(questions[index])))
        waiting.put(None)  # for the others

    for _ in range(min(AT_ONCE, len(questions))):
        threading.Thread(target=work, daemon=True).start()
    longest = max((question["timeout"] for question in questions), default=0)
    rounds = -(-len(questions) // AT_ONCE)
    deadline = time.monotonic() + longest * rounds + 1
    if lookups.waiting:
        deadline += LOOKUP + PACE * rounds
        threading.Thread(target=lookups.all, daemon=True).start()
    left = set(range(len(questions)))
    with contextlib.suppress(queue.Empty):
        while left:
            batch = [done.get(timeout=max(0.0, deadline - time.monotonic()))]
            with contextlib.suppress(queue.Empty):
                while len(batch) < len(left):
                    batch.append(done.get(timeout=TOGETHER))
            left -= {index for index, _ in batch}
            yield batch
    waiting.put(None)
    if left:
        yield [(index, {"state": "timeout", "seconds": longest}) for index in sorted(left)]


if __name__ == "__main__":
    for answered in answer_all(json.loads(sys.stdin.readline())):
        sys.stdout.write("".join(json.dumps(each) + "\n" for each in answered))
        sys.stdout.flush()
    os._exit(0)  # a lookup that hangs must not hold the process
