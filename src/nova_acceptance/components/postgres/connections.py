"""Connections to a PostgreSQL as its roles, through a Service in front of it."""

from __future__ import annotations

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import (
    Login,
    Session,
    connect,
    refusal,
    replication_refusal,
    replication_system,
)
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.witness import Witness


class RoleConnections:
    """Connects as roles of nova.yaml, with their passwords, from a pod that uses PostgreSQL.

    Args:
        spec: what nova.yaml says.
        postgres: the members, asked as the superuser.
        route: the way through a Service.
        witness: takes down what is asked.
    """

    def __init__(self, spec: Spec, postgres: Postgres, route: Route, witness: Witness) -> None:
        self.spec = spec
        self.postgres = postgres
        self._route = route
        self._witness = witness

    def login(self, reach: Reach) -> Login:
        """Return the login of a role to the database that it works in.

        Raises:
            BrokenClaimError: there is no such role.
        """
        return self.postgres.login(reach.role.name, reach.grant.database)

    def session(self, reach: Reach) -> Session:
        """Open a connection.

        Raises:
            psycopg.OperationalError: nothing answered, or it refused.
        """
        return connect(self._route, self.login(reach), self._witness)

    def refusal(self, login: Login) -> str:
        """Return the words with which a connection is refused; empty if it is accepted.

        Raises:
            ProbeError: nothing answered, so nobody refused.
        """
        return refusal(self._route, login, self._witness)

    def replication_refusal(self, login: Login) -> str:
        """Return the words with which a replication connection is refused; empty if it is not.

        Raises:
            ProbeError: nothing answered, so nobody refused.
        """
        return replication_refusal(self._route, login, self._witness)

    def replication_system(self, login: Login) -> str:
        """Return how the server that somebody would stream from identifies its system.

        Raises:
            psycopg.OperationalError: nothing answered, or it refused.
        """
        return replication_system(self._route, login, self._witness)
