"""The first process of the engine's namespaces: starts dockerd, relays ports, reaps orphans.

It runs as a program of its own on the standard library alone, as process 1 of a new PID namespace
with a mount namespace and (for a cluster) a network namespace of its own. The kernel ends every
process of a PID namespace with its first, and mounts, links and packet filter rules go with the
namespaces that hold them. So ending this one process, by whatever means and at whatever moment,
leaves none of them behind.

The engine's network namespace has only its loopback and the bridges that dockerd makes: no link
leads out. What the host must reach (the Kubernetes API on 127.0.0.1 inside) is relayed: the host's
side hands over a socket that listens *there*, and each connection is continued *here*. A socket
stays in the namespace where it was made.

Protocol of the control socket (`RUN/supervisor.sock`): a message `relay PORT` with one listening
socket attached (SCM_RIGHTS), or `unrelay PORT`, which closes it again; the answer is `ok`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

BUFFER = 1 << 16
DOCKERD_GRACE = 15.0
PATIENCE = 1.0
"""Seconds for a visitor to say what it wants; it comes with its message ready."""


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction of a connection, and hand on its end."""
    try:
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def relay(listener: socket.socket, port: int) -> None:
    """Continue every connection to `listener` at 127.0.0.1:`port` of this namespace."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        for end in (writer, inner_writer):
            end.close()

    server = await asyncio.start_server(serve, sock=listener)
    async with server:
        await server.serve_forever()


async def control(path: Path) -> None:
    """Take listening sockets from the host's side for as long as the engine lives."""
    loop = asyncio.get_running_loop()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    path.unlink(missing_ok=True)
    door.bind(str(path))
    path.chmod(0o600)
    door.listen()
    door.setblocking(False)
    relays: dict[str, asyncio.Task[None]] = {}
    while True:
        visitor, _ = await loop.sock_accept(door)
        # A visitor that went away, or says nothing, must not cost the others their relays.
        with visitor, contextlib.suppress(OSError):
            visitor.settimeout(PATIENCE)
            message, descriptors, _, _ = socket.recv_fds(visitor, 64, 1)
            verb, _, port = message.decode(errors="replace").partition(" ")
            if verb == "relay" and port.isdigit() and len(descriptors) == 1:
                listener = socket.socket(fileno=descriptors[0])
                listener.setblocking(False)
                relays[port] = asyncio.create_task(relay(listener, int(port)))
                visitor.send(b"ok")
            elif verb == "unrelay":
                if port in relays:
                    relays.pop(port).cancel()
                visitor.send(b"ok")
            else:
                for descriptor in descriptors:
                    os.close(descriptor)
                visitor.send(b"refused")


def reap(dockerd: int) -> int | None:
    """Collect every process that has ended; return dockerd's status once it has."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            pid, status = ended
            if pid == dockerd:
                return os.waitstatus_to_exitcode(status)
    return None


async def supervise(run: Path, command: list[str]) -> int:
    """Run dockerd until it ends or until told to stop; return its exit status."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    with (run / "dockerd.log").open("ab") as log:
        # Not asyncio's subprocess: as process 1 we wait for everybody's children ourselves.
        dockerd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def on_child() -> None:
        status = reap(dockerd.pid)
        if status is not None and not ended.done():
            ended.set_result(status)

    def give_up() -> None:
        if not ended.done():
            ended.set_result(1)

    def on_stop() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(dockerd.pid, signal.SIGTERM)
        loop.call_later(DOCKERD_GRACE, give_up)

    loop.add_signal_handler(signal.SIGCHLD, on_child)
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, on_stop)
    door = asyncio.create_task(control(run / "supervisor.sock"))
    on_child()
    status = await ended
    door.cancel()
    return status


def main() -> int:
    """Read the arguments and supervise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="directory of sockets and logs")
    parser.add_argument("command", nargs="+", help="what starts dockerd")
    arguments = parser.parse_args()
    return asyncio.run(supervise(arguments.run, arguments.command))


if __name__ == "__main__":
    sys.exit(main())
