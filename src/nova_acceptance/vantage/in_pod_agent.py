"""Asked inside a pod: dials, DNS exchanges, lookups of names and HTTP requests, all at once.

Its text is passed to `python3 -c` in a container, so it needs nothing but Python 3.8 and its
standard library. It reads one line of JSON from standard input, a list of
questions, and writes one line, the list of answers in the same order. An answer says `state` and
`seconds`; one that could not be asked says `error` and no state.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import queue
import socket
import struct
import sys
import threading
import time
from typing import Any

AT_ONCE = 32
BODY = 4096
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
    if error.errno == errno.ECONNREFUSED:
        return {"state": "refused"}
    if error.errno in CUT:
        return {"state": "cut", "detail": errno.errorcode[error.errno]}
    if error.errno in UNREACHABLE:
        return {"state": "unreachable", "detail": errno.errorcode[error.errno]}
    raise error


def connect(question: dict[str, Any], kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Connect to the first address of the host, as most applications do."""
    family, _, _, _, address = socket.getaddrinfo(question["host"], question["port"], 0, kind)[0]
    connection = socket.socket(family, kind)
    try:
        connection.settimeout(question["timeout"])
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def dial(question: dict[str, Any]) -> dict[str, Any]:
    """Open a TCP connection and close it."""
    with connect(question) as connection:
        return {"state": "open", "address": connection.getpeername()[0]}


def resolve(question: dict[str, Any]) -> dict[str, Any]:
    """Look a name up as an application does: /etc/hosts, search list and all."""
    found = socket.getaddrinfo(question["host"], None, 0, socket.SOCK_STREAM)
    return {"state": "resolved", "addresses": sorted({str(entry[4][0]) for entry in found})}


def nameserver() -> str:
    """Return the first name server of the pod."""
    with open("/etc/resolv.conf", encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                return words[1]
    raise LookupError("/etc/resolv.conf names no server")


def receive(connection: socket.socket, size: int) -> bytes:
    """Read exactly `size` bytes."""
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise CutError("the connection was closed before the answer was complete")
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
        else:
            connection.send(wire)
            answer = connection.recv(65535)
    text = base64.b64encode(answer).decode()
    return {"state": "answered", "server": question["host"], "wire": text}


def http(question: dict[str, Any]) -> dict[str, Any]:
    """GET a path; HTTP/1.0, so that the body ends with the connection."""
    head = "GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: */*\r\n\r\n"
    with connect(question) as connection:
        connection.sendall(head.format(**question).encode())
        received = b""
        while len(received) < BODY:
            part = connection.recv(BODY)
            if not part:
                break
            received += part
    status, _, rest = received.partition(b"\r\n")
    version, code, *_ = [*status.split(), b"", b""]
    if not version.startswith(b"HTTP/") or not code.isdigit():
        return {"state": "garbled", "detail": repr(received[:80])}
    body = rest.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
    return {"state": "answered", "status": int(code), "body": body}


OPERATIONS = {"dial": dial, "resolve": resolve, "dns": dns, "http": http}


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
    found["seconds"] = round(time.monotonic() - started, 5)
    return found


def answer_all(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer side by side; a question that hangs past its time is answered with `timeout`."""
    answers: list[dict[str, Any]] = [{} for _ in questions]
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(questions)):
        waiting.put(index)

    def work() -> None:
        while True:
            index = waiting.get()
            answers[index] = answer(questions[index])
            done.put(index)

    for _ in range(min(AT_ONCE, len(questions))):
        threading.Thread(target=work, daemon=True).start()
    longest = max((question["timeout"] for question in questions), default=0)
    rounds = -(-len(questions) // AT_ONCE)
    deadline = time.monotonic() + longest * rounds + 1
    try:
        for _ in questions:
            done.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        pass
    return [found or {"state": "timeout", "seconds": longest} for found in answers]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer_all(json.loads(sys.stdin.readline()))) + "\n")
    sys.stdout.flush()
    os._exit(0)  # a lookup that hangs must not hold the process
