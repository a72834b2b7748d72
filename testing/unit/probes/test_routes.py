"""The relay, run as it is in a pod, and the ports of this machine that lead through it."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import select
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.findings import FindingError
from nova_acceptance.kube import ApiUnreachableError, ExecResult, PodRef, is_api_away
from nova_acceptance.vantage.relay import Relay
from nova_acceptance.vantage.routes import Routes
from testing.unit.kube.scripted_api import reserved_port
from testing.unit.probes.places import OwnContainers, at
from testing.unit.waiting import SOON, wait_until

HERE = "127.0.0.1"
POD = PodRef("here", "pod-0")


class InProcess:
    """A program of the pod's that is a process of this machine."""

    has_buffered = False

    def __init__(self, argv: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        self._input, self._output = self.process.stdin, self.process.stdout
        self.is_silent = False

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._input.close()
        self.process.wait(SOON)

    def fileno(self) -> int:
        return self._output.fileno()

    def send(self, data: bytes) -> None:
        if self.is_silent:
            return
        try:
            self._input.write(data)
        except BrokenPipeError as error:
            raise ProbeError("cut") from error

    def receive(self, deadline: float) -> bytes | None:
        assert deadline > time.monotonic()
        return os.read(self._output.fileno(), 65536) or None

    def result(self) -> ExecResult:
        status = self.process.wait(SOON)
        if status < 0:
            raise ProbeError("the connection closed without an exit status")
        return ExecResult("", "", status, 0.0)


class Here:
    """A stand-in for the API: the pod is this machine.

    Attributes:
        is_away: whether it refuses what it is asked.
        refusals: how often it has.
        most_refusals: how often it does, before it is back.
    """

    server = "https://here"
    is_read_only = False
    outages = ()

    def __init__(self) -> None:
        self.begun: list[InProcess] = []
        self.is_away = False
        self.refusals = 0
        self.most_refusals = math.inf

    def answers(self) -> bool:
        return not self.is_away

    def is_passing(self, error: BaseException) -> bool:
        return is_api_away(error)

    def begin(
        self,
        _pod: PodRef,
        argv: Sequence[str],
        *,
        container: str,  # noqa: ARG002
        timeout: float,  # noqa: ARG002
    ) -> InProcess:
        if self.is_away:
            self.refusals += 1
            self.is_away = self.refusals < self.most_refusals
            raise ApiUnreachableError("exec", self.server, ConnectionRefusedError())
        self.begun.append(InProcess(argv))
        return self.begun[-1]


@pytest.fixture
def here() -> Iterator[Any]:
    opened = Here()
    yield opened
    for each in opened.begun:
        each.process.kill()
        each.process.wait()


class Echo(socketserver.BaseRequestHandler):
    """Says what it hears."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    """Every connection has a thread of its own."""

    daemon_threads = True


@pytest.fixture
def echo() -> Iterator[int]:
    with EchoServer((HERE, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def exchanged(port: int, data: bytes) -> bytes:
    with socket.create_connection((HERE, port), SOON) as connection:

        def send() -> None:
            with contextlib.suppress(OSError):  # nobody may be there, which the answer shows
                connection.sendall(data)

        threading.Thread(target=send, daemon=True).start()
        received = b""
        while len(received) < len(data):
            part = connection.recv(65536)
            if not part:
                break
            received += part
        return received


def test_relay_carries_both_ways(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, "localhost", echo)

        assert route.source == "here/pod-0"
        assert route.target == f"localhost:{echo}"
        assert exchanged(route.port, b"ping") == b"ping"
        assert exchanged(route.port, bytes(1_000_000)) == bytes(1_000_000)


def test_limit_of_open_files_is_raised_as_far_as_it_may_be(here: Any) -> None:
    before = _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        Routes(OwnContainers(here))

        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_relay_opens_each_way_once(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        first = routes.through(POD, HERE, echo)

        assert routes.through(POD, HERE, echo) is first
        assert routes.through(POD, "localhost", echo) != first
        assert len(here.begun) == 1


def test_relays_of_several_pods_start_side_by_side(here: Any, echo: int) -> None:
    together = threading.Barrier(2)
    begin = here.begin

    def begin_together(*arguments: Any, **more: Any) -> InProcess:
        together.wait(SOON)
        found: InProcess = begin(*arguments, **more)
        return found

    here.begin = begin_together
    pods = POD, PodRef("here", "pod-1")
    with Routes(OwnContainers(here)) as routes, ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda pod: routes.through(pod, HERE, echo), pods))

        assert [exchanged(each.port, b"ping") for each in opened] == [b"ping", b"ping"]


def test_connections_of_a_relay_hold_each_other_up_in_nothing(here: Any, echo: int) -> None:
    size = 3_000_000
    with Routes(OwnContainers(here)) as routes:
        port = routes.through(POD, HERE, echo).port
        with socket.create_connection((HERE, port), SOON) as idle, ThreadPoolExecutor(4) as pool:
            idle.sendall(b"first")
            wait_until(lambda: bool(select.select([idle], [], [], 0)[0]))
            each = list(pool.map(lambda _: exchanged(port, bytes(size)), range(4)))

            assert [len(it) for it in each] == [size] * 4
            assert idle.recv(9) == b"first"


@contextlib.contextmanager
def carried(here: Any) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a connection that a relay carries: the client's and the server's."""
    with socket.create_server((HERE, 0)) as listener, Routes(OwnContainers(here)) as routes:
        port = routes.through(POD, HERE, listener.getsockname()[1]).port
        listener.settimeout(SOON)
        with socket.create_connection((HERE, port), SOON) as client:
            server, _ = listener.accept()
            server.settimeout(SOON)
            with server:
                yield client, server


def test_end_of_what_a_client_says_is_passed_on(here: Any) -> None:
    with carried(here) as (client, server):
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert server.recv(99) == b"question"
        assert server.recv(99) == b""
        server.sendall(b"answer")
        server.close()
        assert client.recv(99) == b"answer"
        assert client.recv(99) == b""


def test_reset_is_passed_on(here: Any) -> None:
    with carried(here) as (client, server):
        client.sendall(b"question")
        assert server.recv(99) == b"question"
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_last_words_come_before_the_end(here: Any) -> None:
    with carried(here) as (client, server):
        server.sendall(b"one client too many")
        server.close()
        assert client.recv(99) == b"one client too many"


def test_place_that_is_lost_is_told_of_and_ends_no_relay(here: Any, echo: int) -> None:
    places = OwnContainers(here)
    with Routes(places) as routes:
        route = routes.through(POD, HERE, echo)
        end_relay(here, routes)
        begin = places.begin
        places.begin = refusing  # type: ignore[method-assign]
        with pytest.raises(UnaskedError, match="no right to it"):
            routes.through(POD, "localhost", echo)
        places.begin = begin  # type: ignore[method-assign]

        assert exchanged(route.port, b"again") == b"again"


def refusing(*_: object, **__: object) -> Any:
    raise UnaskedError("no right to it")


def test_refusal_resets_the_connection(here: Any) -> None:
    with reserved_port() as closed, Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, HERE, closed)
        began = time.monotonic()
        with (
            pytest.raises(ConnectionResetError),
            socket.create_connection((HERE, route.port), SOON) as connection,
        ):
            connection.recv(1)

        assert route.fault_since(began) is None


def test_host_that_does_not_resolve_is_told_of(here: Any) -> None:
    with (
        Routes(OwnContainers(here)) as routes,
        pytest.raises(FindingError, match=r"cannot resolve nowhere\.invalid"),
    ):
        routes.through(POD, "nowhere.invalid", 80)


def test_relay_ends_with_its_routes(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        routes.through(POD, HERE, echo)

    assert here.begun[0].process.poll() == 0


def test_relay_that_has_ended_is_told_as_such_at_once(here: Any, echo: int) -> None:
    relay = Relay(OwnContainers(here), at(POD))
    relay.find(HERE, echo)
    relay.close()

    with pytest.raises(ProbeError, match="the relay in pod here/pod-0 is gone"):
        relay.find(HERE, echo)
    assert len(here.begun) == 1


def test_question_that_is_open_at_the_end_is_told_so_at_once(here: Any, echo: int) -> None:
    relay = Relay(OwnContainers(here), at(POD))
    relay.find(HERE, echo)
    here.begun[0].is_silent = True
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(relay.find, HERE, echo)
        wait_until(lambda: bool(relay._session and relay._session._asked))
        here.begun[0].process.kill()
        relay.close()
        with pytest.raises(ProbeError):
            asked.result(SOON)


def test_relay_ends_with_its_standard_input(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        routes.through(POD, HERE, echo)
        here.begun[0]._input.close()

        wait_until(lambda: here.begun[0].process.poll() == 0)


def test_relay_that_hears_nothing_ends_by_itself(
    here: Any, echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "RELAY_ALONE", 0.2)
    with Routes(OwnContainers(here)) as routes:
        routes.through(POD, HERE, echo)

        wait_until(lambda: here.begun[0].process.poll() == 0)


def test_relay_that_is_wanted_lives_on(
    here: Any, echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "RELAY_ALONE", 0.4)
    monkeypatch.setattr("nova_acceptance.vantage.relay_session.BEAT", 0.05)
    with Routes(OwnContainers(here)) as routes:
        port = routes.through(POD, HERE, echo).port
        time.sleep(0.8)

        assert exchanged(port, b"still here") == b"still here"
        assert len(here.begun) == 1


def test_relay_that_is_lost_is_a_fault_of_the_way(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, HERE, echo)
        began = time.monotonic()
        assert route.fault_since(began) is None
        with socket.create_connection((HERE, route.port), SOON) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            here.begun[0].process.kill()
            with pytest.raises(ConnectionResetError):
                client.recv(1)

        fault = route.fault_since(began)
        assert fault
        assert not fault.is_away
        assert route.fault_since(time.monotonic()) is None


def test_relay_that_does_not_answer_is_a_fault_of_the_way(
    here: Any, echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "CONNECT", 0.2)
    with Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, HERE, echo)
        here.begun[0].is_silent = True
        fault = route.fault_since(time.monotonic())

        assert fault
        assert not fault.is_away
        assert exchanged(route.port, b"anew") == b"anew"
        assert len(here.begun) == 2


def test_ended_relay_is_replaced_behind_the_same_port(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, HERE, echo)
        end_relay(here, routes)

        assert exchanged(route.port, b"again") == b"again"
        assert routes.through(POD, HERE, echo) is route
        assert len(here.begun) == 2


def test_way_is_opened_once_the_api_is_back(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, HERE, echo)
        end_relay(here, routes)
        here.is_away = True
        with contextlib.suppress(ConnectionResetError):
            assert exchanged(route.port, b"lost") == b""
        here.is_away = False

        assert exchanged(route.port, b"back") == b"back"


def test_way_is_waited_for_while_the_api_is_away(here: Any, echo: int) -> None:
    here.is_away, here.most_refusals = True, 2
    with Routes(OwnContainers(here)) as routes:
        assert exchanged(routes.through(POD, HERE, echo).port, b"late") == b"late"

    assert here.refusals == 2


def test_api_that_stays_away_is_told_as_such(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", 0.5)
    here.is_away = True
    with (
        Routes(OwnContainers(here)) as routes,
        pytest.raises(ApiUnreachableError, match="https://here"),
    ):
        routes.through(POD, HERE, 1)


def end_relay(here: Any, routes: Routes) -> None:
    here.begun[0].process.kill()
    wait_until(lambda: not routes._relays[POD].is_running)


class Hanging(Here):
    """An API that answers, but for the first requests for an exec, which hang."""

    outages: Any = ("an outage a moment ago",)

    def __init__(self, hanging: int) -> None:
        super().__init__()
        self.asked = 0
        self._hanging = hanging

    def begin(self, *arguments: Any, **options: Any) -> InProcess:
        self.asked += 1
        if self.asked > self._hanging:
            return super().begin(*arguments, **options)
        hung = ApiUnreachableError("exec", self.server, TimeoutError())
        hung.is_away = False
        raise ProbeError("`python3` could not be run to its end") from hung


def test_one_request_that_hangs_after_an_outage_is_sent_again(echo: int) -> None:
    here: Any = Hanging(1)
    with Routes(OwnContainers(here)) as routes:
        assert exchanged(routes.through(POD, HERE, echo).port, b"late") == b"late"

    assert here.asked == 2


@pytest.mark.parametrize(("outages", "asked"), [(("an outage",), 2), ((), 1)])
def test_requests_that_keep_hanging_are_told_of_the_pod(
    outages: tuple[str, ...], asked: int
) -> None:
    here: Any = Hanging(9)
    here.outages = outages
    with Routes(OwnContainers(here)) as routes, pytest.raises(ProbeError, match="could not be run"):
        routes.through(POD, HERE, 1)

    assert here.asked == asked


def test_relay_that_does_not_begin_in_time_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nova_acceptance.vantage.relay.LOOKUP", 0.1)
    monkeypatch.setattr(timeouts, "RELAY_START", 0.1)
    go_on = threading.Event()

    class Slow(Here):
        def begin(self, *_: Any, **__: Any) -> InProcess:
            go_on.wait(SOON)
            raise ProbeError("too late")

    slow: Any = Slow()
    with Routes(OwnContainers(slow)) as routes:
        with pytest.raises(ProbeError, match="is gone"):
            routes.through(POD, HERE, 1)
        go_on.set()
