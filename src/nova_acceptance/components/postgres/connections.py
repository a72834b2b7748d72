"""Connections to a PostgreSQL as its roles, through a Service in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.vantage.background import Answers, answering


class Attempt(NamedTuple):
    """Somebody tries to connect: to a database, or to stream what is written."""

    login: Login
    is_to_replicate: bool = False


@dataclass(frozen=True, slots=True)
class RoleConnections:
    """Connects as roles of nova.yaml, with their passwords, from a pod that uses PostgreSQL.

    Attributes:
        spec: what nova.yaml says.
        postgres: the members, asked as the superuser.
        server: what is behind the Service.
        refusals: the words with which attempts are refused, each made once.
    """

    spec: Spec
    postgres: Postgres
    server: Server
    refusals: Answers[Attempt, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        asking = answering(self._refused)
        object.__setattr__(self, "refusals", Answers(self.server.transcript, asking))

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
        return self.refusals.told(Attempt(login))

    def replication_refusal(self, login: Login) -> str:
        """Return the words with which a replication connection is refused; empty if it is not.

        Raises:
            UnaskedError: the way there ends on the loopback of PostgreSQL's pod.
            ProbeError: nothing answered, so nobody refused.
        """
        self.server.route.require_network()
        return self.refusals.told(Attempt(login, is_to_replicate=True))

    def session(self, reach: Reach) -> Session:
        """Open a connection.

        Raises:
            psycopg.OperationalError: nothing answered, or it refused.
        """
        return self.server.connect(self.login(reach))

    def _refused(self, attempt: Attempt) -> str:
        if attempt.is_to_replicate:
            return self.server.replication_refusal(attempt.login)
        return self.server.refusal(attempt.login)
