"""Run inside a pod: carries connections from the pod's loopback to addresses the pod can reach.

Its text is passed to `python3` in a container, so it needs nothing but Python 3.8 and its
standard library. With a port-forward in front of it, a client library in the runner talks to a
Service exactly as an application in this pod does: the pod's resolver, the Service's address, the
cluster's network.

It reads one line of JSON from standard input: `lease`, a port of the loopback, and `patience`,
seconds. It writes a line once it listens at the lease. A connection to that is greeted with a
newline; then it takes lines `["host", port]` and answers each with the port of the loopback that
leads there, or with 0 and why the host does not resolve. It is resolved anew for every connection;
where no answer comes, the addresses before still count, so that a lost packet of the DNS is no
answer about a port. The relay lives until a line `null` or as long as that connection is open, and
not longer than `patience` without one, so it cannot outlive whoever started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import threading
from typing import Any

LOOPBACK = "127.0.0.1"
CONNECT = 3.0
# A resolver asks again, five seconds later, for a packet that was lost (resolv.conf(5), timeout).
LOOKUP = 6.0
# Where an address is known from before, it is not waited for that long.
AGAIN = 1.0
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


async def look_up(host: str, port: int, patience: float) -> list[str]:
    """Return the addresses of a host; a lookup that hangs holds nothing, not even the end."""
    loop = asyncio.get_event_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def tell(addresses: list[str], error: Any) -> None:
        if not found.done():
            found.set_exception(error) if error else found.set_result(addresses)

    def work() -> None:
        addresses, error = [], None
        try:
            entries = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
            addresses = [str(entry[4][0]) for entry in entries]
        except OSError as failure:
            error = failure
        with contextlib.suppress(RuntimeError):  # the relay may have ended meanwhile
            loop.call_soon_threadsafe(tell, addresses, error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wait_for(found, patience)


class Tunnel:
    """From a port of the loopback to one target."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.known: list[str] = []

    async def find(self) -> list[str]:
        """Return where the target is: what is said now, or what was said last."""
        try:
            self.known = await look_up(self.host, self.port, AGAIN if self.known else LOOKUP)
        except (OSError, asyncio.TimeoutError) as error:  # noqa: UP041 - see below
            is_denied = getattr(error, "errno", None) == socket.EAI_NONAME
            if is_denied or not self.known:
                raise
        return self.known

    async def connect(self) -> Any:
        """Connect to the first of its addresses that takes it."""
        *others, last = self.known
        for address in others:
            try:
                return await asyncio.open_connection(address, self.port)
            except OSError:
                continue
        return await asyncio.open_connection(last, self.port)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection; where the target refuses, this end is reset."""
        try:
            await self.find()
            there_reader, there_writer = await asyncio.wait_for(self.connect(), CONNECT)
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
                writer.write(await self.opened(Tunnel(*wanted)))
                await writer.drain()
        except OSError:
            pass
        self.over.set()

    async def opened(self, tunnel: Tunnel) -> bytes:
        """Return the line that says where a tunnel begins, or why it leads nowhere."""
        try:
            await tunnel.find()
        except asyncio.TimeoutError:  # noqa: UP041 - see above
            return b"0 timeout\n"
        except OSError as error:
            names = {value: name for name, value in vars(socket).items() if name[:4] == "EAI_"}
            return b"0 %s\n" % names.get(error.errno, str(error)).encode()
        server = await asyncio.start_server(tunnel.carry, LOOPBACK, 0)
        return b"%d\n" % server.sockets[0].getsockname()[1]


async def relay(lease: int, patience: float) -> None:
    """Serve until the lease is given back."""
    holder = Lease()
    await asyncio.start_server(holder.hold, LOOPBACK, lease)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await asyncio.wait_for(holder.held.wait(), patience)
    await holder.over.wait()


if __name__ == "__main__":
    asyncio.run(relay(**json.loads(sys.stdin.readline())))
