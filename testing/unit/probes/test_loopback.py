"""Servers that listen on their pod's loopback alone, and how that is found out."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nova_acceptance.collect.loopbacks import Loopbacks
from nova_acceptance.components.network.loopback import (
    answers_the_kubelet,
    is_loopback,
    refused_ports,
)
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.loopback import seen_on_loopback, taken_on_loopback
from testing.unit.diagnosis.recorded import deployment, event, pod, replica_set
from testing.unit.waiting import SOON

POD = PodRef("data", "cache-0")
REFUSED = "error trying to reach service: dial tcp 10.1.0.9:6379: connect: connection refused"
TCP = "Liveness probe failed: dial tcp {}:6379: connect: connection refused"
HTTP = (
    'Startup probe failed: Get "http://{0}:6379/": dial tcp {0}:6379: connect: connection refused'
)
ADDRESS = "10.1.0.9"


class Api:
    """A stand-in for the API: where a port-forward leads, and what its proxy says."""

    def __init__(self, serve: Callable[[socket.socket], None] | None, refused: str = "") -> None:
        self._serve = serve
        self._refused = refused
        self._way: Any = None
        self.asked: list[tuple[PodRef, int]] = []

    @contextmanager
    def _led(self) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def run() -> None:
                connection, _ = listener.accept()
                with connection:
                    if self._serve:
                        self._serve(connection)
                    else:  # as a forward does whose pod refuses
                        self._way.error = "connection refused"
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

            thread = threading.Thread(target=run)
            thread.start()
            yield listener.getsockname()[1]
            thread.join(SOON)

    def forward(self, where: PodRef, port: int) -> Any:
        self.asked.append((where, port))
        self._way = self._led()
        self._way.error = ""
        return self._way

    def refused_by(self, _pod: PodRef, _port: int) -> str:
        return self._refused


def answers(connection: socket.socket) -> None:
    connection.recv(64)
    connection.sendall(b"-ERR\r\n")


def ends(connection: socket.socket) -> None:
    connection.recv(64)


@pytest.mark.parametrize(
    ("serve", "said"), [(answers, "'-ERR\\r\\n'"), (ends, "the end of it"), (None, "")]
)
def test_loopback_is_taken_where_anything_comes_back(serve: Any, said: str) -> None:
    api: Any = Api(serve)

    found = taken_on_loopback(api, POD, 6379)

    assert bool(found) is bool(said)
    assert said in found


@pytest.mark.parametrize(
    ("serve", "refused", "lines"), [(answers, REFUSED, 2), (answers, "", 0), (None, REFUSED, 0)]
)
def test_loopback_alone_refuses_at_the_address_and_is_taken_by_a_forward(
    serve: Any, refused: str, lines: int
) -> None:
    api: Any = Api(serve, refused)

    assert len(seen_on_loopback(api, POD, 6379)) == lines


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        ("127.0.0.1", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.1.0.9", False),
        ("::ffff:10.1.0.9", False),
    ],
)
def test_loopback_by_its_address(address: str, is_so: bool) -> None:
    assert is_loopback(address) is is_so


def a_pod(**container: Any) -> Object:
    found = pod("user-service-x", OWNER, ready=False, container=container)
    found["status"]["podIP"] = ADDRESS
    return found


WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)


@pytest.mark.parametrize(
    ("said", "ports"),
    [
        (TCP.format(ADDRESS), [6379]),
        (HTTP.format(ADDRESS), [6379]),
        (TCP.format("10.1.0.1"), []),  # an earlier address of the pod's
        ("Readiness probe failed: dial tcp 10.1.0.9:6379: i/o timeout", []),
    ],
)
def test_port_that_refused_the_kubelet_is_tried(said: str, ports: list[int]) -> None:
    ill = a_pod()
    snapshot = Snapshot.of([WORKLOAD, OWNER, ill, event(ill, "Unhealthy", said)])

    assert list(refused_ports(snapshot)) == [(ref(ill), port) for port in ports]


def test_pod_in_which_nothing_runs_is_not_tried() -> None:
    ill = a_pod(state={"waiting": {"reason": "CrashLoopBackOff"}})
    snapshot = Snapshot.of([WORKLOAD, OWNER, ill, event(ill, "Unhealthy", TCP.format(ADDRESS))])

    assert list(refused_ports(snapshot)) == []


@pytest.mark.parametrize(
    ("is_ready", "port", "is_tried"),
    [(True, 6379, False), (True, 6380, True), (False, 6379, True)],
)
def test_port_that_answers_the_kubelet_by_now_is_not_tried(
    is_ready: bool, port: int, is_tried: bool
) -> None:
    well = a_pod(ready=is_ready)
    probe = {"tcpSocket": {"port": port}}
    well["spec"]["containers"] = [{"name": "main", "readinessProbe": probe}]
    snapshot = Snapshot.of([WORKLOAD, OWNER, well, event(well, "Unhealthy", TCP.format(ADDRESS))])

    assert list(refused_ports(snapshot)) == ([(ref(well), 6379)] if is_tried else [])


def test_failing_readiness_comes_under_it_at_the_workload() -> None:
    ill = a_pod()
    said = HTTP.format(ADDRESS)
    snapshot = Snapshot.of([WORKLOAD, OWNER, ill, event(ill, "Unhealthy", said)])
    api: Any = Api(answers, REFUSED)

    Loopbacks(api, snapshot).refresh(until=time.monotonic() + SOON)
    (first,) = Doctor(snapshot).explain([ref(WORKLOAD)]).causes

    assert api.asked == [(PodRef(ill["metadata"]["namespace"], "user-service-x"), 6379)]
    assert (first.root.cause, first.root.subject) == ("LISTENS_ON_LOOPBACK", ref(WORKLOAD))
    assert REFUSED in first.root.evidence[1]
    assert "READINESS_FAILING" in [each.cause for each in first.symptoms]


def test_port_that_opened_since_is_no_finding() -> None:
    ill = a_pod()
    snapshot = Snapshot.of([WORKLOAD, OWNER, ill, event(ill, "Unhealthy", TCP.format(ADDRESS))])
    snapshot.on_loopback[ref(ill), 6379] = ("seen before",)
    api: Any = Api(answers)

    Loopbacks(api, snapshot).refresh(until=time.monotonic() + SOON)

    assert snapshot.on_loopback == {}


def test_port_is_not_tried_again_at_once() -> None:
    ill = a_pod()
    snapshot = Snapshot.of([WORKLOAD, OWNER, ill, event(ill, "Unhealthy", TCP.format(ADDRESS))])
    api: Any = Api(answers, REFUSED)
    loopbacks = Loopbacks(api, snapshot)

    loopbacks.refresh(until=time.monotonic() + SOON)
    loopbacks.refresh(until=time.monotonic() + SOON)

    assert len(api.asked) == 1
    assert list(snapshot.on_loopback) == [(ref(ill), 6379)]


@pytest.mark.parametrize(
    ("probe", "is_ready", "expected"),
    [
        ({"tcpSocket": {"port": 6379}}, True, True),
        ({"httpGet": {"port": "redis", "path": "/"}}, True, True),
        ({"tcpSocket": {"port": 6379}}, False, False),
        ({"tcpSocket": {"port": 6380}}, True, False),
        ({"tcpSocket": {"port": 6379, "host": "127.0.0.1"}}, True, False),
        ({"exec": {"command": ["redis-cli", "ping"]}}, True, False),
        (None, True, False),
    ],
)
def test_kubelet_is_answered_where_its_probe_of_the_port_passes(
    probe: Any, is_ready: bool, expected: bool
) -> None:
    seen = a_pod(ready=is_ready)
    container = {"name": "main", "ports": [{"name": "redis", "containerPort": 6379}]}
    seen["spec"]["containers"] = [{**container, "readinessProbe": probe}]

    assert answers_the_kubelet(seen, 6379) is expected
