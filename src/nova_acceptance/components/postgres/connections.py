"""Connections to a PostgreSQL as its roles, through a Service in front of it."""

from __future__ import annotations

from dataclasses import dataclass

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login, Server, Session


@dataclass(frozen=True, slots=True)
class RoleConnections:
    """Connects as roles of nova.yaml, with their passwords, from a pod that uses PostgreSQL.

    Attributes:
        spec: what nova.yaml says.
        postgres: the members, asked as the superuser.
        server: what is behind the Service.
    """

    spec: Spec
    postgres: Postgres
    server: Server

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
        return self.server.refusal(login)

    def replication_refusal(self, login: Login) -> str:
        """Return the words with which a replication connection is refused; empty if it is not.

        Raises:
            UnaskedError: the way there ends on the loopback of PostgreSQL's pod.
            ProbeError: nothing answered, so nobody refused.
        """
        self.server.route.require_network()
        return self.server.replication_refusal(login)

    def session(self, reach: Reach) -> Session:
        """Open a connection.

        Raises:
            psycopg.OperationalError: nothing answered, or it refused.
        """
        return self.server.connect(self.login(reach))
