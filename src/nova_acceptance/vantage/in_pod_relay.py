"""Run inside a pod: carries connections from its standard input to addresses the pod can reach.

Its text is passed to `python3` in a container, so it needs nothing but Python 3.8 and its
standard library. Whoever started it opens connections by frames on standard input and output, so a
client library in the runner talks to a Service exactly as an application in this pod does: the
pod's resolver, the Service's address, the cluster's network.

It reads one line of JSON from standard input, `patience` in seconds, and writes a frame `ALIVE`
once it listens; frames before that are lost. A frame is its kind (1 byte), the number of what it is
about (4 bytes), the length of its body (4 bytes) and the body, numbers in network order:

    FIND n ["host", port]   does it resolve? FOUND n answers: empty, or why not
    OPEN n ["host", port]   begin connection n, which is not 0
    DATA n bytes            either way
    END n                   either way: no more bytes will come; the other direction stays open
    RESET n                 either way: the connection is no more
    ALIVE n                 answered by the same
    ASK n {"agent": …, "questions": […]}
                            what a list of questions is answered by the text of `in_pod_agent`; TOLD
                            n has some of its lines, and is empty once all are answered
    END 0                   the relay is not wanted any more

A host is resolved anew for every connection; where no answer comes, the addresses before still
count, so that a lost packet of the DNS is no answer about a port. The relay ends with its standard
input, and where nothing has come for `patience`, so it cannot outlive whoever started it.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import struct
import sys
import threading
import time
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:  # of no use in a pod, where it takes time to load
    from collections.abc import Callable
    from typing import Any

FIND, FOUND, OPEN, DATA, END, RESET, ALIVE, ASK, TOLD = range(9)
HEAD = struct.Struct(">BII")

CONNECT = 3.0
# A resolver asks again, five seconds later, for a packet that was lost (resolv.conf(5), timeout).
LOOKUP = 6.0
# Where an address is known from before, it is not waited for that long.
AGAIN = 1.0
CHUNK = 65536
# Targets are not read from while this much is still to be written to the runner.
ENOUGH = 1 << 20
# A peer that is gone without a word is noticed after about three seconds.
KEEPALIVE = (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2))
USER_TIMEOUT_MS = 3000
INPUT, OUTPUT = 0, 1
IN, OUT = select.POLLIN, select.POLLOUT


def frame(kind: int, number: int, body: bytes = b"") -> bytes:
    """Return one frame."""
    return HEAD.pack(kind, number, len(body)) + body


class Frames:
    """Frames out of bytes that come in pieces."""

    def __init__(self) -> None:
        self.received = bytearray()

    def take(self, data: bytes) -> Any:
        """Return what has become whole: kind, number and body of each."""
        self.received += data
        whole = []
        while len(self.received) >= HEAD.size:
            kind, number, length = HEAD.unpack_from(self.received)
            end = HEAD.size + length
            if len(self.received) < end:
                break
            whole.append((kind, number, bytes(self.received[HEAD.size : end])))
            del self.received[:end]
        return whole


class Stream:
    """One end of a connection: a socket, and what is still to be written to it."""

    def __init__(self, connection: Any = None) -> None:
        self.socket = connection
        self.out = bytearray()
        self.is_ending = False
        self.has_ended = False
        self.has_said_all = False

    @property
    def is_over(self) -> bool:
        """Whether both directions have ended."""
        return self.has_said_all and self.has_ended

    def events(self, is_full: bool) -> int:
        """Return what is waited for at its socket."""
        reads = 0 if is_full or self.has_said_all else IN
        return reads | (OUT if self.out or (self.is_ending and not self.has_ended) else 0)

    def obey(self, kind: int, body: bytes) -> None:
        """Take bytes to be written, or that there are no more."""
        self.out += body
        self.is_ending = kind == END

    def carry(self, number: int, events: int, say: Callable[..., object]) -> None:
        """Read and write what can be read and written now."""
        try:
            if events & ~OUT:
                if self.has_said_all:
                    raise ConnectionResetError  # nothing else can come after the end
                data = self.socket.recv(CHUNK)
                self.has_said_all = not data
                say(DATA if data else END, number, data)
            while self.out:
                del self.out[: self.socket.send(self.out[:CHUNK])]
            if self.is_ending and not self.has_ended:
                self.has_ended = True
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass


def connecting(address: str, port: int) -> Any:
    """Return a socket that is on its way to an address; its peer is noticed where it vanishes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    if made.connect_ex((address, port)) not in (0, errno.EINPROGRESS):
        made.close()
        return None
    return made


class Lookup:
    """The addresses of a host; one that hangs holds nothing up, not even the end."""

    def __init__(
        self, number: int, target: Any, known: Any, wake: Callable[[], object], is_asked: bool
    ) -> None:
        self.number = number
        self.target = target
        self.is_asked = is_asked
        self.known = known
        self.why = "timeout"
        self.is_denied = False
        self.is_done = False
        self.until = time.monotonic() + (AGAIN if known else LOOKUP)
        threading.Thread(target=self.work, args=(wake,), daemon=True).start()

    def work(self, wake: Callable[[], object]) -> None:
        """Ask the resolver, in a thread of its own."""
        try:
            host, port = self.target
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self.known = [str(entry[4][0]) for entry in entries]
            self.why = ""
        except OSError as error:
            names = {value: name for name, value in vars(socket).items() if name[:4] == "EAI_"}
            self.why = names.get(error.errno, str(error))
            self.is_denied = error.errno == socket.EAI_NONAME
        self.is_done = True
        wake()

    def found(self) -> Any:
        """Return where the host is: what is said now, or what was said last."""
        return [] if self.is_denied else self.known


class Outward(Stream):
    """A connection to a target."""

    def __init__(self) -> None:
        super().__init__()
        self.others: Any = []
        self.port = 0
        self.until = 0.0
        self.is_open = False

    @property
    def is_connecting(self) -> bool:
        """Whether its target has not taken it yet."""
        return bool(self.socket) and not self.is_open

    def events(self, is_full: bool) -> int:
        """Return what is waited for at its socket."""
        return super().events(is_full) if self.is_open else OUT

    def try_next(self) -> None:
        """Begin to connect to the next of its addresses."""
        self.close()
        self.socket = None
        while not self.socket:
            if not self.others:
                raise ConnectionRefusedError
            self.socket = connecting(self.others.pop(0), self.port)

    def carry(self, number: int, events: int, say: Callable[..., object]) -> None:
        """Go on, once it is connected."""
        if self.is_connecting:
            if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.try_next()
                return
            self.is_open = True
        super().carry(number, events, say)

    def close(self) -> None:
        """Close its socket, where it has one."""
        if self.socket:
            self.socket.close()


class Relay:
    """Every connection of one relay."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.frames = Frames()
        self.out = bytearray()
        self.streams: Any = {}
        self.lookups: Any = []
        self.told: Any = []
        self.known: Any = {}
        self.at: Any = {}
        self.woken, self.waker = os.pipe()

    def serve(self) -> None:
        """Carry until standard input ends, or nothing has come from there for too long."""
        os.set_blocking(OUTPUT, False)
        self.say(ALIVE, 0)
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            for descriptor, events in self.waited(until):
                if descriptor == INPUT:
                    data = os.read(INPUT, CHUNK)
                    if not data:
                        return
                    until = time.monotonic() + self.patience
                    for kind, about, body in self.frames.take(data):
                        if (kind, about) == (END, 0):
                            return
                        self.obey(kind, about, body)
                elif descriptor == self.woken:
                    os.read(self.woken, CHUNK)
                elif self.at.get(descriptor) in self.streams:
                    number = self.at[descriptor]
                    stream = self.streams[number]
                    self.move(number, partial(stream.carry, number, events, self.say))
            self.look()
            self.flush()

    def wake(self) -> None:
        """Have the loop look up: a thread has found something."""
        os.write(self.waker, b"!")

    def waited(self, until: float) -> Any:
        """Return what is ready, once something is."""
        poll = select.poll()
        poll.register(INPUT, IN)
        poll.register(self.woken, IN)
        if self.out:
            poll.register(OUTPUT, OUT)
        self.at = {}
        for number, stream in self.streams.items():
            if stream.socket:
                self.at[stream.socket.fileno()] = number
                poll.register(stream.socket, stream.events(len(self.out) > ENOUGH))
        moments = [it.until for it in self.lookups]
        moments += [it.until for it in self.streams.values() if it.is_connecting]
        wait = min([until, *moments]) - time.monotonic()
        return poll.poll(max(0.0, wait) * 1000 + 1)

    def say(self, kind: int, number: int, body: bytes = b"") -> None:
        """Put a frame among what is to be written."""
        self.out += frame(kind, number, body)

    def flush(self) -> None:
        """Write what is taken."""
        try:
            while self.out:
                del self.out[: os.write(OUTPUT, self.out[:CHUNK])]
        except BlockingIOError:
            pass

    def obey(self, kind: int, number: int, body: bytes) -> None:
        """Do what one frame says."""
        if kind == ALIVE:
            self.say(ALIVE, number)
        elif kind == ASK:
            threading.Thread(target=self.ask, args=(number, json.loads(body)), daemon=True).start()
        elif kind in (FIND, OPEN):
            if kind == OPEN:
                self.streams[number] = Outward()
            target = tuple(json.loads(body))
            known = self.known.get(target)
            self.lookups.append(Lookup(number, target, known, self.wake, kind == FIND))
        elif kind == RESET:
            self.forget(number)
        elif number in self.streams:
            self.streams[number].obey(kind, body)

    def ask(self, number: int, asked: Any) -> None:
        """Answer questions, in a thread of its own."""
        agent: Any = {"__name__": "agent"}
        try:
            exec(asked["agent"], agent)  # noqa: S102 - ours, as this is
            for batch in agent["answer_all"](asked["questions"]):
                lines = "".join(json.dumps(each) + "\n" for each in batch)
                self.tell(number, lines.encode())
        finally:
            self.tell(number, b"")

    def tell(self, number: int, body: bytes) -> None:
        """Have the loop say what a thread has found."""
        self.told.append((number, body))
        self.wake()

    def look(self) -> None:
        """Go on with what was looked up and answered, and give up what has taken too long."""
        while self.told:
            self.say(TOLD, *self.told.pop(0))
        now = time.monotonic()
        for lookup in [it for it in self.lookups if it.is_done or it.until <= now]:
            self.lookups.remove(lookup)
            addresses = lookup.found()
            if addresses:
                self.known[lookup.target] = addresses
            if lookup.is_asked:
                self.say(FOUND, lookup.number, b"" if addresses else lookup.why.encode())
            elif lookup.number in self.streams:
                self.begin(lookup.number, addresses, lookup.target[1])
        streams = self.streams.items()
        late = [number for number, it in streams if it.is_connecting and it.until <= now]
        for number in late:
            self.lose(number)

    def begin(self, number: int, addresses: Any, port: int) -> None:
        """Connect to the first of some addresses that takes it."""
        stream = self.streams[number]
        stream.others, stream.port = list(addresses), port
        stream.until = time.monotonic() + CONNECT
        self.move(number, stream.try_next)

    def move(self, number: int, how: Callable[[], object]) -> None:
        """Go on with a connection; one that breaks is broken on the other side."""
        try:
            how()
        except OSError:
            self.lose(number)
            return
        if self.streams[number].is_over:
            self.forget(number)

    def lose(self, number: int) -> None:
        """Tell that a connection is no more."""
        self.say(RESET, number)
        self.forget(number)

    def forget(self, number: int) -> None:
        """Close a connection."""
        if number in self.streams:
            self.streams.pop(number).close()


if __name__ == "__main__":
    Relay(**json.loads(sys.stdin.readline())).serve()
    os._exit(0)  # a lookup that hangs is not waited for
