"""A role of PostgreSQL: its attributes, its memberships and what it may effectively do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, LiteralString

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


@dataclass(frozen=True, eq=False)
class Role:
    """One role that exists, asked of the leader.

    Privileges are effective ones: granted, inherited, through PUBLIC, or by being a superuser.
    Source: the PostgreSQL manual, "Access Privilege Inquiry Functions".

    Args:
        name: the role's name.
        session: returns a superuser's session in a database.
    """

    name: str
    _session: Callable[[str], Session]

    @property
    def has_expired(self) -> bool:
        """Whether its password has come to its end."""
        found: bool = self._session("postgres").value(
            "SELECT coalesce(rolvaliduntil <= now(), false) FROM pg_roles WHERE rolname = %s",
            self.name,
        )
        return found

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that are on, of SUPERUSER, LOGIN, REPLICATION, CREATEDB and the like."""
        (row,) = self._session("postgres").rows(
            "SELECT rolsuper, rolcanlogin, rolreplication, rolcreatedb, rolcreaterole,"
            " rolbypassrls FROM pg_roles WHERE rolname = %s",
            self.name,
        )
        return frozenset(
            name for name, is_on in zip(ATTRIBUTES.values(), row, strict=True) if is_on
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
            *3 * (self.name,),
        )

    @property
    def direct_memberships(self) -> frozenset[str]:
        """The roles that it was made a member of; a REVOKE takes away these alone."""
        return self._session("postgres").column(
            "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
            " JOIN pg_roles own ON own.oid = m.member WHERE own.rolname = %s",
            self.name,
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

    def privileges_on_database(self, database: str) -> frozenset[str]:
        """What it may do with a database: CONNECT, CREATE, TEMPORARY."""
        asked: LiteralString = "has_database_privilege(%s, current_database(), p)"
        return self._held(database, ON_DATABASE, asked)

    def privileges_on_schema(self, schema: str, *, database: str) -> frozenset[str]:
        """What it may do with a schema: USAGE, CREATE."""
        return self._held(database, ON_SCHEMA, "has_schema_privilege(%s, %s, p)", schema)

    def privileges_on_table(self, schema: str, table: str, *, database: str) -> frozenset[str]:
        """What it may do with a table."""
        asked: LiteralString = "has_table_privilege(%s, format('%%I.%%I', %s::text, %s::text), p)"
        return self._held(database, ON_TABLE, asked, schema, table)

    def privileges_on_sequence(
        self, schema: str, sequence: str, *, database: str
    ) -> frozenset[str]:
        """What it may do with a sequence."""
        asked: LiteralString = (
            "has_sequence_privilege(%s, format('%%I.%%I', %s::text, %s::text), p)"
        )
        return self._held(database, ON_SEQUENCE, asked, schema, sequence)

    def _held(
        self, database: str, rights: tuple[str, ...], asked: LiteralString, *of: str
    ) -> frozenset[str]:
        statement = "SELECT p FROM unnest(%s::text[]) p WHERE " + asked  # noqa: S608 - both literal
        return self._session(database).column(statement, list(rights), self.name, *of)
