"""The DNS on its sockets, with an API that changes, breaks and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import dns.message
import dns.query
import dns.rcode
import pytest

from nova_node import watch
from nova_node.api import Object
from nova_node.dns import server
from nova_node.dns.records import Zones
from nova_node.dns.server import ClusterDns, Listen, zones_in
from testing.unit.node.stub_api import StubApi
from testing.unit.waiting import SOON, wait_until

SERVICES, ENDPOINTS = "/api/v1/services", "/api/v1/endpoints"
HOST = "127.0.0.1"


def service(name: str, cluster_ip: str) -> Object:
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": {"clusterIP": cluster_ip}}


def free_ports(number: int) -> list[int]:
    """Ports that are free for both TCP and UDP, each another."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < number:
            listener = held.enter_context(socket.create_server((HOST, 0)))
            datagrams = held.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                datagrams.bind(listener.getsockname())
                ports.append(listener.getsockname()[1])
        return ports


class Running:
    """A DNS in a thread of its own that follows `stub_api`."""

    def __init__(self, stub_api: StubApi) -> None:
        self.listen = Listen(HOST, *free_ports(3))
        self._stub_api = stub_api
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(SOON)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        cluster_dns = ClusterDns(Zones(), self.listen)
        server.follow(self._stub_api.api, cluster_dns)
        self._serving = asyncio.create_task(cluster_dns.serve(self._stop))
        self._started.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving

    def leave(self) -> None:
        """Have it do as at SIGTERM."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def stop(self) -> None:
        self.leave()
        self._thread.join(SOON)
        assert not self._thread.is_alive()

    def cut(self) -> None:
        """End it in the middle of whatever it does."""
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join(SOON)
        assert not self._thread.is_alive()

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """It does nothing until this ends."""
        is_over = threading.Event()
        self._loop.call_soon_threadsafe(is_over.wait, SOON)
        try:
            yield
        finally:
            is_over.set()

    def ask(self, name: str, type_: str = "A", *, tcp: bool = False) -> list[str]:
        """What `name` answers; its code when it is not NOERROR."""
        query = dns.message.make_query(f"{name}.ns.svc.cluster.local.", type_)
        exchange = dns.query.tcp if tcp else dns.query.udp
        response = exchange(query, HOST, port=self.listen.dns, timeout=SOON)
        if response.rcode() != dns.rcode.NOERROR:
            return [dns.rcode.to_text(response.rcode())]
        return [rdata.to_text() for rrset in response.answer for rdata in rrset]

    def status(self, port: int, path: str) -> int:
        """What is answered; 0 where nothing listens."""
        with closing(http.client.HTTPConnection(HOST, port, timeout=SOON)) as connection:
            try:
                connection.request("GET", path)
            except ConnectionRefusedError:
                return 0
            return connection.getresponse().status

    @property
    def is_ready(self) -> bool:
        return self.status(self.listen.ready, "/ready") == 200

    def wait_ready(self) -> None:
        wait_until(lambda: self.is_ready)

    def wait_for(self, name: str, wanted: list[str]) -> None:
        """Until `name` answers what is wanted."""
        wait_until(lambda: self.ask(name) == wanted)


@pytest.fixture
def running(stub_api: StubApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(server, "LEAVE_SECONDS", 0.0)
    stub_api.put(SERVICES, service("web", "10.96.0.7"))
    found = Running(stub_api)
    yield found
    found.stop()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_what_was_there_is_served_once_ready(running: Running, tcp: bool) -> None:
    running.wait_ready()

    assert running.ask("web", tcp=tcp) == ["10.96.0.7"]
    assert running.ask("absent", tcp=tcp) == ["NXDOMAIN"]


def test_burst_of_questions_that_comes_while_it_is_held_up_is_answered_whole(
    running: Running,
) -> None:
    """A receive buffer of the kernel holds some 280 of them."""
    running.wait_ready()
    query = dns.message.make_query("web.ns.svc.cluster.local.", "A").to_wire()
    with contextlib.ExitStack() as opened:
        askers = [opened.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(64)]
        with running.held_up():
            for asker in askers:
                asker.settimeout(SOON)
                asker.connect((HOST, running.listen.dns))
                for _ in range(10):
                    asker.send(query)
        answers = [dns.message.from_wire(it.recv(512)) for it in askers for _ in range(10)]

    assert {each.answer[0][0].to_text() for each in answers} == {"10.96.0.7"}


def test_healthy_but_silent_and_not_ready_before_the_lists_are_in(
    stub_api: StubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer out of nothing would deny names that exist."""
    monkeypatch.setattr(server, "LEAVE_SECONDS", 0.0)
    stub_api.refuse = 503
    running = Running(stub_api)
    try:
        stub_api.wait_for_requests(4)
        wait_until(lambda: running.status(running.listen.health, "/health") == 200)
        wait_until(lambda: running.status(running.listen.ready, "/ready") == 503)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, running.listen.dns), SOON)

        stub_api.refuse = None
        running.wait_ready()
    finally:
        running.stop()


@pytest.fixture
def told(stub_api: StubApi, running: Running) -> Iterator[None]:
    """Every change reaches the server by its watches: it asks nothing anew."""
    running.wait_ready()
    stub_api.wait_for_requests(4)
    yield
    assert len(stub_api.requests) == 4


@pytest.mark.usefixtures("told")
def test_change_is_served_as_soon_as_it_is_told(running: Running, stub_api: StubApi) -> None:

    stub_api.put(SERVICES, service("new", "10.96.0.8"))
    running.wait_for("new", ["10.96.0.8"])
    stub_api.put(SERVICES, service("web", "10.96.0.9"))
    running.wait_for("web", ["10.96.0.9"])
    stub_api.remove(SERVICES, service("new", ""))
    running.wait_for("new", ["NXDOMAIN"])


@pytest.mark.usefixtures("told")
def test_endpoints_that_become_ready_are_served_as_soon_as_it_is_told(
    running: Running, stub_api: StubApi
) -> None:
    stub_api.put(SERVICES, service("db", "None"))
    subset = {"addresses": [{"ip": "10.244.1.2", "hostname": "db-0"}]}
    metadata = {"name": "db", "namespace": "ns"}
    stub_api.put(ENDPOINTS, {"metadata": metadata, "subsets": [subset]})

    running.wait_for("db-0.db", ["10.244.1.2"])


def test_stale_answers_go_on_while_the_api_is_away_and_changes_follow_when_it_is_back(
    running: Running, stub_api: StubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RETRY_SECONDS", 0.05)
    running.wait_ready()
    stub_api.refuse = 503
    stub_api.cut()
    stub_api.put(SERVICES, service("web", "10.96.0.9"))
    stub_api.compact()

    assert running.ask("web") == ["10.96.0.7"]
    assert running.is_ready

    stub_api.refuse = None
    running.wait_for("web", ["10.96.0.9"])


def test_several_questions_share_a_connection(running: Running) -> None:
    """RFC 7766, 6.2.1."""
    running.wait_ready()
    with closing(socket.create_connection((HOST, running.listen.dns), SOON)) as sock:
        for _ in range(3):
            query = dns.message.make_query("web.ns.svc.cluster.local.", "A")
            dns.query.send_tcp(sock, query)
            response, _received = dns.query.receive_tcp(sock)
            assert query.is_response(response)


def test_connection_that_speaks_nonsense_disturbs_nobody(running: Running) -> None:
    running.wait_ready()
    with closing(socket.create_connection((HOST, running.listen.dns), SOON)) as sock:
        sock.sendall(b"\0\x02xx")
        assert sock.recv(100) == b""

    assert running.ask("web", tcp=True) == ["10.96.0.7"]


def test_other_paths_are_not_found(running: Running) -> None:
    running.wait_ready()

    assert running.status(running.listen.health, "/metrics") == 404


def test_leaving_server_is_not_ready_but_answers_on(
    stub_api: StubApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions come in until kube-proxy knows that this replica is gone."""
    monkeypatch.setattr(server, "LEAVE_SECONDS", 2 * SOON)
    stub_api.put(SERVICES, service("web", "10.96.0.7"))
    running = Running(stub_api)
    running.wait_ready()
    running.leave()
    wait_until(lambda: not running.is_ready)

    assert running.ask("web") == ["10.96.0.7"]
    running.cut()


@pytest.mark.parametrize(
    ("corefile", "domain"),
    [
        (".:53 {\n    ready\n    kubernetes nova.test in-addr.arpa ip6.arpa {\n", "nova.test"),
        (".:53 {\n    forward . /etc/resolv.conf\n}", "cluster.local"),
        ("", "cluster.local"),
    ],
)
def test_domain_comes_from_the_corefile(corefile: str, domain: str) -> None:
    assert zones_in(corefile).cluster == domain
