"""Says whether the broker of this pod answers in AMQP 0-9-1: `serves_amqp.py [PORT]`.

An open port alone shows that something listens. Here the broker has to take a protocol header and
begin the dialogue of a connection (`connection.start`), which it does once vhosts, users and
queues are there. Nobody logs in: a wrong password of one client is no reason to send the others
away.

Source: AMQP 0-9-1 specification, 2.2.4 "Opening a connection", 2.3.5 "Frame details".
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import Final

PORT: Final = 5672
SECONDS: Final = 3.0
HEADER: Final = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME: Final = 1
CONNECTION_START: Final = (10, 10)
PREFIX: Final = struct.Struct(">BHIHH")
"""A frame's type, channel and size, then the class and the method."""


def refusal(port: int) -> str:
    """Return what is wrong with the broker's answer; empty when it begins a connection."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            connection.sendall(HEADER)
            while len(answer) < PREFIX.size and (more := connection.recv(PREFIX.size)):
                answer += more
    except OSError as error:
        return f"127.0.0.1:{port}: {error}"
    if len(answer) < PREFIX.size:
        return f"127.0.0.1:{port} closed the connection after {answer!r}"
    kind, _, _, *method = PREFIX.unpack(answer[: PREFIX.size])
    if kind == METHOD_FRAME and tuple(method) == CONNECTION_START:
        return ""
    return f"127.0.0.1:{port} answered {answer!r}, which begins no connection"


if __name__ == "__main__":
    sys.exit(refusal(int(sys.argv[1]) if len(sys.argv) > 1 else PORT) or 0)
