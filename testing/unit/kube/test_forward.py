"""A pod's port on this machine, over a WebSocket for each connection."""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from nova_acceptance.kube import ApiUnreachableError, Forward, Kube, PodRef
from testing.unit.kube.scripted_api import (
    Answer,
    Channels,
    Request,
    ScriptedApi,
    scripted_api,
    status,
)
from testing.unit.waiting import SOON, wait_until

POD = PodRef("here", "it")
PORT = 5432


def forward(api: ScriptedApi, tmp_path: Path) -> Forward:
    return Kube(api.kubeconfig(tmp_path)).forward(POD, PORT)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), SOON)


def ask(port: int) -> bytes:
    """Return the first byte that comes; a connection may be reset while it is made, or later."""
    with connect(port) as client:
        return client.recv(1)


def greet(channels: Channels) -> None:
    for channel in (0, 1):
        channels.send(channel, struct.pack("<H", PORT))


def echo(channels: Channels) -> None:
    greet(channels)
    while frame := channels.receive():
        channels.send(frame[0], frame[1:].upper())


def refuse(channels: Channels) -> None:
    greet(channels)
    channels.send(1, b"dial tcp4 127.0.0.1:5432: connect: connection refused")
    channels.receive()


def test_bytes_go_both_ways_on_many_connections(tmp_path: Path) -> None:
    with (
        scripted_api(lambda _: Answer(websocket=echo)) as api,
        (through := forward(api, tmp_path)) as local,
    ):
        clients = [connect(local) for _ in range(5)]
        for number, client in enumerate(clients):
            client.sendall(b"hello %d" % number)
        for number, client in enumerate(clients):
            assert client.recv(100) == b"HELLO %d" % number
            client.close()

        assert through.error == ""
        assert len(api.asked("/api/v1/namespaces/here/pods/it/portforward", ports="5432")) == 5


def test_each_connection_counts(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer(websocket=echo)) as api:
        kube = Kube(api.kubeconfig(tmp_path))
        with kube.forward(POD, PORT) as local:
            for _ in range(3):
                with connect(local) as client:
                    client.sendall(b"hello")
                    assert client.recv(100) == b"HELLO"

    assert kube.usage == {"requests": 0, "execs": 0, "forwards": 3}


def test_connection_that_the_pod_refuses_is_reset_with_the_reason_kept(tmp_path: Path) -> None:
    with (
        scripted_api(lambda _: Answer(websocket=refuse)) as api,
        (through := forward(api, tmp_path)) as local,
    ):
        with pytest.raises(ConnectionResetError):
            ask(local)
        assert "here/it port 5432" in through.error
        assert "connection refused" in through.error


def test_absent_pod_is_reset_with_the_reason_kept(tmp_path: Path) -> None:
    refusal = Answer(status(404, "NotFound", 'pods "it" not found'), 404)
    with (
        scripted_api(lambda _: refusal) as api,
        (through := forward(api, tmp_path)) as local,
    ):
        with pytest.raises(ConnectionResetError):
            ask(local)
        assert 'pods "it" not found' in through.error


def test_end_of_the_pod_side_ends_the_connection(tmp_path: Path) -> None:
    def farewell(channels: Channels) -> None:
        greet(channels)
        channels.send(0, b"bye")
        channels.close()

    with (
        scripted_api(lambda _: Answer(websocket=farewell)) as api,
        (through := forward(api, tmp_path)) as local,
        connect(local) as client,
    ):
        assert client.makefile("rb").read() == b"bye"
        assert through.error == ""


def test_end_of_the_client_ends_the_websocket(tmp_path: Path) -> None:
    ended = threading.Event()

    def listen(channels: Channels) -> None:
        greet(channels)
        channels.send(0, b"!")
        while channels.receive():
            pass
        ended.set()

    with (
        scripted_api(lambda _: Answer(websocket=listen)) as api,
        (through := forward(api, tmp_path)) as local,
    ):
        with connect(local) as client:
            assert client.recv(1) == b"!"
        assert ended.wait(SOON)
        assert through.error == ""


def test_nothing_listens_after_the_block(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer(websocket=echo)) as api:
        before = threading.active_count()
        with forward(api, tmp_path) as local:
            client = connect(local)
            client.sendall(b"x")
            assert client.recv(1) == b"X"

        with pytest.raises(ConnectionRefusedError):
            connect(local)
        with client:
            assert client.recv(1) == b""
        wait_until(lambda: threading.active_count() <= before)


def hang_up(channels: Channels) -> None:
    """Carry one exchange, then lose the connection without a farewell."""
    greet(channels)
    channels.send(0, channels.receive()[1:])


def test_connection_that_is_cut_is_a_fault_of_the_way(tmp_path: Path) -> None:
    with (
        scripted_api(lambda _: Answer(websocket=hang_up)) as api,
        (through := forward(api, tmp_path)) as local,
        connect(local) as client,
    ):
        began = time.monotonic()
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        fault = through.fault_since(began)
        assert fault
        assert not fault.is_away, "the API answers"
        assert through.fault_since(time.monotonic()) is None


def test_api_that_is_away_is_a_fault_of_the_way_until_it_is_back(tmp_path: Path) -> None:
    is_busy = True

    def script(_: Request) -> Answer:
        refusal = Answer(status(503, "ServiceUnavailable"), 503)
        return refusal if is_busy else Answer(websocket=echo)

    with (
        scripted_api(script) as api,
        (through := forward(api, tmp_path)) as local,
    ):
        began = time.monotonic()
        with pytest.raises(ConnectionResetError), connect(local) as client:
            client.recv(1)
        fault = through.fault_since(began)
        assert fault
        assert fault.is_away

        is_busy = False
        with connect(local) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"X"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(websocket=refuse),
        Answer(status(404, "NotFound", 'pods "it" not found'), 404),
        Answer(status(500, "", "error dialing backend: dial tcp: i/o timeout"), 500),
    ],
)
def test_what_is_wrong_at_the_end_of_the_way_is_no_fault_of_it(
    tmp_path: Path, answer: Answer
) -> None:
    with (
        scripted_api(lambda _: answer) as api,
        (through := forward(api, tmp_path)) as local,
        connect(local) as client,
    ):
        began = time.monotonic()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert through.error
        assert through.fault_since(began) is None


def test_way_that_is_forbidden_stays_so_and_is_told_at_once(tmp_path: Path) -> None:
    refusal = Answer(status(403, "Forbidden", "a policy says no"), 403)
    with scripted_api(lambda _: refusal) as api, (through := forward(api, tmp_path)) as local:
        # as soon as it is open, which may be while the client still opens it
        with pytest.raises(ConnectionResetError), connect(local) as client:
            client.recv(1)

        assert through.refusal
        assert through.refusal.detail == "a policy says no"
        assert through.fault_since(time.monotonic() - 1) is None


@pytest.mark.parametrize("answer", [(401, "Unauthorized"), (403, "Forbidden")])
def test_api_that_has_just_come_back_refuses_nothing(
    tmp_path: Path, answer: tuple[int, str]
) -> None:
    refusal = Answer(status(*answer, "not yet ready to handle request"), answer[0])
    with scripted_api(lambda _: refusal) as api, (through := forward(api, tmp_path)) as local:
        away = ApiUnreachableError("GET /version", "https://here", ConnectionRefusedError())
        through._rest.availability.away(away)
        began = time.monotonic()
        with pytest.raises(ConnectionResetError), connect(local) as client:
            client.recv(1)

        fault = through.fault_since(began)
        assert fault
        assert fault.is_away
        assert through.refusal is None
