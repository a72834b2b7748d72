"""A role of PostgreSQL: its attributes, its memberships and what it may effectively do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nova_acceptance.components.postgres.sql import Session

ATTRIBUTES: Final = {
    "rolsuper": "SUPERUSER",
    "rolcanlogin": "LOGIN",
    "rolreplication": "REPLICATION",
    "rolcreatedb": "CREATEDB",
    "rolcreaterole": "CREATEROLE",
    "rolbypassrls": "BYPASSRLS",
}
ON_DATABASE: Final = ("CONNECT", "CREATE", "TEMPORARY")
ON_SCHEMA: Final = ("USAGE", "CREATE")
ON_TABLE: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
ON_SEQUENCE: Final = ("USAGE", "SELECT", "UPDATE")


class Role:
    """One role, asked of the leader.

    Privileges are effective ones: granted, inherited, through PUBLIC, or by being a superuser.
    Source: the PostgreSQL manual, "Access Privilege Inquiry Functions".

    Args:
        name: the role's name.
        session: returns a superuser's session in a database.
    """

    def __init__(self, name: str, session: Callable[[str], Session]) -> None:
        self.name = name
        self._session = session

    @property
    def exists(self) -> bool:
        """Whether there is such a role."""
        rows = self._session("postgres").rows(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", self.name
        )
        return bool(rows)

    @property
    def has_expired(self) -> bool:
        """Whether its password has come to its end."""
        rows = self._session("postgres").rows(
            "SELECT coalesce(rolvaliduntil <= now(), false) FROM pg_roles WHERE rolname = %s",
            self.name,
        )
        return rows == [(True,)]

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that are on, of SUPERUSER, LOGIN, REPLICATION, CREATEDB and the like.

        Raises:
            LookupError: there is no such role.
        """
        rows = self._session("postgres").rows(
            "SELECT rolsuper, rolcanlogin, rolreplication, rolcreatedb, rolcreaterole,"
            " rolbypassrls FROM pg_roles WHERE rolname = %s",
            self.name,
        )
        if not rows:
            raise LookupError(f"there is no role {self.name}")
        return frozenset(
            name for name, is_on in zip(ATTRIBUTES.values(), rows[0], strict=True) if is_on
        )

    @property
    def is_superuser(self) -> bool:
        """Whether every check is passed over."""
        return "SUPERUSER" in self.attributes

    @property
    def memberships(self) -> frozenset[str]:
        """The roles that it is a member of, directly or not."""
        return self._session("postgres").column(
            # the owner of the database that is asked is a member of pg_database_owner by that alone
            "SELECT rolname FROM pg_roles WHERE rolname NOT IN (%s, 'pg_database_owner')"
            " AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = %s)"
            " AND pg_has_role(%s, oid, 'MEMBER')",
            self.name,
            self.name,
            self.name,
        )

    def privileges_on_database(self, database: str) -> frozenset[str]:
        """What it may do with a database: CONNECT, CREATE, TEMPORARY."""
        return self._session(database).column(
            "SELECT p FROM unnest(%s::text[]) p"
            " WHERE has_database_privilege(%s, current_database(), p)",
            list(ON_DATABASE),
            self.name,
        )

    def privileges_on_schema(self, schema: str, *, database: str) -> frozenset[str]:
        """What it may do with a schema: USAGE, CREATE."""
        return self._session(database).column(
            "SELECT p FROM unnest(%s::text[]) p WHERE has_schema_privilege(%s, %s, p)",
            list(ON_SCHEMA),
            self.name,
            schema,
        )

    def privileges_on_table(self, schema: str, table: str, *, database: str) -> frozenset[str]:
        """What it may do with a table."""
        return self._session(database).column(
            "SELECT p FROM unnest(%s::text[]) p"
            " WHERE has_table_privilege(%s, format('%%I.%%I', %s::text, %s::text), p)",
            list(ON_TABLE),
            self.name,
            schema,
            table,
        )

    def privileges_on_sequence(
        self, schema: str, sequence: str, *, database: str
    ) -> frozenset[str]:
        """What it may do with a sequence."""
        return self._session(database).column(
            "SELECT p FROM unnest(%s::text[]) p"
            " WHERE has_sequence_privilege(%s, format('%%I.%%I', %s::text, %s::text), p)",
            list(ON_SEQUENCE),
            self.name,
            schema,
            sequence,
        )

    @property
    def stored_password(self) -> str:
        """How its password is stored: `SCRAM-SHA-256`, `md5`, otherwise, or `none`; never the hash.

        Source: the PostgreSQL manual, "pg_authid".
        """
        stored: str = self._session("postgres").value(
            "SELECT CASE WHEN rolpassword IS NULL THEN 'none'"
            " WHEN starts_with(rolpassword, 'SCRAM-SHA-256$') THEN 'SCRAM-SHA-256'"
            " WHEN starts_with(rolpassword, 'md5') THEN 'md5' ELSE 'another form' END"
            " FROM pg_authid WHERE rolname = %s",
            self.name,
        )
        return stored
