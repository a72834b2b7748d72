"""A client that writes numbered rows without end, through every failure."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import LiteralString, Self

from nova_acceptance import timeouts
from nova_acceptance.components.postgres.sql import Login, Row, identifiers, opened
from nova_acceptance.libraries import psycopg
from nova_acceptance.vantage.routes import Route

PAUSE = 0.05
INSERT: LiteralString = "INSERT INTO {} (number) VALUES (%s) RETURNING host(inet_server_addr())"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One commit that the server acknowledged.

    Attributes:
        number: what was written.
        server: the address of the server that acknowledged it.
        at: when the acknowledgement came, in seconds of `time.monotonic`.
    """

    number: int
    server: str
    at: float


class Writer:
    """Inserts one number after the other, each in a transaction, for as long as the context lasts.

    A number whose commit was not acknowledged is not written again: whether it was kept is
    unknown, and either is right. Statements have no time limit on the server: cancelling one that
    waits for its synchronous replica would have the commit reported as done (PostgreSQL's manual,
    "Synchronous Replication").
    """

    def __init__(self, route: Route, login: Login, table: str) -> None:
        self._route = route
        self._login = login
        self._insert = identifiers(INSERT, table)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._connection: psycopg.Connection[Row] | None = None
        self._next = 0
        self.acknowledged: list[Acknowledged] = []
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        self._route.require_writing()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeouts.CONNECT)

    @property
    def servers(self) -> list[str]:
        """Who acknowledged, in the order of their first acknowledgements."""
        return list(dict.fromkeys(done.server for done in list(self.acknowledged)))

    def count(self, server: str) -> int:
        """Return how many commits a server has acknowledged up to now."""
        return sum(done.server == server for done in list(self.acknowledged))

    def first(self, server: str) -> float:
        """Return when a server first acknowledged a commit, in seconds of `time.monotonic`."""
        return next(done.at for done in self.acknowledged if done.server == server)

    def _write(self) -> None:
        while not self._over.is_set():
            try:
                with opened(self._route, self._login) as connection:
                    self._write_on(connection)
            except psycopg.Error as error:
                self.errors.append((str(error).splitlines() or [type(error).__name__])[0])
                self._over.wait(PAUSE)

    def _write_on(self, connection: psycopg.Connection[Row]) -> None:
        while not self._over.is_set():
            self._next += 1
            (row,) = connection.execute(self._insert, (self._next,)).fetchall()
            self.acknowledged.append(Acknowledged(self._next, row[0], time.monotonic()))
            self._over.wait(PAUSE)
