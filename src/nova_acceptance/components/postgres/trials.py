"""Trying what roles must not be able to do: on one connection for a role in a database.

Each deed is tried in a transaction of its own that is undone, so that none of them sees what
another has done. One that is not to be had in a transaction has a connection of its own. Before the
first, the connection does what its role is allowed to; one that is lost in a deed is opened again
for the next, and does that again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import filterfalse
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.components.postgres.answers import of_error
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.deeds import MADE, is_of_a_test
from nova_acceptance.components.postgres.parts import Denial, Reach, schema_of
from nova_acceptance.components.postgres.sql import Session, Statement, identifiers
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.background import Answers, Background
from nova_acceptance.vantage.outcomes import Outcome, failed, outcome_of

_READING: Final = "reading"
"""What a role is allowed to do with the table, in the place of a deed."""


class Trials:
    """Tries deeds, and keeps for each role in a database the connection that all of them share.

    Args:
        connections: as the roles, to one PostgreSQL.
        background: where those are tried of which it is known that they are wanted.
    """

    def __init__(self, connections: RoleConnections, background: Background) -> None:
        self.connections = connections
        self._background = background
        self._lock = threading.Lock()
        self._locks = Locks()
        self._roles: dict[str, RoleTrials] = {}
        self._unread: dict[str, set[Denial]] = {}
        self._answers = Answers[Denial, bool](connections.server.transcript, self._outcome)

    def foresee(self, denials: Iterable[Denial]) -> None:
        """Try deeds that are going to be read: a role's in their order, the roles side by side."""
        is_read_only = self.connections.server.route.is_read_only
        wanted = [each for each in denials if not (each.writes and is_read_only)]
        with self._lock:
            for each in wanted:
                self._unread.setdefault(each.reach.name, set()).add(each)
        of_roles: dict[str, list[Denial]] = {}
        for each in wanted:
            if not each.deed.is_felt:
                of_roles.setdefault(each.reach.name, []).append(each)
        for deeds in of_roles.values():
            self._answers.foresee(self._background, deeds)

    def is_denied(self, denial: Denial) -> bool:
        """Say whether a deed is denied for lack of a right, by trying it, or as it was tried.

        Raises:
            FindingError: there is no table to try it on, or no such role.
            UnaskedError: it would change something if it could, in a run that only reads.
            psycopg.Error: it could not be tried to its end, so that nothing is shown.
        """
        if denial.writes:
            self.connections.server.route.require_writing()
        if denial.deed.is_felt:
            self._background.settle(only_felt=True)
        try:
            return self._answers.told(denial)
        finally:
            self._read(denial)

    def close(self) -> None:
        """Close what is open."""
        for each in self._roles.values():
            each.close()

    def _outcome(self, denial: Denial) -> Outcome[bool]:
        return self._of(denial.reach).outcome(denial)

    def _read(self, denial: Denial) -> None:
        """Close the connection of a role of which nothing more is wanted."""
        with self._lock:
            unread = self._unread.get(denial.reach.name, set())
            was_last = unread == {denial}
            unread.discard(denial)
        if was_last:
            self._of(denial.reach).close()

    def _of(self, reach: Reach) -> RoleTrials:
        with self._lock:
            if reach.name not in self._roles:
                self._roles[reach.name] = RoleTrials(self.connections, reach, self._locks)
            return self._roles[reach.name]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that deeds are tried on: a role has grants on it, and no test makes it."""

    database: str
    schema: str
    name: str
    maker: str

    @property
    def identifier(self) -> tuple[str, str]:
        """Schema and name."""
        return self.schema, self.name


class Locks:
    """Locks on tables that were waited for in vain, so that nobody waits for them twice.

    Who reads a table needs the weakest lock of all: where that is not to be had, none is. Whoever
    else could not get one says that only of what was tried.
    """

    def __init__(self) -> None:
        self._waits: dict[tuple[Table, str], tuple[Exception, tuple[Evidence, ...]]] = {}

    def add(self, table: Table, what: str, tried: Outcome[Any]) -> None:
        """Keep what was tried, if it has waited for a lock in vain."""
        if isinstance(tried.error, psycopg.errors.LockNotAvailable):
            self._waits[table, what] = tried.error, tried.evidence[-1:]

    def told(self, table: Table, *tried: str) -> Outcome[Any] | None:
        """Return what came of waiting for the lock that something would wait for as well."""
        for what in (_READING, *tried):
            if wait := self._waits.get((table, what)):
                return failed(wait[0], *wait[1])
        return None


class RoleTrials:
    """Tries the deeds of one role in one database. Threads may share it.

    Args:
        connections: as the role.
        reach: the role and the database.
        locks: those that were waited for already.
    """

    def __init__(self, connections: RoleConnections, reach: Reach, locks: Locks) -> None:
        self._connections = connections
        self._reach = reach
        self._locks = locks
        self._lock = threading.RLock()
        self._table: Outcome[Table] | None = None
        self._opened: Outcome[Session] | None = None

    def outcome(self, denial: Denial) -> Outcome[bool]:
        """Try a deed and return whether it is denied for lack of a right.

        What is asked once for all deeds of the role is in the evidence of each. Where it fails,
        all of them fail by it.
        """
        with self._lock:
            if self._table is None:
                self._table = outcome_of(self._find_table)
            found = self._table
            if found.error:
                return failed(found.error, *found.evidence)
            table = found.answer()
            return self._tried(denial, table).after(*found.evidence)

    def close(self) -> None:
        """Close what is open."""
        with self._lock:
            if self._opened and not self._opened.error:
                self._opened.answer().close()
            self._opened = None

    def _tried(self, denial: Denial, table: Table) -> Outcome[bool]:
        opened, is_new = self._session(table)
        if opened.error:
            return failed(opened.error, *opened.evidence)
        what = denial.deed.statement
        if "{table}" not in what:
            what = ""
        elif wait := self._locks.told(table, what):
            return wait.after(*opened.evidence)
        session = opened.answer()
        tried = outcome_of(lambda: self._is_denied(denial, session, table))
        if session.is_closed and not is_new:
            # maybe it was lost before the deed, since another one: on a new one it is known
            return self._tried(denial, table)
        self._locks.add(table, what, tried)
        return tried.after(*opened.evidence)

    def _session(self, table: Table) -> tuple[Outcome[Session], bool]:
        """Return the connection that the deeds share, and whether it was opened only now."""
        kept = self._opened
        if kept and (kept.error or not kept.answer().is_closed):
            return kept, False
        if wait := self._locks.told(table):
            return wait, True
        self._opened = outcome_of(lambda: self._open(table))
        self._locks.add(table, _READING, self._opened)
        return self._opened, True

    def _find_table(self) -> Table:
        """Return the first table of the role's own schema."""
        home = schema_of(self._connections.spec, self._reach)
        there = self._connections.postgres.tables(home.database, home.schema)
        # One that a test makes is gone in a moment: another worker's, or another shard's.
        tables = sorted(filterfalse(is_of_a_test, there))
        if not tables:
            sentence = Phrase(
                "schema {schema} of {database} holds no table",
                schema=home.schema,
                database=home.database,
            )
            raise FindingError(Finding.here("TABLE_MISSING", sentence))
        return Table(home.database, home.schema, tables[0], home.maker)

    def _open(self, table: Table) -> Session:
        """Return a connection that has done what its role is allowed to."""
        bounded = {"options": f"-c lock_timeout={1000 * timeouts.TABLE_LOCK:.0f}"}
        login = replace(self._connections.login(self._reach), wanted=bounded)
        session = self._connections.server.connect(login)
        try:
            session.rows(self._allowed(table))
        except BaseException:
            session.close()
            raise
        return session

    def _is_denied(self, denial: Denial, session: Session, table: Table) -> bool:
        deed = denial.deed
        statement = identifiers(
            deed.statement,
            table=table.identifier,
            schema=table.schema,
            owner=table.maker,
            role=self._reach.role.name,
            superuser=self._connections.spec.superuser.name,
            made=MADE,
        )
        if not deed.undo:
            return _is_denied(session.rows_undone, statement)
        try:
            with closing(self._open(table)) as alone:
                return _is_denied(alone.rows, statement)
        finally:
            undo = identifiers(deed.undo, made=MADE)
            self._connections.postgres.admin().rows(undo)

    def _allowed(self, table: Table) -> Statement:
        if "SELECT" in self._reach.grant.on_tables:
            return identifiers("SELECT 1 FROM {} LIMIT 1", table.identifier)
        return "SELECT 1"


def _is_denied(run: Callable[[Statement], object], statement: Statement) -> bool:
    """Whether a statement is denied for lack of a right."""
    try:
        run(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error as error:
        if of_error(error):
            raise
        # refused for something else, which is asked only of those who may
    return False
