"""What every role holds on what, in one statement a database: for a file that says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nova_acceptance.components.postgres.roles import (
    ON_DATABASE,
    ON_SCHEMA,
    ON_SEQUENCE,
    ON_TABLE,
)
from nova_acceptance.components.postgres.sql import Session

PUBLIC: Final = "public"
"""Everybody, as the inquiry functions call it; no role has that name."""
_DATABASE: Final = """
    SELECT role, p FROM (SELECT rolname FROM pg_roles UNION SELECT 'public') held (role),
        unnest(%s::text[]) p
    WHERE role !~ '^pg_' AND has_database_privilege(role, current_database(), p)
"""
_SCHEMAS: Final = """
    SELECT role, nspname, p FROM (SELECT rolname FROM pg_roles UNION SELECT 'public') held (role),
        pg_namespace n, unnest(%s::text[]) p
    WHERE role !~ '^pg_' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND has_schema_privilege(role, n.oid, p)
"""
_TABLES: Final = """
    SELECT role, nspname, p, bool_and(has_table_privilege(role, c.oid, p)),
        bool_or(has_table_privilege(role, c.oid, p))
    FROM (SELECT rolname FROM pg_roles UNION SELECT 'public') held (role),
        pg_class c JOIN pg_namespace n ON n.oid = relnamespace, unnest(%s::text[]) p
    WHERE role !~ '^pg_' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND relkind IN ('r', 'p') GROUP BY 1, 2, 3
"""
_SEQUENCES: Final = """
    SELECT role, nspname, p, bool_and(has_sequence_privilege(role, c.oid, p)),
        bool_or(has_sequence_privilege(role, c.oid, p))
    FROM (SELECT rolname FROM pg_roles UNION SELECT 'public') held (role),
        pg_class c JOIN pg_namespace n ON n.oid = relnamespace, unnest(%s::text[]) p
    WHERE role !~ '^pg_' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND relkind = 'S' GROUP BY 1, 2, 3
"""

Rights = frozenset[str]


@dataclass(slots=True)
class Held:
    """What one role holds in one database.

    Attributes:
        on_database: on the database.
        on_schemas: by schema.
        on_tables: on all tables of a schema, by schema; a schema without tables is not there.
        on_sequences: the same of sequences.
        is_uneven: whether it holds something on one table of a schema and not on another.
    """

    on_database: Rights = frozenset()
    on_schemas: dict[str, Rights] = field(default_factory=dict)
    on_tables: dict[str, Rights] = field(default_factory=dict)
    on_sequences: dict[str, Rights] = field(default_factory=dict)
    is_uneven: bool = False

    def grant(self, database: str, everybody: Held) -> tuple[dict[str, Any], bool]:
        """Return it as nova.yaml says it, and whether that says all of it.

        The file knows one set of rights for all the schemas that it names; where schemas differ it
        is the one that most of them have. A schema in which a role holds no more than everybody
        is none of them.
        """
        made: dict[str, Any] = {"database": database}
        if self.on_database:
            made["on_database"] = _ordered(self.on_database, ON_DATABASE)
        parts = (self.on_schemas, self.on_tables, self.on_sequences)
        public = (everybody.on_schemas, everybody.on_tables, everybody.on_sequences)
        schemas = sorted(
            {
                name
                for part, of_all in zip(parts, public, strict=True)
                for name, held in part.items()
                if held - of_all.get(name, frozenset())
            }
        )
        is_whole = not self.is_uneven
        if schemas:
            made["schemas"] = schemas
        orders = (ON_SCHEMA, ON_TABLE, ON_SEQUENCE)
        fields = ("on_schemas", "on_tables", "on_sequences")
        for name, part, order in zip(fields, parts, orders, strict=True):
            sets = [part[schema] for schema in schemas if schema in part]
            if name == "on_schemas":
                sets = [part.get(schema, frozenset()) for schema in schemas]
            is_whole = is_whole and len(set(sets)) <= 1
            if sets and (most := Counter(sets).most_common(1)[0][0]):
                made[name] = _ordered(most, order)
        return made, is_whole


def holdings(session: Session) -> dict[str, Held]:
    """Return what each role effectively holds in the database of a session, by role.

    Superusers are in it, who hold everything, and `PUBLIC`.
    """
    found: dict[str, Held] = {}

    def of(role: object) -> Held:
        return found.setdefault(str(role), Held())

    for role, right in session.rows(_DATABASE, list(ON_DATABASE)):
        of(role).on_database |= {right}
    for role, schema, right in session.rows(_SCHEMAS, list(ON_SCHEMA)):
        _add(of(role).on_schemas, schema, [right])
    for role, schema, right, on_all, on_any in session.rows(_TABLES, list(ON_TABLE)):
        _add(of(role).on_tables, schema, [right] if on_all else ())
        of(role).is_uneven |= on_any and not on_all
    for role, schema, right, on_all, on_any in session.rows(_SEQUENCES, list(ON_SEQUENCE)):
        _add(of(role).on_sequences, schema, [right] if on_all else ())
        of(role).is_uneven |= on_any and not on_all
    return found


def _add(by_schema: dict[str, Rights], schema: str, rights: Iterable[str]) -> None:
    by_schema[schema] = by_schema.get(schema, frozenset()) | frozenset(rights)


def _ordered(rights: Iterable[str], order: Sequence[str]) -> list[str]:
    held = set(rights)
    return [right for right in order if right in held]
