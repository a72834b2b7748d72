"""Connections to PostgreSQL: what is refused, what is silent, and what is shown of either."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.components.postgres.sql import Login, Server
from nova_acceptance.components.postgres.writer import Acknowledged, Writer
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import FindingError
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.waiting import SOON, wait_until

LOGIN = Login("app_user", "nova_auth", "hunter2-hunter2")
READY = b"R" + struct.pack("!II", 8, 0) + b"Z" + struct.pack("!I", 5) + b"I"
CANCEL = 80877102
"""The code of a request to cancel, which comes by a connection of its own."""
CANCELLED = threading.Event()
GREETINGS: list[bytes] = []
"""What clients asked for when they connected."""
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
                    greeting = connection.recv(size - 4)
                    (code,) = struct.unpack("!I", greeting[:4])
                    if code == CANCEL:
                        return CANCELLED.set()
                    if code >> 16 == 3:  # the protocol's version, after requests to encrypt
                        GREETINGS.append(greeting)
                        return handle(connection)
                    connection.sendall(b"N")

        threading.Thread(target=run, daemon=True).start()
        return Route(listener.getsockname()[1], "nova-services/pod", "postgres:5432")

    yield start
    listener.shutdown(socket.SHUT_RDWR)
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


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def unconfirmed(connection: socket.socket) -> None:
    """Answer everything, and COMMIT only when it is cancelled, as without a standby."""
    key = message(b"K", struct.pack("!II", 1, 2))  # without it nobody may cancel anything
    connection.sendall(READY[:9] + key + READY[9:])
    state = b"I"
    while asked := connection.recv(4096):
        word = asked[5:].partition(b"\0")[0].partition(b" ")[0]
        if asked[:1] == b"X":
            return
        if word == b"COMMIT":
            CANCELLED.wait(SOON)
            said = b"canceling wait for synchronous replication due to user request"
            connection.sendall(message(b"N", b"SWARNING\0VWARNING\0C01000\0M" + said + b"\0\0"))
        state = b"T" if word == b"BEGIN" else b"I"
        connection.sendall(message(b"C", word + b"\0") + message(b"Z", state))


def test_commit_that_no_standby_confirms_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "COMMIT", 0.1)
    CANCELLED.clear()
    session = Server(serve(unconfirmed), Transcript()).connect(LOGIN)

    with session, pytest.raises(FindingError) as raised, session.whole():
        pass

    assert CANCELLED.is_set()
    assert raised.value.shown.cause == "NOT_SYNCHRONOUS"


def of_bytes(connection: socket.socket) -> None:
    """Answer `größe` in the client's encoding, which is SQL_ASCII where it asks for none."""
    asked = GREETINGS[-1].split(b"\0")
    encoding = b"SQL_ASCII"
    if b"client_encoding" in asked:
        encoding = asked[asked.index(b"client_encoding") + 1].upper()
    status = message(b"S", b"client_encoding\0" + encoding + b"\0")
    connection.sendall(READY[:9] + status + READY[9:])
    column = b"setting\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0)
    value = "größe".encode()
    while connection.recv(4096)[:1] == b"Q":
        connection.sendall(
            message(b"T", struct.pack("!H", 1) + column)
            + message(b"D", struct.pack("!HI", 1, len(value)) + value)
            + message(b"C", b"SELECT 1\0")
            + message(b"Z", b"I")
        )


def test_text_is_text_although_the_database_is_in_sql_ascii(serve: Serve) -> None:
    with Server(serve(of_bytes), Transcript()).connect(LOGIN) as session:
        assert session.value("SHOW setting") == "größe"
        assert session.column("SHOW setting") == {"größe"}


def test_refusal_is_the_servers_own_word(serve: Serve) -> None:
    route = serve(refuse('no pg_hba.conf entry for host "10.0.0.1"'))
    kept: list[Evidence] = []
    transcript = Transcript()

    with transcript.listening(kept.append):
        said = Server(route, transcript).refusal(LOGIN)

    assert said == 'no pg_hba.conf entry for host "10.0.0.1"'
    assert [item.answer for item in kept] == [f"refused: {said}"]
    assert kept[0].source == "nova-services/pod"


def test_nobody_there_is_no_refusal(serve: Serve) -> None:
    route = serve(lambda connection: connection.close())

    with pytest.raises(ProbeError, match="did not answer"):
        Server(route, Transcript()).refusal(LOGIN)


def test_accepted_connection_is_no_refusal(serve: Serve) -> None:
    assert Server(serve(silent), Transcript()).refusal(LOGIN) == ""


def test_password_is_shown_nowhere(serve: Serve) -> None:
    kept: list[Evidence] = []
    transcript = Transcript()

    with (
        transcript.listening(kept.append),
        Server(serve(silent), transcript).connect(LOGIN) as session,
    ):
        shown = [repr(LOGIN), repr(session), *map(repr, kept)]

    assert "hunter2" not in "".join(shown)


def test_server_that_falls_silent_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "STATEMENT_CUT", 0.3)

    with (
        Server(serve(silent), Transcript()).connect(LOGIN) as session,
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
        wait_until(lambda: len(writer.errors) > 2)

    assert writer.acknowledged == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO a VALUES (1)",
        "CREATE TEMPORARY TABLE a (id int)",
        "SET LOCAL ROLE nova_owner",
        "SET default_transaction_read_only = off",
        "WITH gone AS (DELETE FROM a RETURNING *) SELECT * FROM gone",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_nothing_is_written_along_a_route_that_is_for_reading(
    statement: LiteralString, serve: Serve
) -> None:
    route = replace(serve(silent), is_read_only=True)
    GREETINGS.clear()
    with (
        Server(route, Transcript()).connect(LOGIN) as session,
        pytest.raises(UnaskedError, match="--read-only"),
    ):
        session.rows(statement)

    # what a function does that a SELECT calls is refused by the server
    assert b"default_transaction_read_only=on" in GREETINGS[0]
    with pytest.raises(UnaskedError), Writer(route, LOGIN, "messaging.numbers"):
        pass


def test_connection_asks_for_a_session_that_writes_where_a_run_does(serve: Serve) -> None:
    GREETINGS.clear()
    Server(serve(silent), Transcript()).connect(LOGIN).close()

    assert b"read_only" not in GREETINGS[0]
