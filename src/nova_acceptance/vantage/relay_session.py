"""One run of the relay's program in a pod, and everything that goes through it.

It belongs to the thread of its `relay.Relay`, and knows nothing of ports or of how it is begun.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, NovaError, ProbeError
from nova_acceptance.kube import Running
from nova_acceptance.vantage.in_pod_relay import (
    ALIVE,
    ASK,
    END,
    ENOUGH,
    FOUND,
    OPEN,
    RESET,
    TOLD,
    Frames,
    Stream,
    frame,
)

Told = SimpleQueue[str | NovaError]
"""Where answers come piece by piece, or why no more will."""
Waiting = Future[str] | Told
"""Who waits for an answer."""

BEAT = 10.0
"""Seconds after which the program is told that it is still wanted."""
_RESET: bytes = struct.pack("ii", 1, 0)


class Session:
    """What goes through one exec: connections, and questions that wait for their answers.

    Args:
        running: the program, which has said that it listens.
        gone: returns how it is told that the program has ended.
    """

    def __init__(self, running: Running, gone: Callable[[], NovaError]) -> None:
        self._running = running
        self._gone = gone
        self._frames = Frames()
        self._streams: dict[int, Stream] = {}
        self._asked: dict[int, Future[str]] = {}
        self._told: dict[int, Told] = {}
        self._out = bytearray()
        self._beat = time.monotonic()
        self._number = 0

    def ask(self, answer: Future[str], kind: int, body: bytes) -> None:
        """Ask the program something, whose answer is given to `answer`."""
        self._number += 1
        self._asked[self._number] = answer
        self._say(kind, self._number, body)

    def question(self, told: Told, body: bytes) -> None:
        """Ask the program what `in_pod_agent` answers, piece by piece; the last one is empty."""
        self._number += 1
        self._told[self._number] = told
        self._say(ASK, self._number, body)

    def waits_for(self, answer: Waiting) -> bool:
        """Whether something was asked here and is not answered to its end."""
        return answer in self._asked.values() or answer in self._told.values()

    def open(self, connection: socket.socket, host: str, port: int) -> None:
        """Carry a connection of this machine on to `host:port`."""
        connection.setblocking(False)
        # An answer that comes in two pieces must not wait for the client's word of the first.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number += 1
        self._streams[self._number] = Stream(connection)
        self._say(OPEN, self._number, json.dumps([host, port]).encode())

    def wait_at(self, poll: select.poll) -> list[tuple[int, int]]:
        """Return what is ready at a poll, once anything is: what else it waits for included."""
        poll.register(self._running, select.POLLIN)
        for stream in self._streams.values():
            if events := stream.events(is_full=len(self._out) > ENOUGH):
                poll.register(stream.socket, events)
        if self._running.has_buffered:
            return [*poll.poll(0), (self._running.fileno(), select.POLLIN)]
        return poll.poll(BEAT * 1000)

    def move(self, descriptor: int, events: int) -> None:
        """Do what can be done at a descriptor that is ready; nothing where it is another's.

        Raises:
            ProbeError: the program has ended, or the way to it is cut.
            ClusterError: the API is away.
        """
        if descriptor == self._running.fileno():
            self._receive()
            return
        for number, stream in list(self._streams.items()):
            if stream.socket.fileno() == descriptor:
                self._carry(number, events)

    def flush(self) -> None:
        """Send what is to be sent; after a while of silence that the program is still wanted.

        Raises:
            ProbeError: the way to the program is cut.
            ClusterError: the API is away.
        """
        if time.monotonic() - self._beat > BEAT:
            self._say(ALIVE, 0)
        if self._out:
            self._running.send(bytes(self._out))
            self._out.clear()
            self._beat = time.monotonic()

    def end(self) -> None:
        """Tell the program that it is not wanted any more, and wait until it has ended."""
        with suppress(ProbeError, ClusterError):
            self._say(END, 0)
            self.flush()
            deadline = time.monotonic() + timeouts.RELAY_ENDS
            while self._running.receive(deadline) is not None:
                pass

    def close(self, error: NovaError) -> None:
        """Let go of the program, and of everything that goes through it, for some reason."""
        self._running.__exit__()
        for answer in self._asked.values():
            settle(answer, error)
        for told in self._told.values():
            told.put(error)
        for stream in self._streams.values():
            reset(stream.socket)

    def _say(self, kind: int, number: int, body: bytes = b"") -> None:
        """Put a frame among what is to be sent."""
        self._out += frame(kind, number, body)

    def _receive(self) -> None:
        said = self._running.receive(time.monotonic() + timeouts.PORT_FORWARD)
        if said is None:
            self._running.result()  # without a status, the way there was cut
            raise self._gone()
        for kind, number, body in self._frames.take(said):
            if kind in (FOUND, ALIVE):
                if answer := self._asked.pop(number, None):
                    settle(answer, body.decode())
            elif kind == TOLD:
                told = self._told[number] if body else self._told.pop(number)
                told.put(body.decode())
            elif number in self._streams:
                if kind == RESET:
                    reset(self._streams.pop(number).socket)
                else:
                    self._streams[number].obey(kind, body)
                    self._carry(number, 0)

    def _carry(self, number: int, events: int) -> None:
        stream = self._streams[number]
        try:
            stream.carry(number, events, self._say)
        except OSError:  # the client is gone, which is no error of the target's
            self._say(RESET, number)
        else:
            if not stream.is_over:
                return
        self._streams.pop(number).socket.close()


def settle(answer: Future[str], found: str | Exception) -> None:
    """Give an answer to whoever still waits for it."""
    with suppress(InvalidStateError):
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)


def reset(connection: socket.socket) -> None:
    """Break a connection, as its target would have."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
