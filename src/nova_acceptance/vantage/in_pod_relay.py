"""Run inside a pod: carries connections from the pod's loopback to addresses the pod can reach.

Its text is passed to `python3 -c` in a container, so it needs nothing but Python 3.8 and its
standard library. With a port-forward in front of it, a client library in the runner talks to a
Service exactly as an application in this pod does: the pod's resolver, the Service's address, the
cluster's network.

It reads one line of JSON from standard input: `lease`, a port of the loopback, and `patience`,
seconds. A connection to the lease is greeted with a newline; then it takes lines `["host", port]`
and answers each with the port of the loopback that leads there. The relay lives until a line
`null` or as long as that connection is open, and not longer than `patience` without one, so it
cannot outlive whoever started it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

LOOPBACK = "127.0.0.1"
CONNECT = 3.0
CHUNK = 65536
# A peer that is gone without a word is noticed after about three seconds.
KEEPALIVE = (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2))
USER_TIMEOUT_MS = 3000


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the kernel notice a peer that vanished."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction to its end; a connection that breaks is broken on the other side."""
    try:
        while True:
            data = await reader.read(CHUNK)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()


class Tunnel:
    """From a port of the loopback to one target."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection; where the target refuses, this end is reset."""
        try:
            opening = asyncio.open_connection(self.host, self.port)
            there_reader, there_writer = await asyncio.wait_for(opening, CONNECT)
        except (OSError, asyncio.TimeoutError):  # noqa: UP041 - two classes before Python 3.11
            writer.transport.abort()
            return
        keep_alive(there_writer)
        try:
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        finally:
            there_writer.close()
            writer.close()


class Lease:
    """The connection that asks for tunnels and whose end is the relay's end."""

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.over = asyncio.Event()

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open a tunnel for every line."""
        self.held.set()
        try:
            writer.write(b"\n")
            while True:
                wanted = json.loads(await reader.readline() or "null")
                if wanted is None:
                    break
                tunnel = Tunnel(*wanted)
                server = await asyncio.start_server(tunnel.carry, LOOPBACK, 0)
                writer.write(b"%d\n" % server.sockets[0].getsockname()[1])
                await writer.drain()
        except OSError:
            pass
        self.over.set()


async def relay(lease: int, patience: float) -> None:
    """Serve until the lease is given back."""
    holder = Lease()
    await asyncio.start_server(holder.hold, LOOPBACK, lease)
    await asyncio.wait_for(holder.held.wait(), patience)
    await holder.over.wait()


if __name__ == "__main__":
    asyncio.run(relay(**json.loads(sys.stdin.readline())))
