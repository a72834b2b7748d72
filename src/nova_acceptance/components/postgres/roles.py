"""A role of PostgreSQL: its attributes, its memberships and what it may effectively do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, LiteralString

from nova_acceptance.components.postgres.sql import Session
from nova_acceptance.components.postgres.statements import Membership

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

_JOINED: Final[LiteralString] = """
    WITH RECURSIVE own AS (
        SELECT oid, rolsuper FROM pg_roles WHERE rolname = %s
    ), listed AS (
        SELECT m.roleid AS role, m.member, m.grantor, m.admin_option AS admits, r.rolcreaterole,
            coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) AS inherits,
            coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS sets,
            to_jsonb(m) ->> 'set_option' IS NOT NULL AS keeps_grantor
        FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
    ), joined AS (
        SELECT *, inherits OR sets OR admits AND NOT rolcreaterole AS gives FROM listed
    )
"""
"""Memberships, and whether they give anything.

From PostgreSQL 16 on each says for itself whether its member has the rights of the other, and
whether it may become it; before, the member's INHERIT says the first, and the second is so. From 16
on whoever may make roles may let others into those that it made: that is what CREATEROLE means.
The role numbered 10 is the first superuser, who is taken for the grantor where none is named.
Source: the PostgreSQL manual, "pg_auth_members", "Role Membership", "GRANT" and "CREATE ROLE".
"""


@dataclass(frozen=True, eq=False)
class Role:
    """One role that exists, asked of the leader.

    Privileges are effective ones: granted, inherited, through PUBLIC, or by being a superuser.
    Source: the PostgreSQL manual, "Access Privilege Inquiry Functions".

    Args:
        name: the role's name.
        session: returns a superuser's session in a database.
        has_expired: whether its password has come to its end.
    """

    name: str
    _session: Callable[[str], Session]
    has_expired: bool = False

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
        """The roles through which it has rights, as their member or through one that it is.

        A membership that lets it neither have nor take the rights of the other counts for nothing.
        """
        return self._session("postgres").column(
            _JOINED  # noqa: S608 - both literal
            + """
            , reached (oid) AS (
                SELECT role FROM joined WHERE member = (SELECT oid FROM own) AND gives
                UNION SELECT role FROM reached JOIN joined ON member = reached.oid AND gives
            )
            SELECT pg_get_userbyid(oid) FROM reached
            WHERE NOT (SELECT rolsuper FROM own)
            """,
            self.name,
        )

    @property
    def direct_memberships(self) -> list[Membership]:
        """What it was made a member of, and by whom; a REVOKE takes away these alone."""
        return self._joined("member")

    @property
    def passed_on(self) -> list[Membership]:
        """Who is a member of another role by its leave, where PostgreSQL keeps that."""
        return self._joined("grantor")

    def _joined(self, whose: Literal["member", "grantor"]) -> list[Membership]:
        by: LiteralString = "member" if whose == "member" else "keeps_grantor AND grantor"
        rows = self._session("postgres").rows(
            _JOINED  # noqa: S608 - all of it is literal
            + """
            SELECT pg_get_userbyid(role), pg_get_userbyid(member),
                CASE WHEN keeps_grantor AND grantor <> 10 THEN pg_get_userbyid(grantor) ELSE '' END,
                inherits, sets, admits, keeps_grantor AND EXISTS (
                    SELECT FROM joined onward
                    WHERE onward.role = joined.role AND onward.grantor = joined.member
                )
            FROM joined WHERE gives AND """
            + by
            + " = (SELECT oid FROM own) ORDER BY 1, 2, 3",
            self.name,
        )
        return [Membership(*each) for each in rows]

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
