"""Connections to a PostgreSQL as its roles, through a Service in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login, Reception, Server, Session
from nova_acceptance.vantage.background import Answers, answering


class Attempt(NamedTuple):
    """Somebody tries to connect.

    Attributes:
        login: who tries, and to which database.
        is_to_replicate: whether it is to stream what is written.
        is_within: whether it is from inside the leader's own pod, and not through the Service.
    """

    login: Login
    is_to_replicate: bool = False
    is_within: bool = False


@dataclass(frozen=True, slots=True)
class RoleConnections:
    """Connects as roles of nova.yaml, with their passwords, from a pod that uses PostgreSQL.

    Attributes:
        spec: what nova.yaml says.
        postgres: the members, asked as the superuser.
        server: what is behind the Service.
        attempts: what comes of attempts to connect, each made once.
    """

    spec: Spec
    postgres: Postgres
    server: Server
    attempts: Answers[Attempt, Reception] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        asking = answering(self._made)
        object.__setattr__(self, "attempts", Answers(self.server.transcript, asking))

    def login(self, reach: Reach) -> Login:
        """Return the login of a role to the database that it works in.

        Raises:
            FindingError: there is no such role.
        """
        return self.postgres.login(reach.role.name, reach.grant.database)

    def refusal(self, login: Login) -> str:
        """Return the words with which a connection is refused; empty if it is accepted.

        Raises:
            UnaskedError: the way there ends on the loopback of PostgreSQL's pod.
            ProbeError: nothing answered, so nobody refused.
        """
        self.server.route.require_network()
        return self.attempts.told(Attempt(login)).refusal

    def replication(self, login: Login) -> Reception:
        """Return what comes of a replication connection.

        Raises:
            UnaskedError: the way there ends on the loopback of PostgreSQL's pod.
            ProbeError: nothing answered, so nobody refused.
        """
        self.server.route.require_network()
        return self.attempts.told(Attempt(login, is_to_replicate=True))

    def refusal_within(self, login: Login) -> str:
        """Return the words with which the leader refuses a connection from inside its own pod.

        They are empty where it accepts it.

        Raises:
            ProbeError: nothing answered, so nobody refused.
        """
        return self.attempts.told(Attempt(login, is_within=True)).refusal

    def session(self, reach: Reach) -> Session:
        """Open a connection.

        Raises:
            psycopg.OperationalError: nothing answered, or it refused.
        """
        return self.server.connect(self.login(reach))

    def _made(self, attempt: Attempt) -> Reception:
        if attempt.is_to_replicate:
            return self.server.replication(attempt.login)
        server = self.postgres.server if attempt.is_within else self.server
        return Reception(server.refusal(attempt.login))
