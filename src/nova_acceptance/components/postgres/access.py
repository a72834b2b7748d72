"""Who was granted what on what in a database: its access lists, entry by entry.

The functions that tell what a role may do leave out where it has that from; the lists do not. What
an owner may do with its own stands in them as well, and goes with the ownership.
Source: the PostgreSQL manual, "Privileges", table 5.2, and `acldefault` for no list at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, LiteralString

from nova_acceptance.components.postgres.sql import Row, Session
from nova_acceptance.components.postgres.statements import Target

_LISTED: Final[LiteralString] = """
    WITH ours AS (
        SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), held AS (
        SELECT 'schema ' || nspname AS what, coalesce(nspacl, acldefault('n', nspowner)) AS acl,
            nspowner AS owner, 'SCHEMA' AS kind, nspname::text AS home, '' AS name, '' AS maker
            FROM ours
        UNION ALL
        SELECT 'relation ' || c.oid::regclass, coalesce(relacl, acldefault(
            CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)), relowner,
            CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, nspname, relname, ''
            FROM pg_class c JOIN ours ON ours.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'function ' || p.oid::regprocedure, coalesce(proacl, acldefault('f', proowner)),
            proowner, CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, nspname,
            format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), ''
            FROM pg_proc p JOIN ours ON ours.oid = pronamespace
        UNION ALL
        SELECT format('what %s makes (%s)', pg_get_userbyid(defaclrole), defaclobjtype),
            defaclacl, defaclrole, CASE defaclobjtype WHEN 'r' THEN 'TABLES'
            WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
            WHEN 'L' THEN 'LARGE OBJECTS' ELSE 'SCHEMAS' END,
            coalesce(nspname, ''), '', pg_get_userbyid(defaclrole)
            FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
    )
"""
"""What is in a database outside PostgreSQL's own schemas, each with its access list.

`what` is how it is told; kind, home, name (a function's quoted and with its arguments) and maker
are those of its `Target`.
"""

_GRANTED: Final[LiteralString] = (
    _LISTED  # noqa: S608 - both literal
    + """
    , everything AS (
        SELECT acl, owner, kind, home, name, maker FROM held
        UNION ALL
        SELECT coalesce(datacl, acldefault('d', datdba)), datdba, 'DATABASE', '', datname, ''
            FROM pg_database WHERE datname = current_database()
    )
    SELECT kind, home, name, maker, privilege_type,
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END,
        pg_get_userbyid(grantor), pg_get_userbyid(owner), is_grantable
    FROM everything, aclexplode(acl) WHERE grantee <> owner
    """
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One right on one thing, as somebody gave it to somebody else than its owner.

    Attributes:
        target: what it is on.
        right: which it is.
        grantee: who has it; `PUBLIC` for everybody.
        grantor: who gave it: the owner, or whoever may pass it on.
        owner: whose the thing is.
        may_be_passed_on: whether the grantee may give it to others.
    """

    target: Target
    right: str
    grantee: str
    grantor: str
    owner: str
    may_be_passed_on: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """All that was granted in a database."""

    entries: tuple[Entry, ...]

    def own(self, role: str, target: Target) -> frozenset[str]:
        """Return what was granted on something to a role itself, or to `PUBLIC`."""
        return frozenset(each.right for each in self.of(role, target))

    def of(self, role: str, target: Target) -> list[Entry]:
        """Return the grants of a role itself on something."""
        return [each for each in self.entries if (each.grantee, each.target) == (role, target)]

    def sources(self, role: str, target: Target, rights: Iterable[str]) -> list[Entry]:
        """Return the grants by which a role itself has some rights on something.

        What is still to be made in a schema gets what was granted there, and what was granted
        for whatever the maker makes anywhere.
        """
        wanted = frozenset(rights)
        places = [target]
        if target.is_later and target.schema:
            places.append(Target(target.kind, maker=target.maker))
        found = (each for place in places for each in self.of(role, place))
        return [each for each in found if each.right in wanted]


def granted(session: Session) -> Access:
    """Return what was granted in the database of a session."""
    return Access(
        tuple(
            Entry(Target(*map(str, on)), str(right), str(grantee), str(grantor), str(owner), passed)
            for *on, right, grantee, grantor, owner, passed in session.rows(_GRANTED)
        )
    )


def of_everybody(session: Session) -> list[Row]:
    """Return what PUBLIC holds in the database of a session, the database itself apart.

    Each row has the object as it is told, the privilege, and kind, schema, name and maker of what
    statements call it.
    """
    return session.rows(
        _LISTED  # noqa: S608 - both literal
        + """
        SELECT what, privilege_type, kind, home, name, maker FROM held, aclexplode(acl)
        WHERE grantee = 0 ORDER BY 1, 2
        """
    )


def as_everybody(session: Session, database: str) -> list[str]:
    """Return who connects to a database as one of PUBLIC alone, of all roles that may log in."""
    rows = session.rows(
        """
        SELECT rolname FROM pg_roles r, pg_database d,
            LATERAL (SELECT coalesce(datacl, acldefault('d', datdba)) AS acl) lists
        WHERE datname = %s AND datallowconn AND NOT datistemplate AND rolcanlogin AND NOT rolsuper
        AND EXISTS (
            SELECT FROM aclexplode(acl) WHERE grantee = 0 AND privilege_type = 'CONNECT'
        ) AND NOT EXISTS (
            SELECT FROM aclexplode(acl) WHERE grantee <> 0 AND privilege_type = 'CONNECT'
            AND pg_has_role(r.oid, grantee, 'USAGE')
        ) ORDER BY 1
        """,
        database,
    )
    return [str(name) for (name,) in rows]
