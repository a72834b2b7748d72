"""DNS over UDP and TCP, health and readiness over HTTP, and the API followed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from nova_node.api import Api, Object
from nova_node.dns.answers import Answers
from nova_node.dns.records import Records, Zones, records_of_cluster
from nova_node.watch import Change, follow_in_thread

KINDS: Final = ("services", "endpoints")
SETTLE_SECONDS: Final = 0.05
"""Changes that come together are served together."""
IDLE_SECONDS: Final = 10.0
"""A TCP connection without a question is closed after this long."""
DATAGRAM_SOCKETS: Final = 8
"""Sockets for DNS over UDP, among which the kernel spreads those who ask.

Each has a receive buffer of its own, of some 280 questions (udp(7), rmem_default), and one question
of each is read in a turn of the loop. What does not fit is lost, and asked again after 5 seconds.
"""
LEAVE_SECONDS: Final = 5.0
"""Served on after SIGTERM, until kube-proxy sends no more questions here."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listen:
    """Where to listen.

    Args:
        host: "::" is every address of both families.
        dns: the port of DNS over UDP and TCP.
        health: the port of GET /health.
        ready: the port of GET /ready.
    """

    host: str = "::"
    dns: int = 53
    health: int = 8080
    ready: int = 8181


class ClusterDns:
    """The server of one cluster's names.

    Args:
        zones: the names for which to speak.
        listen: where.
    """

    def __init__(self, zones: Zones, listen: Listen) -> None:
        self.answers = Answers(zones, Records())
        self.is_ready = False
        self._zones = zones
        self._listen = listen
        self._objects: dict[str, dict[str, Object]] = {kind: {} for kind in KINDS}
        self._unlisted = set(KINDS)
        self._listed = asyncio.Event()
        self._settling = False

    def take(self, kind: str, changes: Sequence[Change]) -> None:
        """Take in what became of objects of one of `KINDS`; served very soon after."""
        objects = self._objects[kind]
        for change in changes:
            if change.obj is None:
                objects.pop(change.key, None)
            else:
                objects[change.key] = change.obj
        self._unlisted.discard(kind)
        if not self._settling and not self._unlisted:
            self._settling = True
            asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle)

    def _settle(self) -> None:
        self._settling = False
        begun = time.perf_counter()
        records = records_of_cluster(
            self._zones, self._objects["services"].values(), self._objects["endpoints"]
        )
        self.answers = Answers(self._zones, records)
        self._listed.set()
        spent = 1000 * (time.perf_counter() - begun)
        log.debug("%d names, made in %.1f ms", len(records.names), spent)

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; DNS from the first complete lists on.

        Before that nothing listens on port 53: a refused datagram sends a resolver to the
        other replica, an answer out of nothing would be wrong.
        """
        listen = self._listen
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            for port in {listen.health, listen.ready}:
                await stack.enter_async_context(
                    await asyncio.start_server(self._http, sock=_listener(listen.host, port))
                )
            await _first(self._listed, stop)
            if stop.is_set():
                return
            for _ in range(DATAGRAM_SOCKETS):
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self),
                    local_addr=(listen.host, listen.dns),
                    reuse_port=True,
                )
                stack.callback(transport.close)
            await stack.enter_async_context(
                await asyncio.start_server(self._tcp, sock=_listener(listen.host, listen.dns))
            )
            self.is_ready = True
            log.info("serving %s", self._zones.cluster)
            await stop.wait()
            self.is_ready = False
            await asyncio.sleep(LEAVE_SECONDS)

    async def _tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Questions and responses, each after its length in two octets (RFC 7766)."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    response = self.answers.over_tcp(await reader.readexactly(length))
                if response is None:
                    break
                writer.write(len(response).to_bytes(2, "big") + response)
                await writer.drain()
        writer.close()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError, TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ", 2)[1]
            if path not in (b"/health", b"/ready"):
                status = "404 Not Found"
            elif path == b"/ready" and not self.is_ready:
                status = "503 Service Unavailable"
            else:
                status = "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, dns: ClusterDns) -> None:
        self._dns = dns

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (response := self._dns.answers.over_udp(data)) is not None:
            self._transport.sendto(response, addr)


def zones_in(corefile: str) -> Zones:
    """The cluster's domain from the `kubernetes` line of a Corefile, else the default."""
    found = re.search(r"^\s*kubernetes\s+([a-z0-9][a-z0-9.-]*)", corefile, re.MULTILINE)
    return Zones(found[1]) if found else Zones()


async def run(api: Api, zones: Zones, listen: Listen) -> None:
    """Follow `api` and serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    dns = ClusterDns(zones, listen)
    follow(api, dns)
    await dns.serve(stop)


def follow(api: Api, dns: ClusterDns) -> None:
    """Let `dns` take in what becomes of Services and Endpoints, in the running loop."""
    loop = asyncio.get_running_loop()

    def deliver(kind: str, changes: Sequence[Change]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, as will the process
            loop.call_soon_threadsafe(dns.take, kind, changes)

    for kind in KINDS:
        follow_in_thread(api, f"/api/v1/{kind}", functools.partial(deliver, kind))


def _listener(host: str, port: int) -> socket.socket:
    if ":" not in host:
        return socket.create_server((host, port))
    return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def main(arguments: Sequence[str]) -> int:
    """Serve the cluster's names; `-conf COREFILE` names the zone."""
    zones = Zones()
    match arguments:
        case ["-conf", corefile]:
            zones = zones_in(Path(corefile).read_text(encoding="utf-8"))
    host = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104  that is its purpose
    asyncio.run(run(Api.from_environment(), zones, Listen(host)))
    return 0
