"""The relay, run as it is in a pod, with a port-forward to the loopback in front of it."""

from __future__ import annotations

import contextlib
import math
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import NovaError, ProbeError
from nova_acceptance.kube import Again, ApiUnreachableError, ExecResult, PodRef
from nova_acceptance.vantage.routes import Relay, Routes
from testing.unit.kube.scripted_api import reserved_port
from testing.unit.probes.places import OwnContainers, at
from testing.unit.waiting import SOON, wait_until

HERE = "127.0.0.1"
POD = PodRef("here", "pod-0")


class Forwarded(contextlib.AbstractContextManager[int]):
    """A forward that the API does not refuse."""

    refusal = None

    def __init__(self, inner: contextlib.AbstractContextManager[int]) -> None:
        self._inner = inner

    def __enter__(self) -> int:
        return self._inner.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)


class Here:
    """A stand-in for the API: the pod is this machine, and a forward leads to its loopback.

    Attributes:
        is_away: whether it refuses what it is asked.
        refusals: how often it has.
        most_refusals: how often it does, before it is back.
    """

    server = "https://here"
    is_read_only = False
    outages = ()

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []
        self.is_away = False
        self.refusals = 0
        self.most_refusals = math.inf
        self.is_heard = True

    def answers(self) -> bool:
        return not self.is_away

    def exec(
        self,
        _pod: PodRef,
        argv: Sequence[str],
        *,
        container: str,  # noqa: ARG002
        stdin: str = "",
        timeout: float = 0,
        again: Again = Again.NEVER,
        is_asking: bool = False,
        heard: Callable[[str], object],
    ) -> ExecResult:
        assert is_asking, "a relay changes nothing"
        assert again is Again.NEVER, "a relay that begins later than it is waited for is lost"
        if self.is_away:
            self.refusals += 1
            self.is_away = self.refusals < self.most_refusals
            raise ApiUnreachableError("exec", self.server, ConnectionRefusedError())
        process = subprocess.Popen(
            [sys.executable, *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        assert process.stdin
        assert process.stdout
        process.stdin.write(stdin)
        process.stdin.flush()
        if self.is_heard:
            heard(process.stdout.readline().rstrip("\n"))
        stdout, stderr = process.communicate(timeout=timeout)
        return ExecResult(stdout, stderr, process.returncode, 0.0)

    def forward(self, _pod: PodRef, port: int | Callable[[], int]) -> Forwarded:
        return Forwarded(self._forwarded(port))

    @contextlib.contextmanager
    def _forwarded(self, port: int | Callable[[], int]) -> Iterator[int]:
        with socket.create_server((HERE, 0)) as listener:
            threading.Thread(target=self._serve, args=(listener, port), daemon=True).start()
            try:
                yield listener.getsockname()[1]
            finally:
                listener.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket, port: int | Callable[[], int]) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near, port), daemon=True).start()

    def _carry(self, near: socket.socket, port: int | Callable[[], int]) -> None:
        with near, contextlib.suppress(OSError, NovaError):
            if self.is_away:
                return
            inside = port if isinstance(port, int) else port()
            with socket.create_connection((HERE, inside), SOON) as far:
                far.settimeout(None)
                threading.Thread(target=pump, args=(near, far), daemon=True).start()
                pump(far, near)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def here() -> Iterator[Any]:
    opened = Here()
    yield opened
    for process in opened.processes:
        process.kill()
        process.wait()


@pytest.fixture
def echo() -> Iterator[int]:
    with socket.create_server((HERE, 0)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    while data := connection.recv(65536):
                        connection.sendall(data)

        threading.Thread(target=run, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


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


def test_relay_opens_each_way_once(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        first = routes.through(POD, HERE, echo)

        assert routes.through(POD, HERE, echo) is first
        assert routes.through(POD, "localhost", echo) != first
        assert len(here.processes) == 1


def test_relays_of_several_pods_start_side_by_side(here: Any, echo: int) -> None:
    together = threading.Barrier(2)
    run = here.exec

    def exec_(*arguments: Any, **more: Any) -> ExecResult:
        together.wait(SOON)
        found: ExecResult = run(*arguments, **more)
        return found

    here.exec = exec_
    pods = POD, PodRef("here", "pod-1")
    with Routes(OwnContainers(here)) as routes, ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda pod: routes.through(pod, HERE, echo), pods))

        assert [exchanged(each.port, b"ping") for each in opened] == [b"ping", b"ping"]


def test_relay_whose_word_is_held_up_is_tried(
    here: Any, echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nova_acceptance.timeouts.RELAY_SPEAKS", 0.05)
    here.is_heard = False

    with Routes(OwnContainers(here)) as opened:
        assert exchanged(opened.through(POD, HERE, echo).port, b"tried") == b"tried"


def test_refusal_closes_the_connection(here: Any) -> None:
    with (
        reserved_port() as closed,
        Relay(OwnContainers(here), at(POD)) as relay,
        socket.create_connection((HERE, relay.inside(HERE, closed)), SOON) as connection,
        contextlib.suppress(ConnectionResetError),
    ):
        assert connection.recv(1) == b""


def test_relay_ends_with_its_context(here: Any) -> None:
    with Relay(OwnContainers(here), at(POD)) as relay:
        assert not relay.has_ended

    assert relay.has_ended
    assert here.processes[0].poll() == 0


def test_relay_ends_when_its_lease_is_cut(here: Any) -> None:
    with Relay(OwnContainers(here), at(POD)) as relay:
        relay._lease.close()

        wait_until(lambda: not relay._running.is_alive())

    assert here.processes[0].poll() == 0


def test_relay_is_lost_with_its_lease_alone(here: Any) -> None:
    with Relay(OwnContainers(here), at(POD)) as relay:
        relay._lease.shutdown(socket.SHUT_RDWR)

        assert relay.has_ended


def test_ended_relay_is_replaced_behind_the_same_port(here: Any, echo: int) -> None:
    with Routes(OwnContainers(here)) as routes:
        route = routes.through(POD, HERE, echo)
        end_relay(here, routes)

        assert exchanged(route.port, b"again") == b"again"
        assert routes.through(POD, HERE, echo) is route
        assert len(here.processes) == 2


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
    here.processes[0].kill()
    wait_until(lambda: routes._relays[POD].has_ended)


class Hanging(Here):
    """An API that answers, but for the first requests for an exec, which hang."""

    outages: Any = ("an outage a moment ago",)

    def __init__(self, hanging: int) -> None:
        super().__init__()
        self.asked = 0
        self._hanging = hanging

    def exec(self, *arguments: Any, **options: Any) -> ExecResult:
        self.asked += 1
        if self.asked > self._hanging:
            return super().exec(*arguments, **options)
        hung = ApiUnreachableError("exec", self.server, TimeoutError())
        hung.is_away = False
        raise ProbeError("`python3` could not be run to its end") from hung


def test_one_request_that_hangs_after_an_outage_is_sent_again(echo: int) -> None:
    here: Any = Hanging(1)
    with Routes(OwnContainers(here)) as routes:
        assert exchanged(routes.through(POD, HERE, echo).port, b"late") == b"late"

    assert here.asked == 2
    here.processes[0].wait(SOON)


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
    monkeypatch.setattr(timeouts, "RELAY_START", 0.3)
    ended = threading.Event()

    class Slow(Here):
        def exec(self, *_: Any, **__: Any) -> ExecResult:
            ended.wait(SOON)
            return ExecResult("", "", 0, 0.0)

    slow: Any = Slow()
    relay = Relay(OwnContainers(slow), at(POD))
    with pytest.raises(ProbeError, match="did not start within"):
        relay.__enter__()
    assert relay._running.is_alive()
    ended.set()
