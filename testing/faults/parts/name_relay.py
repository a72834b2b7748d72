"""Hands DNS questions on, late or with a wrong address: `UPSTREAM DELAY NAME ADDRESS`.

Listens on port 53, by UDP and TCP. Source of the format: RFC 1035, section 4.
"""

import socket
import socketserver
import struct
import sys
import threading
import time

UPSTREAM, DELAY, NAME, ADDRESS = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
PATIENCE = 5.0
A_OF_FOUR = b"\x00\x01\x00\x01"


def asked(message: bytes) -> str:
    """Return the first question's name."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels).lower()


def changed(answer: bytes) -> bytes:
    """Return an answer with the address of every A record replaced, where its name is meant."""
    if not NAME or not asked(answer).startswith(NAME):
        return answer
    at = answer.find(A_OF_FOUR, 12) + len(A_OF_FOUR)  # behind the question
    while (at := answer.find(A_OF_FOUR, at)) >= 0:
        at += len(A_OF_FOUR) + 4
        if answer[at : at + 2] == b"\x00\x04":
            answer = answer[: at + 2] + socket.inet_aton(ADDRESS) + answer[at + 6 :]
    return answer


class Datagram(socketserver.BaseRequestHandler):
    """One question by UDP."""

    def handle(self) -> None:
        """Ask, wait, answer."""
        question, own = self.request
        time.sleep(DELAY)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(PATIENCE)
            upstream.sendto(question, (UPSTREAM, 53))
            own.sendto(changed(upstream.recv(65535)), self.client_address)


class Stream(socketserver.BaseRequestHandler):
    """Questions by TCP, each with its length before it."""

    def handle(self) -> None:
        """Ask, wait, answer, until the other side is done."""
        with socket.create_connection((UPSTREAM, 53), PATIENCE) as upstream:
            while question := taken(self.request):
                time.sleep(DELAY)
                upstream.sendall(struct.pack("!H", len(question)) + question)
                answer = changed(taken(upstream))
                self.request.sendall(struct.pack("!H", len(answer)) + answer)


def taken(stream: socket.socket) -> bytes:
    """Return the next message of a stream; nothing at its end."""
    head = exactly(stream, 2)
    return exactly(stream, struct.unpack("!H", head)[0]) if head else b""


def exactly(stream: socket.socket, number: int) -> bytes:
    """Return so many bytes, or nothing if the stream ends before."""
    got = b""
    while len(got) < number:
        part = stream.recv(number - len(got))
        if not part:
            return b""
        got += part
    return got


class Datagrams(socketserver.ThreadingUDPServer):
    """The server by UDP; its queue holds a whole survey's questions."""

    daemon_threads = True
    max_packet_size = 65535


class Streams(socketserver.ThreadingTCPServer):
    """The server by TCP."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


if __name__ == "__main__":
    datagrams = Datagrams(("0.0.0.0", 53), Datagram)  # noqa: S104 -- a pod's address, unknown here
    datagrams.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    threading.Thread(target=datagrams.serve_forever, daemon=True).start()
    Streams(("0.0.0.0", 53), Stream).serve_forever()  # noqa: S104
