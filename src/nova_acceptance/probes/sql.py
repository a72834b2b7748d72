"""Connections to PostgreSQL by psycopg, with everything that is asked taken down."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.probes.routes import LOOPBACK, Route
from nova_acceptance.probes.witness import Asking, Witness

Row = tuple[Any, ...]
Statement = LiteralString | sql.Composed
APPLICATION = "nova-acceptance"
REFUSED = re.compile(r"FATAL:\s*(.+\S)")


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects to what."""

    user: str
    database: str
    password: str = field(repr=False)


class Session:
    """One connection. Each statement is a transaction of its own unless a block says otherwise."""

    def __init__(
        self, connection: psycopg.Connection[Row], login: Login, route: Route, witness: Witness
    ) -> None:
        self._connection = connection
        self._login = login
        self._route = route
        self._witness = witness

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return self._connection.closed

    def rows(self, statement: Statement, *parameters: object) -> list[Row]:
        """Run a statement and return its rows; none where it has none.

        Raises:
            psycopg.Error: PostgreSQL refused it, by the class that tells why.
        """
        spelled = " ".join(_spelled(statement, self._connection).split())
        source, target = self._route.source, f"{self._route.target}/{self._login.database}"
        given = f" with {', '.join(map(str, parameters))}" if parameters else ""
        asked = f"{self._login.user}: {spelled}{given}"
        with (
            self._witness.asking(asked, source=source, target=target) as asking,
            _bounded(self._connection),
        ):
            cursor = self._connection.execute(statement, parameters or None)
            found = cursor.fetchall() if cursor.description else []
            asking.answered(_table(found) if cursor.description else cursor.statusmessage)
            return found

    def value(self, statement: Statement, *parameters: object) -> Any:
        """Run a statement and return the one value of its one row."""
        ((found,),) = self.rows(statement, *parameters)
        return found

    def column(self, statement: Statement, *parameters: object) -> frozenset[Any]:
        """Run a statement and return the distinct values of its only column."""
        return frozenset(found for (found,) in self.rows(statement, *parameters))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo at the end everything that happens in the block."""
        with self._connection.transaction(force_rollback=True):
            yield

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep everything that happens in the block, or nothing."""
        with self._connection.transaction():
            yield


def connect(route: Route, login: Login, witness: Witness) -> Session:
    """Open a connection.

    Raises:
        psycopg.OperationalError: nothing answered, or it refused; `refusal` tells which.
    """
    asked = f"connect as {login.user}"
    target = f"{route.target}/{login.database}"
    with witness.asking(asked, source=route.source, target=target) as asking:
        options = f"-c statement_timeout={timeouts.STATEMENT:.0f}s"
        with _told(asking):
            connection = opened(route, login, options=options)
        asking.answered("accepted")
    return Session(connection, login, route, witness)


def replication_system(route: Route, login: Login, witness: Witness) -> str:
    """Open a replication connection and return the system's identifier.

    Source: the PostgreSQL manual, "Streaming Replication Protocol", IDENTIFY_SYSTEM.

    Raises:
        psycopg.OperationalError: nothing answered, or it refused.
    """
    asked = f"IDENTIFY_SYSTEM as {login.user}"
    with witness.asking(asked, source=route.source, target=route.target) as asking:
        with _told(asking), opened(route, login, replication="true") as connection:
            # such a connection knows only the simple query protocol
            result = connection.pgconn.exec_(b"IDENTIFY_SYSTEM")
            identifier = (result.get_value(0, 0) or b"").decode()
        asking.answered(identifier)
        return identifier


def refusal(route: Route, login: Login, witness: Witness) -> str:
    """Return the words with which PostgreSQL refuses a connection; empty if it accepts.

    Raises:
        ProbeError: nothing answered, so nobody refused.
    """
    try:
        with connect(route, login, witness):
            return ""
    except psycopg.OperationalError as error:
        said = REFUSED.search(str(error))
        if said is None:
            raise ProbeError(
                f"PostgreSQL at {route.target} did not answer {route.source}",
                hint="`kubectl get pods,endpoints -A` shows what is behind it",
                evidence=str(error).splitlines()[:5],
            ) from error
        return said[1]


def identifiers(statement: LiteralString, *names: str) -> sql.Composed:
    """Return a statement with names in the place of its `{}`, quoted as names."""
    parts = (sql.Identifier(*name.split(".")) for name in names)
    return sql.SQL(statement).format(*parts)


def opened(
    route: Route, login: Login, *, options: str = "", replication: str = "false"
) -> psycopg.Connection[Row]:
    """Open a bare connection, which nobody takes down.

    Raises:
        psycopg.OperationalError: nothing answered, or it refused.
    """
    return psycopg.connect(
        host=LOOPBACK,
        port=route.port,
        user=login.user,
        password=login.password,
        dbname=login.database,
        connect_timeout=int(timeouts.CONNECT),
        application_name=APPLICATION,
        autocommit=True,
        options=options,
        replication=replication,
    )


@contextmanager
def _bounded(connection: psycopg.Connection[Row]) -> Iterator[None]:
    # The server's own limit is of no use once the server is gone without a word, and libpq has
    # none: after a while the connection is cut from here, which is an error like any other.
    end = socket.socket(fileno=os.dup(connection.fileno()))
    cut = threading.Timer(timeouts.STATEMENT_CUT, end.shutdown, [socket.SHUT_RDWR])
    cut.daemon = True
    cut.start()
    try:
        yield
    finally:
        cut.cancel()
        end.close()


@contextmanager
def _told(asking: Asking) -> Iterator[None]:
    # libpq says much about the way there, which is ours; what counts is the server's word
    try:
        yield
    except psycopg.OperationalError as error:
        if said := REFUSED.search(str(error)):
            asking.answered(f"refused: {said[1]}")
        raise


def _spelled(statement: Statement, connection: psycopg.Connection[Row]) -> str:
    if isinstance(statement, sql.Composed):
        return statement.as_string(connection)
    return statement


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return "no row"
    return "; ".join(", ".join(str(value) for value in row) for row in rows)
