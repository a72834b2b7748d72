"""PostgreSQL as a test sees it: members, databases and roles, asked of the server itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import psycopg

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import PodRef
from nova_acceptance.probes.roles import Role
from nova_acceptance.probes.routes import Routes
from nova_acceptance.probes.sql import Login, Row, Session, connect
from nova_acceptance.probes.witness import Witness

MAINTENANCE = "postgres"


class Postgres:
    """PostgreSQL's members behind Patroni, asked as the superuser.

    Args:
        members: the pods by name.
        port: where they listen.
        superuser: a login; only its database changes.
        routes: the ways to the pods.
        witness: who takes down what is asked.
    """

    def __init__(
        self,
        members: Mapping[str, PodRef],
        port: int,
        superuser: Login,
        routes: Routes,
        witness: Witness,
    ) -> None:
        self.members = dict(members)
        self._port = port
        self._superuser = superuser
        self._routes = routes
        self._witness = witness
        self._lock = threading.RLock()
        self._leader = ""
        self._sessions: dict[str, Session] = {}

    def close(self) -> None:
        """Close what is open."""
        self.forget_leader()

    def member(self, name: str, database: str = MAINTENANCE) -> Session:
        """Open a connection to one member, whatever its role is."""
        route = self._routes.to(self.members[name], self._port)
        login = Login(self._superuser.user, database, self._superuser.password)
        return connect(route, login, self._witness)

    @property
    def leader(self) -> str:
        """The name of the one member that is not in recovery.

        Raises:
            ProbeError: none leads, or several do.
        """
        with self._lock:
            if not self._leader:
                self._leader = self.find_leader()
            return self._leader

    @property
    def replicas(self) -> list[str]:
        """The names of the others."""
        return [name for name in self.members if name != self.leader]

    @property
    def in_recovery(self) -> dict[str, bool]:
        """What each member says of itself: whether it follows."""
        answers = {}
        for name in self.members:
            with self.member(name) as session:
                answers[name] = bool(session.value("SELECT pg_is_in_recovery()"))
        return answers

    def find_leader(self) -> str:
        """Ask every member anew and return the leader's name.

        Raises:
            ProbeError: none leads, or several do, or one could not be asked.
        """
        try:
            leaders = [name for name, follows in self.in_recovery.items() if not follows]
        except psycopg.OperationalError as error:
            raise ProbeError(
                "a member of PostgreSQL could not be asked whether it leads",
                hint="`kubectl get pods -A -l app.kubernetes.io/name=postgres` shows them",
                evidence=str(error).splitlines()[:5],
            ) from error
        if len(leaders) != 1:
            raise ProbeError(
                f"PostgreSQL has {len(leaders)} leaders: {', '.join(leaders) or 'none'}",
                hint="Patroni's log says why: `kubectl logs -l app.kubernetes.io/name=postgres`",
            )
        return leaders[0]

    def forget_leader(self) -> None:
        """Ask again who leads, the next time; for when that may have changed."""
        with self._lock:
            for session in self._sessions.values():
                session.__exit__(None, None, None)
            self._sessions.clear()
            self._leader = ""

    def admin(self, database: str = MAINTENANCE) -> Session:
        """Return the superuser's connection to the leader, kept open for the next question."""
        with self._lock:
            kept = self._sessions.get(database)
            if kept is None or kept.is_closed:
                kept = self._sessions[database] = self.member(self.leader, database)
            return kept

    def role(self, name: str) -> Role:
        """Return a role, whether it exists or not."""
        return Role(name, self.admin)

    @property
    def databases(self) -> dict[str, str]:
        """The databases that hold something of somebody's, with their owners."""
        rows = self.admin().rows(
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate"
        )
        return {str(name): str(owner) for name, owner in rows if name != MAINTENANCE}

    def schemas(self, database: str) -> dict[str, str]:
        """The schemas of a database that are not PostgreSQL's own, with their owners."""
        rows = self.admin(database).rows(
            "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        )
        return {str(name): str(owner) for name, owner in rows}

    def tables(self, database: str, schema: str) -> dict[str, str]:
        """The tables of a schema, with their owners."""
        return self._relations(database, schema, "r", "p")

    def sequences(self, database: str, schema: str) -> dict[str, str]:
        """The sequences of a schema, with their owners."""
        return self._relations(database, schema, "S")

    @property
    def public_on_databases(self) -> list[Row]:
        """What PUBLIC holds on databases, templates included: database and privilege."""
        return self.admin().rows(
            "SELECT datname, privilege_type"
            " FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))"
            " WHERE grantee = 0 ORDER BY 1, 2"
        )

    def public_in(self, database: str) -> list[Row]:
        """What PUBLIC holds in a database outside PostgreSQL's own schemas: object and privilege.

        Schemas, tables, sequences, views, functions and the default privileges of what is to come.
        Source: the PostgreSQL manual, "Privileges", table 5.2, and `acldefault` for no ACL at all.
        """
        return self.admin(database).rows(
            """
            WITH ours AS (
                SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
                WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
            ), held AS (
                SELECT 'schema ' || nspname AS what, coalesce(nspacl, acldefault('n', nspowner))
                    AS acl FROM ours
                UNION ALL
                SELECT 'relation ' || c.oid::regclass, coalesce(relacl, acldefault(
                    CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
                    FROM pg_class c JOIN ours ON ours.oid = relnamespace
                    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                UNION ALL
                SELECT 'function ' || p.oid::regprocedure,
                    coalesce(proacl, acldefault('f', proowner))
                    FROM pg_proc p JOIN ours ON ours.oid = pronamespace
                UNION ALL
                SELECT format('what %s makes (%s)', pg_get_userbyid(defaclrole), defaclobjtype),
                    defaclacl FROM pg_default_acl
            )
            SELECT what, privilege_type FROM held, aclexplode(acl) WHERE grantee = 0 ORDER BY 1, 2
            """
        )

    @property
    def standbys(self) -> dict[str, tuple[str, str]]:
        """The replicas that the leader sends to: state and synchrony by application name."""
        rows = self.admin().rows(
            "SELECT application_name, state, sync_state FROM pg_stat_replication"
        )
        return {str(name): (str(state), str(synchrony)) for name, state, synchrony in rows}

    def _relations(self, database: str, schema: str, *kinds: str) -> dict[str, str]:
        rows = self.admin(database).rows(
            "SELECT relname, pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = to_regnamespace(%s) AND relkind = ANY(%s)",
            schema,
            list(kinds),
        )
        return {str(name): str(owner) for name, owner in rows}
