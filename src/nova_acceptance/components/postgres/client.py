"""PostgreSQL as a test sees it: members, databases and roles, asked of the server itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import LiteralString

from nova_acceptance import timeouts
from nova_acceptance.components.postgres.access import Access, as_everybody, granted, of_everybody
from nova_acceptance.components.postgres.members import MAINTENANCE, Members
from nova_acceptance.components.postgres.roles import Role
from nova_acceptance.components.postgres.shown import no_role, password_ended
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login, Row, Server
from nova_acceptance.findings import FindingError
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.lately import Lately


class Postgres(Members):
    """What is in a PostgreSQL, by its leader: databases, schemas, tables, roles and their rights.

    Args:
        members: the pods by name.
        superuser: a login; only its database changes.
        server_of: returns what listens in a pod.
        address_of: returns the address that a pod has now.
        password_of: returns the password of a role, as its Secret has it.
        pod_at: returns which pod of the cluster has an address, in words; empty if none alone has.
        spec: what nova.yaml says of it, which a cure has to leave behind; None where there is none.
        serves: seconds for which it is known which roles, databases, schemas and tables there are.
    """

    def __init__(
        self,
        members: Mapping[str, PodRef],
        superuser: Login,
        server_of: Callable[[PodRef], Server],
        *,
        address_of: Callable[[PodRef], str] = lambda _pod: "",
        password_of: Callable[[str], str] = lambda _role: "",
        pod_at: Callable[[str], str] = lambda _address: "",
        spec: Spec | None = None,
        serves: float = timeouts.ANSWER_SERVES,
    ) -> None:
        super().__init__(members, superuser, server_of)
        self._address_of = address_of
        self._password_of = password_of
        self.pod_at = pod_at
        self.spec = spec
        self._serves = serves
        self._there: dict[tuple[str, ...], Lately[list[Row]]] = {}

    def forget_leader(self) -> None:
        """Ask again who leads, the next time, and what is there."""
        with self._lock:
            super().forget_leader()
            self._there.clear()

    def role(self, name: str) -> Role:
        """Return a role.

        Raises:
            FindingError: there is none of that name.
        """
        there = self._roles
        if name not in there:
            raise FindingError(no_role(name))
        return Role(name, self.admin, has_expired=there[name])

    @property
    def everybody(self) -> Role:
        """PUBLIC, as whose member every role holds what it holds."""
        return Role("public", self.admin)

    def any_role(self, name: str) -> Role:
        """Return a role that exists, one of PostgreSQL's own as well."""
        return Role(name, self.admin)

    @property
    def role_names(self) -> frozenset[str]:
        """The roles that there are, but for PostgreSQL's own."""
        return frozenset(self._roles)

    @property
    def _roles(self) -> dict[str, bool]:
        """The same roles, and whether the password of each has come to its end."""
        rows = self._what_is_there(
            "SELECT rolname, coalesce(rolvaliduntil <= now(), false)"
            " FROM pg_roles WHERE rolname !~ '^pg_'"
        )
        return {str(name): bool(has_expired) for name, has_expired in rows}

    def _what_is_there(
        self, statement: LiteralString, database: str = MAINTENANCE, *parameters: str
    ) -> list[Row]:
        """Return what a database answers now, or answered another test a moment ago.

        Nearly every test wants to know whether what it is about is there, and a question costs more
        than most of them do. What was asked for it is evidence of each.
        """

        def ask() -> list[Row]:
            return self.admin(database).rows(statement, *parameters)

        transcript, question = self.server.transcript, (statement, database, *parameters)
        with self._lock:
            asked = self._there.setdefault(question, Lately(transcript, ask, serves=self._serves))
        return asked.told()

    def login(self, role: str, database: str = MAINTENANCE, password: str | None = None) -> Login:
        """Return the login of a role that exists; by itself with the password of its Secret.

        PostgreSQL does not tell a role that is not there from one whose password is wrong.

        Raises:
            FindingError: there is no such role, or its password has come to its end.
        """
        if self.role(role).has_expired:
            raise FindingError(password_ended(role))
        return Login(role, database, self._password_of(role) if password is None else password)

    @property
    def own_settings(self) -> list[tuple[Phrase, str]]:
        """What is set by hand, by ALTER SYSTEM, ALTER ROLE or ALTER DATABASE: where, and what.

        Where followers find their leader is kept beside it by PostgreSQL's own tools.
        Source: the PostgreSQL manual, "pg_db_role_setting" and "pg_file_settings".
        """
        rows = self.admin().rows(
            "SELECT false, rolname::text, datname::text, setting"
            " FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole"
            " LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS setting"
            " UNION ALL SELECT true, NULL, NULL, name || '=' || setting"
            " FROM pg_file_settings WHERE sourcefile ~ 'postgresql[.]auto[.]conf$'"
            " AND name !~ '^primary_' ORDER BY 1, 2, 3, 4"
        )
        return [(_set_at(*where), str(setting)) for *where, setting in rows]

    @property
    def databases(self) -> dict[str, str]:
        """The databases that hold something of somebody's, with their owners."""
        rows = self._what_is_there(
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate"
        )
        return {str(name): str(owner) for name, owner in rows if name != MAINTENANCE}

    def schemas(self, database: str) -> dict[str, str]:
        """The schemas of a database that are not PostgreSQL's own, with their owners."""
        rows = self._what_is_there(
            "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
            database,
        )
        return {str(name): str(owner) for name, owner in rows}

    def tables(self, database: str, schema: str) -> dict[str, str]:
        """The tables of a schema, with their owners."""
        return self._relations(database, schema, "('r', 'p')")

    def sequences(self, database: str, schema: str) -> dict[str, str]:
        """The sequences of a schema, with their owners."""
        return self._relations(database, schema, "('S')")

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
        After these two it says what the object is in a statement: kind, schema, name (a function's
        quoted and with its arguments), and who makes what is still to come.
        """
        return of_everybody(self.admin(database))

    def granted(self, database: str) -> Access:
        """Return who was granted what in a database, and by whom."""
        return granted(self.admin(database))

    def tables_of_sequences(self, database: str, schema: str) -> dict[str, str]:
        """The sequences of a schema that belong to a table's column, with that table.

        Of serial and identity columns: such a sequence has its table's owner, and no other.
        Source: the PostgreSQL manual, "ALTER SEQUENCE", OWNED BY, and "pg_depend".
        """
        rows = self.admin(database).rows(
            "SELECT s.relname, t.relname FROM pg_depend"
            " JOIN pg_class s ON s.oid = objid JOIN pg_class t ON t.oid = refobjid"
            " WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass"
            " AND deptype IN ('a', 'i') AND refobjsubid > 0 AND s.relkind = 'S'"
            " AND s.relnamespace = to_regnamespace(quote_ident(%s))",
            schema,
        )
        return {str(sequence): str(table) for sequence, table in rows}

    def cut_off(self, database: str) -> list[str]:
        """Who connects to a database as one of PUBLIC alone, of all roles that may log in.

        Templates are left out: nobody works there, and to copy one takes no right to connect.
        """
        return as_everybody(self.admin(), database)

    @property
    def standbys(self) -> dict[str, tuple[str, str]]:
        """What the leader sends to: state and synchrony by the member's name.

        A follower is known by its application name, which Patroni makes the member's, or else by
        its pod's address. Who is no member is there by both.
        """
        rows = self.admin().rows(
            "SELECT application_name, host(client_addr), state, sync_state FROM pg_stat_replication"
        )
        return {
            self._member_of(str(name), str(address or "")): (str(state), str(synchrony))
            for name, address, state, synchrony in rows
        }

    def _member_of(self, application: str, address: str) -> str:
        if application in self.members:
            return application
        if not address:
            return application  # from the leader's own pod, by its socket
        named = (name for name, pod in self.members.items() if self._address_of(pod) == address)
        return next(named, f"{application} at {address}")

    def _relations(self, database: str, schema: str, kinds: LiteralString) -> dict[str, str]:
        rows = self._what_is_there(
            "SELECT relname, pg_get_userbyid(relowner) FROM pg_class"  # noqa: S608 - both literal
            " WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind IN " + kinds,
            database,
            schema,
        )
        return {str(name): str(owner) for name, owner in rows}


def _set_at(is_of_the_server: object, role: object, database: object) -> Phrase:
    """Return where something is set by hand."""
    if is_of_the_server:
        return Phrase("the leader, by ALTER SYSTEM,")
    return Phrase(
        "role {role} in database {database}"
        if role and database
        else "database {database}"
        if database
        else "role {role}"
        if role
        else "every role",
        role=role,
        database=database,
    )
