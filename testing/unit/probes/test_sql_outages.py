"""Connections to PostgreSQL that the API cut: what is asked again, and what never is."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.kube import ApiUnreachableError, Fault
from nova_acceptance.vantage import retrying
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.waiting import SOON

LOGIN = Login("app_user", "nova_auth", "a-password")
AWAY = Fault(ApiUnreachableError("x", "https://here", TimeoutError("gone")), is_away=True)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


READY = message(b"R", struct.pack("!I", 0)) + message(b"Z", b"I")
DONE = message(b"C", b"SELECT 0\0") + message(b"Z", b"I")


class Backend:
    """Says yes to everything, on every connection; can cut them all.

    Attributes:
        fault: what the way there says of itself.
        cuts: at how many of the next statements the connection is cut instead of an answer.
        statements: what arrived, a list a connection.
    """

    refusal = None

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.cuts = 0
        self.statements: list[list[str]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def fault_since(self, _moment: float) -> Fault | None:
        return self.fault

    @property
    def route(self) -> Route:
        way: Any = self
        return Route(self.listener.getsockname()[1], "runner", "postgres:5432", way)

    def cut(self, session: Session) -> None:
        """Cut every connection, and come back once this one's other end can know."""
        self.hang_up()
        seen, _, _ = select.select([session._connection], [], [], SOON)
        assert seen

    def hang_up(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, struct.error):
            while True:
                (size,) = struct.unpack("!I", connection.recv(4))
                (code,) = struct.unpack("!I", connection.recv(size - 4)[:4])
                if code >> 16 == 3:
                    break
                connection.sendall(b"N")
            connection.sendall(READY)
            arrived: list[str] = []
            self.statements.append(arrived)
            while connection.recv(1) == b"Q":
                (size,) = struct.unpack("!I", connection.recv(4))
                arrived.append(connection.recv(size - 4)[:-1].decode())
                if self.cuts:
                    self.cuts -= 1
                    return
                connection.sendall(DONE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.01)
    opened = Backend()
    yield opened
    opened.listener.shutdown(socket.SHUT_RDWR)
    opened.listener.close()
    opened.hang_up()


@pytest.fixture
def session(server: Backend) -> Iterator[Session]:
    with Server(server.route, Transcript()).connect(LOGIN) as opened:
        yield opened


def test_question_is_asked_again_over_a_new_connection(server: Backend, session: Session) -> None:
    server.fault, server.cuts = AWAY, 1

    session.rows("SELECT 1")

    assert server.statements == [["SELECT 1"], ["SELECT 1"]]


def test_write_that_may_have_happened_is_not_repeated(server: Backend, session: Session) -> None:
    server.fault, server.cuts = AWAY, 1

    with pytest.raises(ApiUnreachableError):
        session.rows("INSERT INTO t VALUES (1)")

    assert server.statements == [["INSERT INTO t VALUES (1)"]]


def test_read_that_writes_is_a_write(server: Backend, session: Session) -> None:
    server.fault, server.cuts = AWAY, 1

    with pytest.raises(ApiUnreachableError):
        session.rows("WITH gone AS (DELETE FROM t RETURNING 1) SELECT * FROM gone")


def test_write_goes_over_a_new_connection_where_the_old_one_was_cut_before(
    server: Backend, session: Session
) -> None:
    session.rows("SELECT 1")
    server.fault = AWAY
    server.cut(session)

    session.rows("INSERT INTO t VALUES (1)")

    assert server.statements == [["SELECT 1"], ["INSERT INTO t VALUES (1)"]]


def test_connection_with_a_state_of_its_own_is_not_replaced(
    server: Backend, session: Session
) -> None:
    session.rows("SET ROLE owner")
    server.fault = AWAY
    server.cut(session)

    with pytest.raises(ApiUnreachableError):
        session.rows("SELECT 1")


def test_block_that_is_cut_is_not_taken_up_in_its_middle(server: Backend, session: Session) -> None:
    def cut_within() -> None:
        with session.whole():
            session.rows("INSERT INTO t VALUES (1)")
            server.fault = AWAY
            server.cut(session)
            session.rows("SELECT 1")

    with pytest.raises(ApiUnreachableError):
        cut_within()

    assert len(server.statements) == 1


def test_server_that_ends_a_connection_by_itself_is_told_as_such(
    server: Backend, session: Session
) -> None:
    server.cuts = 1

    with pytest.raises(psycopg.OperationalError):
        session.rows("SELECT 1")
    assert len(server.statements) == 1
