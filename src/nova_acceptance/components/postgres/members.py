"""PostgreSQL's members: who of them leads, and connections to each as the superuser."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from nova_acceptance import timeouts
from nova_acceptance.components.postgres.leading import leading
from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import PodRef
from nova_acceptance.libraries import psycopg
from nova_acceptance.vantage.at_once import of_each

MAINTENANCE = "postgres"


class Members:
    """The members of a PostgreSQL, asked as the superuser. Threads may share it.

    Args:
        members: the pods by name.
        superuser: a login; only its database changes.
        server_of: returns what listens in a pod.
    """

    def __init__(
        self,
        members: Mapping[str, PodRef],
        superuser: Login,
        server_of: Callable[[PodRef], Server],
    ) -> None:
        self.members = dict(members)
        self._superuser = superuser
        self._server_of = server_of
        self._lock = threading.RLock()
        self._leader = ""
        self._sessions: dict[str, Session] = {}
        self._opening: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._failure: ProbeError | None = None
        self._failed = 0.0

    def close(self) -> None:
        """Close what is open."""
        self.forget_leader()

    def member(self, name: str, database: str = MAINTENANCE) -> Session:
        """Open a connection to one member, whatever its role is."""
        login = replace(self._superuser, database=database)
        return self._server_of(self.members[name]).connect(login)

    @contextmanager
    def opened(self, names: Iterable[str], database: str) -> Iterator[list[Session]]:
        """Have a connection to each of some members, opened all at once.

        Raises:
            psycopg.OperationalError: one did not answer, or refused.
        """
        opening = of_each(names, lambda name: self.member(name, database)).values()
        with ExitStack() as stack:
            found = [stack.enter_context(it.result()) for it in opening if not it.exception()]
            for it in opening:
                it.result()
            yield found

    @property
    def leader(self) -> str:
        """The name of the one member that is not in recovery.

        A failure to find it is remembered for a while: it takes long where members are silent.

        Raises:
            LeadershipError: none leads, or several do.
            ProbeError: the members could not be asked.
        """
        with self._lock:
            if self._failure and time.monotonic() - self._failed < timeouts.FAILURE_SERVES:
                raise self._failure
            if not self._leader:
                opened: dict[str, Session] = {}
                try:
                    self._leader = leading(*self._roll_call(opened))
                    # it was asked on the connection that is wanted next
                    self._sessions[MAINTENANCE] = opened.pop(self._leader)
                except ProbeError as error:
                    self._failure, self._failed = error, time.monotonic()
                    raise
                finally:
                    for session in opened.values():
                        session.close()
            return self._leader

    @property
    def replicas(self) -> list[str]:
        """The names of the others."""
        return [name for name in self.members if name != self.leader]

    def roll_call(self) -> tuple[dict[str, bool], dict[str, psycopg.OperationalError]]:
        """Ask all members at once whether they follow.

        Returns:
            What each said, and for those that could not be asked why.
        """
        opened: dict[str, Session] = {}
        try:
            return self._roll_call(opened)
        finally:
            for session in opened.values():
                session.close()

    def find_leader(self) -> str:
        """Ask every member anew and return the leader's name; a replica may be away.

        Raises:
            LeadershipError: none leads, or several do.
            ProbeError: nobody was found to lead, and not all could be asked.
        """
        return leading(*self.roll_call())

    @property
    def server(self) -> Server:
        """The leader, reached from inside its pod."""
        return self._server_of(self.members[self.leader])

    def forget_leader(self) -> None:
        """Ask again who leads, the next time; for when that may have changed."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()
            self._leader = ""
            self._failure = None

    def _roll_call(
        self, opened: dict[str, Session]
    ) -> tuple[dict[str, bool], dict[str, psycopg.OperationalError]]:
        """Do the same, and leave the connections open, by the members' names."""

        def follows(name: str) -> bool:
            session = opened[name] = self.member(name)
            return bool(session.value("SELECT pg_is_in_recovery()"))

        answers: dict[str, bool] = {}
        failures: dict[str, psycopg.OperationalError] = {}
        for name, future in of_each(self.members, follows).items():
            try:
                answers[name] = future.result()
            except psycopg.OperationalError as error:
                failures[name] = error
        return answers, failures

    def admin(self, database: str = MAINTENANCE) -> Session:
        """Return the superuser's connection to the leader, kept open for the next question."""
        with self._lock:
            opening = self._opening[database]
        with opening:  # whoever wants another database does not wait for this one
            while True:
                leader = self.leader
                with self._lock:
                    kept = self._sessions.get(database)
                if kept and not kept.is_closed:
                    return kept
                made = self.member(leader, database)
                with self._lock:
                    if leader == self._leader:
                        self._sessions[database] = made
                        return made
                made.close()

    def open(self, databases: Iterable[str]) -> None:
        """Open the superuser's connections to the leader before anybody asks on them.

        Raises:
            ProbeError: the leader was not found.
            psycopg.OperationalError: a connection was refused.
        """
        self.admin()
        for opening in of_each(databases, self.admin).values():
            opening.result()
