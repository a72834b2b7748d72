"""The agent, run as it is in a pod, against servers on the loopback."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dns.message
import dns.rrset
import pytest

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Again, ExecResult, PodRef
from nova_acceptance.vantage import in_pod
from nova_acceptance.vantage.agent import ask, ask_everywhere
from nova_acceptance.vantage.questions import (
    Dial,
    Exchange,
    Get,
    Http2,
    Listeners,
    Question,
    Resolve,
    Resolved,
    Resolver,
    Scheme,
)
from testing.unit.kube.scripted_api import reserved_port
from testing.unit.probes.places import OwnContainers
from testing.unit.probes.tls import served
from testing.unit.waiting import SOON, wait_until

HERE = "127.0.0.1"
NOWHERE = "no.such.host.invalid."
POD = PodRef("here", "pod-0")
Serve = Callable[[Callable[[socket.socket], None]], int]


class Here:
    """A stand-in for the API: what is run in a pod is run here."""

    def __init__(self) -> None:
        self.runs = 0

    def exec(
        self,
        _pod: PodRef,
        argv: Sequence[str],
        *,
        container: str,
        stdin: str = "",
        timeout: float = 0,
        again: Again = Again.NEVER,
        is_asking: bool = False,
        heard: Callable[[str], object] | None = None,
    ) -> ExecResult:
        assert is_asking, "a question changes nothing"
        assert (argv[0], container) == ("python3", "main")
        assert again is Again.FREELY, "a question may be asked again whenever it was lost"
        self.runs += 1
        running = subprocess.Popen(
            [sys.executable, *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A machine without a name server that answers must not be waited for.
            env={**os.environ, "RES_OPTIONS": "timeout:1 attempts:1"},
        )
        with running, killed_after(timeout, running):
            assert running.stdin
            assert running.stdout
            assert running.stderr
            running.stdin.write(stdin)
            running.stdin.close()
            lines = []
            for line in running.stdout:
                lines.append(line)
                if heard:
                    heard(line.rstrip("\n"))
            stderr = running.stderr.read()
        return ExecResult("".join(lines), stderr, running.returncode, 0.0)


@contextlib.contextmanager
def killed_after(seconds: float, running: subprocess.Popen[str]) -> Iterator[None]:
    """See that a process ends in time."""
    late = threading.Timer(seconds, running.kill)
    late.start()
    try:
        yield
    finally:
        late.cancel()


@pytest.fixture
def here() -> Any:
    return Here()


@pytest.fixture
def serve() -> Iterator[Serve]:
    listeners = []

    def start(handle: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server((HERE, 0))
        listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    handle(connection)

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


def only(here: Any, question: Question[Any]) -> Any:
    (answer,) = ask(OwnContainers(here), POD, [question])
    return answer


def test_open_port_is_open(here: Any, serve: Serve) -> None:
    started = time.monotonic()
    answer = only(here, Dial(HERE, serve(lambda _: None)))

    assert answer.state == "open"
    assert answer.evidence.source == "here/pod-0"
    assert 0 <= answer.seconds < time.monotonic() - started


def test_closed_port_is_refused(here: Any, closed_port: int) -> None:
    assert only(here, Dial(HERE, closed_port)).state == "refused"


def test_silent_port_times_out(here: Any) -> None:
    # A full backlog answers no further connection.
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection((HERE, port)):
            answer = only(here, Dial(HERE, port, timeout=0.3))

    assert answer.state == "timeout"
    assert answer.seconds >= 0.3


def test_unknown_host_is_unresolved_not_refused(here: Any) -> None:
    answer = only(here, Dial(NOWHERE, 80, timeout=SOON))

    assert answer.state == "unresolved"
    assert answer.detail.startswith("EAI_")


def test_name_resolves_to_its_addresses(here: Any) -> None:
    assert HERE in only(here, Resolve("localhost", timeout=SOON)).addresses


def test_absent_name_has_no_address(here: Any) -> None:
    answer = only(here, Resolve(NOWHERE, timeout=SOON))

    assert (answer.state, answer.addresses) == ("unresolved", frozenset())


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        (b"\r\nnot \xff yet", "not \ufffd yet"),
        (b"Content-Length: 3\r\n\r\nwelcome", "wel"),
        (
            b"Transfer-Encoding: chunked\r\n\r\n4;a=b\r\nwell\r\nA\r\n, it seems\r\n0\r\n\r\n",
            "well, it seems",
        ),
        (b"content-length:0\r\n\r\n", ""),
    ],
)
def test_page_has_its_status_and_body(here: Any, serve: Serve, rest: bytes, body: str) -> None:
    asked = []

    def respond(connection: socket.socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n" + rest)

    port = serve(respond)
    page = only(here, Get(HERE, port, "/health", timeout=SOON))

    assert (page.state, page.status, page.body) == ("answered", 503, body)
    first, *fields = asked[0].decode().split("\r\n")
    assert first == "GET /health HTTP/1.1"
    assert {f"Host: {HERE}:{port}", "Connection: close"} <= set(fields)


def test_page_of_known_length_is_not_waited_for_to_its_end(here: Any, serve: Serve) -> None:
    is_read = threading.Event()

    def respond(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        is_read.wait(SOON)  # one that keeps the connection open all the same

    page = only(here, Get(HERE, serve(respond), "/", timeout=SOON))
    is_read.set()

    assert (page.state, page.body) == ("answered", "ok")


def test_page_comes_after_what_is_provisional(here: Any, serve: Serve) -> None:
    def respond(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 Done\r\n\r\n"
        )

    page = only(here, Get(HERE, serve(respond), "/", timeout=SOON))

    assert (page.state, page.status, page.body) == ("answered", 204, "")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nA: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nwell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwe",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n",
    ],
)
def test_page_that_ends_too_soon_is_cut(here: Any, serve: Serve, said: bytes) -> None:
    def respond(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(said)

    page = only(here, Get(HERE, serve(respond), "/", timeout=SOON))

    assert (page.state, page.status) == ("cut", 0)


@pytest.mark.parametrize(
    "said",
    [
        b"-ERR\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: few\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nall\r\n",
    ],
)
def test_page_that_is_no_http_is_garbled(here: Any, serve: Serve, said: bytes) -> None:
    def respond(connection: socket.socket) -> None:
        connection.recv(4096)  # one that is closed with something unread is reset
        connection.sendall(said)

    page = only(here, Get(HERE, serve(respond), "/", timeout=SOON))

    assert (page.state, page.status) == ("garbled", 0)


@pytest.mark.parametrize(
    ("scheme", "port", "authority"),
    [
        ("http", 80, "web.shop"),
        ("http", 443, "web.shop:443"),
        ("https", 443, "web.shop"),
        ("https", 80, "web.shop:80"),
        ("https", 8443, "web.shop:8443"),
    ],
)
def test_host_has_no_port_that_is_the_usual_one(scheme: Scheme, port: int, authority: str) -> None:
    assert Get("web.shop", port, "/", scheme).as_json()["authority"] == authority


PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_page_over_tls_has_the_certificate_of_whoever_answers(here: Any, tmp_path: Path) -> None:
    with served(tmp_path, "another.example", answer=PAGE) as shown:
        page = only(here, Get("localhost", shown.port, "/health", "https", timeout=SOON))

    assert (page.state, page.status, page.body) == ("answered", 200, "ok")
    assert page.certificate == shown.der
    assert shown.names == ["localhost"]
    (request,) = shown.requests
    assert request.startswith("GET /health HTTP/1.1\r\n")
    assert f"\r\nHost: localhost:{shown.port}\r\n" in request


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no-tls"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "alert"),  # handshake_failure (RFC 8446, section 6)
        (b"", "cut"),
    ],
)
def test_failures_of_tls_are_told_apart(here: Any, serve: Serve, said: bytes, state: str) -> None:
    def respond(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    page = only(here, Get(HERE, serve(respond), "/", "https", timeout=SOON))

    assert (page.state, page.status, page.certificate) == (state, 0, b"")


def test_server_that_wants_a_certificate_itself_alerts(here: Any, tmp_path: Path) -> None:
    with served(tmp_path, "localhost", answer=PAGE, wants_clients=True) as shown:
        page = only(here, Get("localhost", shown.port, "/", "https", timeout=SOON))

    assert page.state == "alert"


def test_server_that_does_not_answer_a_handshake_times_out(here: Any, serve: Serve) -> None:
    is_asked = threading.Event()

    def respond(connection: socket.socket) -> None:
        connection.recv(65536)
        is_asked.wait(SOON)

    page = only(here, Get(HERE, serve(respond), "/", "https", timeout=0.3))
    is_asked.set()

    assert page.state == "timeout"


@pytest.mark.parametrize(
    ("address", "family"),
    [("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET), ("::1", socket.AF_INET6)],  # noqa: S104
)
def test_listeners_are_read_with_their_addresses(
    here: Any, address: str, family: socket.AddressFamily
) -> None:
    try:
        listener = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        port = listener.getsockname()[1]
        during = only(here, Listeners(timeout=SOON))
    after = only(here, Listeners(timeout=SOON))

    assert during.state == "listed"
    assert (address, port) in during.at
    assert (address, port) not in after.at


SETTING = b"\x00\x03\x00\x00\x00\x64"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (b"\x00\x00\x00\x04\x00" + bytes(4), "answered"),
        (b"\x00\x00\x06\x04\x00" + bytes(4) + SETTING, "answered"),
        (b"\x00\x00\x06\x04\x00" + bytes(4) + SETTING[:3], "cut"),
        (b"\x00\x00\x05\x04\x00" + bytes(4) + SETTING[:5], "garbled"),
        # acknowledged before any was sent, on a stream of its own, or something else first
        (b"\x00\x00\x00\x04\x01" + bytes(4), "garbled"),
        (b"\x00\x00\x00\x04\x00" + bytes(3) + b"\x01", "garbled"),
        (b"\x00\x00\x08\x07\x00" + bytes(12), "garbled"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "garbled"),
        (b"", "cut"),
    ],
)
def test_server_of_http2_begins_with_its_settings(
    here: Any, serve: Serve, said: bytes, state: str
) -> None:
    asked = []

    def respond(connection: socket.socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(said)

    answer = only(here, Http2(HERE, serve(respond), timeout=SOON))

    assert answer.state == state
    assert asked == [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00" + bytes(4)]


def test_server_that_waits_for_another_protocol_times_out(here: Any, serve: Serve) -> None:
    is_asked = threading.Event()

    def respond(connection: socket.socket) -> None:
        connection.recv(4096)
        is_asked.wait(SOON)

    answer = only(here, Http2(HERE, serve(respond), timeout=0.3))
    is_asked.set()

    assert answer.state == "timeout"


@pytest.mark.parametrize("tcp", [False, True])
def test_dns_message_comes_back_whole(here: Any, serve: Serve, tcp: bool) -> None:
    def answer_to(wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        response.answer.append(
            dns.rrset.from_text(query.question[0].name, 5, "IN", "A", "10.0.0.7")
        )
        return response.to_wire()

    def over_tcp(connection: socket.socket) -> None:
        size = int.from_bytes(connection.recv(2), "big")
        wire = answer_to(connection.recv(size))
        connection.sendall(len(wire).to_bytes(2, "big") + wire[:5])
        time.sleep(0.05)  # in two pieces, as TCP may have it
        connection.sendall(wire[5:])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        if tcp:
            port = serve(over_tcp)
        else:
            udp.bind((HERE, 0))
            port = udp.getsockname()[1]

            def over_udp() -> None:
                wire, sender = udp.recvfrom(4096)
                udp.sendto(answer_to(wire), sender)

            threading.Thread(target=over_udp, daemon=True).start()
        question = _At("a.example.", "A", tcp, at=port, timeout=SOON)
        exchanged = only(here, question)

    assert exchanged.state == "answered"
    assert exchanged.server == HERE
    assert exchanged.message.answer[0][0].to_text() == "10.0.0.7"
    assert exchanged.evidence.asked.startswith("A a.example. over ")


def test_many_questions_are_asked_at_once(here: Any, serve: Serve) -> None:
    together = threading.Barrier(12)

    def once_all_are_asked(connection: socket.socket) -> None:
        connection.recv(4096)
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(SOON)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

    ports = [serve(once_all_are_asked) for _ in range(12)]

    pages = ask(OwnContainers(here), POD, [Get(HERE, port, "/", timeout=SOON) for port in ports])

    assert [page.status for page in pages] == [200] * 12
    assert here.runs == 1


def test_answers_keep_the_order_of_the_questions(here: Any, serve: Serve, closed_port: int) -> None:
    opened = serve(lambda _: None)
    ports = [opened, closed_port] * 40

    answers = ask(OwnContainers(here), POD, [Dial(HERE, port) for port in ports])

    assert [answer.state for answer in answers] == ["open", "refused"] * 40


def test_question_that_cannot_be_asked_is_no_answer(here: Any) -> None:
    with pytest.raises(ProbeError, match="could not be asked") as caught:
        ask(OwnContainers(here), POD, [_Odd(HERE, 1)])

    assert caught.value.evidence


def test_nothing_is_run_for_no_question(here: Any) -> None:
    assert ask(OwnContainers(here), POD, []) == []
    assert here.runs == 0


def test_pods_are_asked_in_one_run_each(here: Any, closed_port: int) -> None:
    pods = [PodRef("here", f"pod-{number}") for number in range(3)]
    questions = [Dial(HERE, closed_port)] * 5

    answers = ask_everywhere(OwnContainers(here), dict.fromkeys(pods, questions))

    assert here.runs == 3
    assert {pod: len(found) for pod, found in answers.items()} == dict.fromkeys(pods, 5)
    assert answers[pods[1]][0].evidence.source == "here/pod-1"


class Silent:
    """A stand-in for the API whose command succeeds and says nothing of use."""

    def __init__(self, result: ExecResult | ProbeError) -> None:
        self._result = result

    def exec(self, *_: object, **__: object) -> ExecResult:
        if isinstance(self._result, ProbeError):
            raise self._result
        return self._result


@pytest.mark.parametrize("stdout", ["", "[]", "{}", "Traceback", '[{"state": "open"}'])
def test_success_without_answers_is_inconclusive(stdout: str) -> None:
    kube: Any = Silent(ExecResult(stdout, "", 0, 0.1))

    with pytest.raises(ProbeError, match="no list of answers"):
        ask(OwnContainers(kube), POD, [Dial(HERE, 1)])


def test_failed_run_is_no_answer() -> None:
    kube: Any = Silent(ExecResult("", "ValueError: none", 1, 0.1))

    with pytest.raises(ProbeError, match="ended with status 1"):
        ask(OwnContainers(kube), POD, [Dial(HERE, 1)])


def test_command_fits_into_a_request() -> None:
    # It travels in a URL: servers take a request's head of up to 1 MiB, proxies often far less.
    assert len(quote(" ".join([*in_pod.PYTHON, in_pod.LOADER]))) < 200


class Hanging(Here):
    """A stand-in for the API of a pod whose name server never answers."""

    def exec(
        self,
        pod: PodRef,
        argv: Sequence[str],
        *,
        container: str,
        stdin: str = "",
        timeout: float = 0,
        again: Again = Again.NEVER,
        is_asking: bool = False,
        heard: Callable[[str], object] | None = None,
    ) -> ExecResult:
        script, questions = stdin.splitlines()
        hanging = (
            "import socket, time\n"
            "lookup = socket.getaddrinfo\n"
            "def getaddrinfo(host, *more, **named):\n"
            "    if str(host).endswith('.hanging'):\n"
            "        if named.get('flags'): raise socket.gaierror(-2, 'no address')\n"
            "        time.sleep(0.4 if host.startswith('slow') else 60)\n"
            "        host = '127.0.0.1'\n"
            "    return lookup(host, *more, **named)\n"
            "socket.getaddrinfo = getaddrinfo\n"
        )
        quick = json.loads(script).replace("LOOKUP = 6.0", "LOOKUP = 0.7")
        assert "LOOKUP = 0.7" in quick
        first = "from __future__ import annotations\n"  # before which nothing may come
        odd = quick.replace("PACE = 1.0", "PACE = 0.1").replace(first, first + hanging)
        stdin = f"{json.dumps(odd)}\n{questions}\n"
        return super().exec(
            pod,
            argv,
            container=container,
            stdin=stdin,
            timeout=timeout,
            again=again,
            is_asking=is_asking,
            heard=heard,
        )


def test_resolver_is_read(here: Any) -> None:
    answer = only(here, Resolver())
    lines = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines() if line]

    assert answer.state == "read"
    assert answer.servers == tuple(words[1] for words in lines if words[0] == "nameserver")


def test_name_that_no_server_answers_for_says_nothing_of_the_port(serve: Serve) -> None:
    here: Any = Hanging()
    dial, page, resolved = ask(
        OwnContainers(here),
        POD,
        [
            Dial("a.hanging", serve(lambda _: None), timeout=0.2),
            Get("a.hanging", 80, "/", timeout=0.2),
            Resolve("b.hanging", timeout=0.2),
        ],
    )

    assert [(each.state, each.detail) for each in (dial, page, resolved)] == [
        ("unresolved", "timeout")
    ] * 3
    assert isinstance(resolved, Resolved)
    assert not resolved.is_answered
    assert not resolved.is_absent


def test_answer_is_told_before_those_that_take_long(here: Any, serve: Serve) -> None:
    told: list[str] = []

    def once_the_other_is_told(connection: socket.socket) -> None:
        connection.recv(4096)
        wait_until(lambda: told == ["open"])
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

    questions: list[Question[Any]] = [
        Get(HERE, serve(once_the_other_is_told), "/", timeout=SOON),
        Dial(HERE, serve(lambda _: None)),
    ]

    late, early = ask(
        OwnContainers(here), POD, questions, lambda _asked, answer: told.append(answer.state)
    )

    assert (late.state, early.state) == ("answered", "open")
    assert told == ["open", "answered"]


def test_names_that_hang_hold_up_no_question_by_address(serve: Serve, closed_port: int) -> None:
    here: Any = Hanging()
    hanging = [Dial(f"{number}.hanging", 1, timeout=0.2) for number in range(70)]
    opened = serve(lambda _: None)
    questions = [*hanging, Dial(HERE, opened), Dial(HERE, closed_port), Dial("localhost", opened)]

    *lost, by_address, refused, by_name = ask(OwnContainers(here), POD, questions)

    assert {(each.state, each.detail) for each in lost} == {("unresolved", "timeout")}
    assert (by_address.state, refused.state) == ("open", "refused")
    assert by_name.state == "open"


def test_lookup_has_a_time_of_its_own_before_the_connection(serve: Serve) -> None:
    answer = only(Hanging(), Dial("slow.hanging", serve(lambda _: None), timeout=0.2))

    assert answer.state == "open"
    assert answer.seconds >= 0.4


def test_name_server_that_is_silent_is_named(here: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HERE, 0))
        answer = only(here, _At("a.example", "A", timeout=0.2, at=silent.getsockname()[1]))

    assert (answer.state, answer.server) == ("timeout", HERE)


class _Odd(Dial):
    """A question that the agent does not know."""

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "op": "ponder"}


@dataclass(frozen=True)
class _At(Exchange):
    """An exchange with a name server on the loopback instead of the pod's own."""

    at: int = 0

    def as_json(self) -> dict[str, Any]:
        return {**super().as_json(), "host": HERE, "port": self.at}
