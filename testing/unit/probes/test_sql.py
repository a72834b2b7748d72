"""Connections to PostgreSQL: what is refused, what is silent, and what is shown of either."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.probes.routes import Route
from nova_acceptance.probes.sql import Login, connect, refusal
from nova_acceptance.probes.witness import Witness
from nova_acceptance.probes.writer import Acknowledged, Writer

LOGIN = Login("app_user", "nova_auth", "hunter2-hunter2")
READY = b"R" + struct.pack("!II", 8, 0) + b"Z" + struct.pack("!I", 5) + b"I"
Serve = Callable[[Callable[[socket.socket], None]], Route]


@pytest.fixture
def serve() -> Iterator[Serve]:
    listener = socket.create_server(("127.0.0.1", 0))

    def start(handle: Callable[[socket.socket], None]) -> Route:
        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                while True:
                    (size,) = struct.unpack("!I", connection.recv(4))
                    (code,) = struct.unpack("!I", connection.recv(size - 4)[:4])
                    if code >> 16 == 3:  # the protocol's version, after requests to encrypt
                        return handle(connection)
                    connection.sendall(b"N")

        threading.Thread(target=run, daemon=True).start()
        return Route(listener.getsockname()[1], "nova-services/pod", "postgres:5432")

    yield start
    listener.close()


def refuse(message: str) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        fields = b"SFATAL\0VFATAL\0C28000\0M" + message.encode() + b"\0\0"
        connection.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)

    return handle


def silent(connection: socket.socket) -> None:
    connection.sendall(READY)
    while connection.recv(4096):
        pass


def test_refusal_is_the_servers_own_word(serve: Serve) -> None:
    route = serve(refuse('no pg_hba.conf entry for host "10.0.0.1"'))
    kept: list[Evidence] = []
    witness = Witness()

    with witness.listening(kept.append):
        said = refusal(route, LOGIN, witness)

    assert said == 'no pg_hba.conf entry for host "10.0.0.1"'
    assert [item.answer for item in kept] == [f"refused: {said}"]
    assert kept[0].source == "nova-services/pod"


def test_nobody_there_is_no_refusal(serve: Serve) -> None:
    route = serve(lambda connection: connection.close())

    with pytest.raises(ProbeError, match="did not answer"):
        refusal(route, LOGIN, Witness())


def test_accepted_connection_is_no_refusal(serve: Serve) -> None:
    assert refusal(serve(silent), LOGIN, Witness()) == ""


def test_password_is_shown_nowhere(serve: Serve) -> None:
    kept: list[Evidence] = []
    witness = Witness()

    with witness.listening(kept.append), connect(serve(silent), LOGIN, witness) as session:
        shown = [repr(LOGIN), repr(session), *map(repr, kept)]

    assert "hunter2" not in "".join(shown)


def test_server_that_falls_silent_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "STATEMENT_CUT", 0.3)

    with (
        connect(serve(silent), LOGIN, Witness()) as session,
        pytest.raises(psycopg.OperationalError),
    ):
        session.rows("SELECT 1")


def test_writer_tells_who_acknowledged_what() -> None:
    writer = Writer(Route(1, "runner", "nowhere"), LOGIN, "messaging.numbers")
    writer.acknowledged += [
        Acknowledged(1, "10.0.0.1", 5.0),
        Acknowledged(2, "10.0.0.1", 5.1),
        Acknowledged(4, "10.0.0.2", 9.0),
    ]

    assert writer.servers == ["10.0.0.1", "10.0.0.2"]
    assert (writer.count("10.0.0.1"), writer.count("10.0.0.3")) == (2, 0)
    assert writer.first("10.0.0.2") == 9.0


def test_writer_goes_on_through_failures(serve: Serve) -> None:
    route = serve(refuse("the database system is shutting down"))

    with Writer(route, LOGIN, "messaging.numbers") as writer:
        deadline = threading.Event()
        for _ in range(50):
            if len(writer.errors) > 2:
                break
            deadline.wait(0.1)

    assert len(writer.errors) > 2
    assert writer.acknowledged == []
