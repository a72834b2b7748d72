"""Connections to PostgreSQL by psycopg, with everything that is asked taken down."""

from __future__ import annotations

import os
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString, NamedTuple, Self, TypeAlias

from nova_acceptance import timeouts
from nova_acceptance.components.postgres.bounds import bounded, ended_in_time
from nova_acceptance.errors import ProbeError
from nova_acceptance.libraries import psycopg
from nova_acceptance.vantage.retrying import ask_through
from nova_acceptance.vantage.routes import LOOPBACK, Route
from nova_acceptance.vantage.transcript import Asking, Transcript

Row = tuple[Any, ...]
Statement: TypeAlias = "LiteralString | psycopg.sql.Composed"
APPLICATION = "nova-acceptance"
ENCODING = "utf8"
"""What every connection asks for.

A server whose databases are in SQL_ASCII would ask for that, and psycopg returns bytes then.
Source: psycopg's manual, "Strings adaptation".
"""
LIMITED = f"-c statement_timeout={timeouts.STATEMENT:.0f}s"
READ_ONLY = "-c default_transaction_read_only=on"
"""What a connection of a run asks for that only reads.

A statement that writes is refused before it is sent, by its first word; this is for what a function
does that a SELECT calls.
"""
REFUSED = re.compile(r"FATAL:\s*(.+\S)")
READS = re.compile(
    r"\s*(SELECT|SHOW|TABLE|VALUES|WITH)\b(?!.*\b(INSERT|UPDATE|DELETE|MERGE)\b)", re.S
)
"""What may be asked twice, and what a run may ask that only reads."""
STATELESS = re.compile(r"\s*(INSERT|UPDATE|DELETE|GRANT|REVOKE|ALTER|DROP|CREATE (?!TEMP))")
"""What, besides, leaves nothing behind that lives in the connection alone."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects to what.

    Attributes:
        wanted: what else is asked of the connection, by libpq's names of parameters.
    """

    user: str
    database: str
    password: str = field(repr=False)
    wanted: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)


@dataclass(eq=False)
class Session:
    """One connection. Each statement is a transaction of its own unless a block says otherwise.

    One that is cut for the API's sake is opened anew, unless something is known to it alone.
    Threads may share it: a block of one keeps the statements of the others waiting.
    """

    _connection: psycopg.Connection[Row]
    _login: Login
    _route: Route
    _transcript: Transcript
    _is_renewable: bool = field(default=True, init=False)
    _blocks: int = field(default=0, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)
    _used: float = field(default_factory=time.monotonic, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return self._connection.closed

    def rows(self, statement: Statement, *parameters: object) -> list[Row]:
        """Run a statement and return its rows; none where it has none.

        Raises:
            psycopg.Error: PostgreSQL refused it, by the class that tells why.
            UnaskedError: it may write, in a run that only reads.
            ClusterError: the API was away: for too long, or with what may not be asked twice.
        """
        return self._rows(statement, parameters)

    def rows_undone(self, statement: Statement) -> list[Row]:
        """Run one statement, undo what it did, and return its rows, all by one message.

        What is sent by one message is one transaction, which the server ends with a warning where
        nobody has begun it.
        Source: the PostgreSQL manual, "Multiple Statements in a Simple Query".

        Raises:
            psycopg.Error: PostgreSQL refused it, by the class that tells why.
            UnaskedError: it may write, in a run that only reads.
            ClusterError: the API was away for too long.
        """
        return self._rows(statement, (), undone=True)

    def _rows(
        self, statement: Statement, parameters: tuple[object, ...], *, undone: bool = False
    ) -> list[Row]:
        spelled = " ".join(_spelled(statement, self._connection).split())
        source, target = self._route.source, f"{self._route.target}/{self._login.database}"
        given = f" with {', '.join(map(str, parameters))}" if parameters else ""
        asked = f"{self._login.user}: {spelled}{given}"
        is_read = bool(READS.match(spelled))
        if not is_read:
            self._route.require_writing()
        with self._lock, self._transcript.asking(asked, source=source, target=target) as asking:
            if not (self._blocks or is_read or undone or STATELESS.match(spelled)):
                self._is_renewable = False
            self._renew_if_cut()
            cursor, found = ask_through(
                self._route,
                lambda: self._ask(_undoing(statement) if undone else statement, parameters),
                is_silence=_is_silence,
                is_safe=(is_read or undone) and self._can_renew,
            )
            asking.answered(_table(found) if cursor.description else cursor.statusmessage)
            return found

    @property
    def _can_renew(self) -> bool:
        return self._is_renewable and not self._blocks

    def _renew_if_cut(self) -> None:
        # Cut while nothing was asked: whatever comes next has not been asked before.
        if self._can_renew and _is_cut(self._connection) and self._route.fault_since(self._used):
            self._connection.close()
            self._connection = _opened_patiently(self._route, self._login)

    def _ask(
        self, statement: Statement, parameters: tuple[object, ...]
    ) -> tuple[psycopg.Cursor[Row], list[Row]]:
        if self._connection.closed and self._can_renew and self._route.fault_since(self._used):
            self._connection = opened(self._route, self._login, options=LIMITED)
        with bounded(self._connection):
            cursor = self._connection.execute(statement, parameters or None)
            found = cursor.fetchall() if cursor.description else []
        self._used = time.monotonic()
        return cursor, found

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
        with self._block(), ended_in_time(self._connection, undone=True):
            yield

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep everything that happens in the block, or nothing."""
        with self._block(), ended_in_time(self._connection):
            yield

    @contextmanager
    def _block(self) -> Iterator[None]:
        with self._lock:
            self._renew_if_cut()
            self._blocks += 1
            try:
                yield
            finally:
                self._blocks -= 1


class Reception(NamedTuple):
    """What came of somebody's attempt to connect.

    Attributes:
        refusal: the words with which it was refused; empty if it was not.
        system: of a replication connection the identifier of the system that it leads to.
    """

    refusal: str
    system: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """PostgreSQL at the end of a route.

    Attributes:
        route: leads to it.
        transcript: takes down what is asked.
    """

    route: Route
    transcript: Transcript

    def connect(self, login: Login) -> Session:
        """Open a connection.

        Raises:
            psycopg.OperationalError: nothing answered, or it refused; `refusal` tells which.
            ClusterError: the API was away for too long.
        """
        more = f" with {', '.join(login.wanted)}" if login.wanted else ""
        with self._asking(f"connect as {login.user}{more}", f"/{login.database}") as asking:
            connection = _opened_patiently(self.route, login)
            asking.answered("accepted")
        return Session(connection, login, self.route, self.transcript)

    def _system(self, login: Login) -> str:
        with self._asking(f"IDENTIFY_SYSTEM as {login.user}") as asking:
            identifier = ask_through(
                self.route, lambda: _system(self.route, login), is_silence=_is_silence
            )
            asking.answered(identifier)
            return identifier

    def refusal(self, login: Login) -> str:
        """Return the words with which a connection is refused; empty if it is accepted.

        Raises:
            ProbeError: nothing answered, so nobody refused.
        """
        return self._refusal(lambda: self.connect(login).close())

    def replication(self, login: Login) -> Reception:
        """Open a replication connection, and return what comes of it.

        Source: the PostgreSQL manual, "Streaming Replication Protocol", IDENTIFY_SYSTEM.

        Raises:
            ProbeError: nothing answered, so nobody refused.
        """
        systems: list[str] = []
        said = self._refusal(lambda: systems.append(self._system(login)))
        return Reception(said, *systems)

    def _refusal(self, attempt: Callable[[], object]) -> str:
        try:
            attempt()
        except psycopg.OperationalError as error:
            said = REFUSED.search(str(error))
            if said is None:
                raise ProbeError(
                    f"PostgreSQL at {self.route.target} did not answer {self.route.source}",
                    hint="`kubectl get pods,endpointslices -A` shows what is behind it",
                    evidence=str(error).splitlines()[:5],
                ) from error
            return said[1]
        return ""

    @contextmanager
    def _asking(self, asked: str, place: str = "") -> Iterator[Asking]:
        target = f"{self.route.target}{place}"
        with self.transcript.asking(asked, source=self.route.source, target=target) as asking:
            try:
                yield asking
            except psycopg.OperationalError as error:
                # libpq says much about the way there, which is ours; the server's word counts
                if said := REFUSED.search(str(error)):
                    asking.answered(f"refused: {said[1]}")
                raise


def _system(route: Route, login: Login) -> str:
    with opened(route, login, replication="true") as connection:
        # such a connection knows only the simple query protocol
        result = connection.pgconn.exec_(b"IDENTIFY_SYSTEM")
        return (result.get_value(0, 0) or b"").decode()


def identifiers(
    statement: LiteralString, *places: str | Sequence[str], **named: str | Sequence[str]
) -> psycopg.sql.Composed:
    """Return a statement with names in the place of its `{}` and `{name}`, quoted as names.

    Args:
        statement: the statement.
        places: a name, or `schema.name`, or both apart where a name may hold a dot.
        named: the same, by the names of their places.
    """
    return psycopg.sql.SQL(statement).format(
        *map(_identifier, places), **{place: _identifier(name) for place, name in named.items()}
    )


def _identifier(name: str | Sequence[str]) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(*(name.split(".") if isinstance(name, str) else name))


def opened(
    route: Route, login: Login, *, options: str = "", replication: str = "false"
) -> psycopg.Connection[Row]:
    """Open a bare connection, which nobody takes down.

    Raises:
        psycopg.OperationalError: nothing answered, or it refused.
    """
    # of several settings of the same the last one counts, and that is never the login's
    ours = (login.wanted.get("options"), options, READ_ONLY if route.is_read_only else "")
    settings: dict[str, Any] = {**login.wanted, "options": " ".join(filter(None, ours))}
    return psycopg.connect(
        host=LOOPBACK,
        port=route.port,
        user=login.user,
        password=login.password,
        dbname=login.database,
        connect_timeout=int(timeouts.CONNECT),
        application_name=APPLICATION,
        client_encoding=ENCODING,
        autocommit=True,
        replication=replication,
        **settings,
    )


def _opened_patiently(route: Route, login: Login) -> psycopg.Connection[Row]:
    return ask_through(route, lambda: opened(route, login, options=LIMITED), is_silence=_is_silence)


def _is_silence(error: Exception) -> bool:
    """Whether it was the connection that failed, and not the server that said so."""
    return isinstance(error, psycopg.OperationalError) and not (
        error.sqlstate or REFUSED.search(str(error))
    )


def _is_cut(connection: psycopg.Connection[Row]) -> bool:
    """Whether a connection on which nothing is under way has ended."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return False
    end = socket.socket(fileno=os.dup(connection.fileno()))
    try:
        return end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        end.close()


def _undoing(statement: Statement) -> psycopg.sql.Composed:
    asked = psycopg.sql.SQL(statement) if isinstance(statement, str) else statement
    return psycopg.sql.Composed([asked, psycopg.sql.SQL("; ROLLBACK")])


def _spelled(statement: Statement, connection: psycopg.Connection[Row]) -> str:
    if isinstance(statement, psycopg.sql.Composed):
        return statement.as_string(connection)
    return statement


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return "no row"
    return "; ".join(", ".join(str(value) for value in row) for row in rows)
