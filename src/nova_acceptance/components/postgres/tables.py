"""Tables that are made for a moment, as those would make them whose schemas they are in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString
from uuid import uuid4

from nova_acceptance.components.postgres.checks.databases import wrong_schema_owner
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.deeds import MADE, PREFIX
from nova_acceptance.components.postgres.parts import Reach, Schema, schema_of
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import identifiers
from nova_acceptance.components.postgres.statements import Target, grants, in_database
from nova_acceptance.findings import NOWHERE, Finding, FindingError
from nova_acceptance.phrase import Phrase

_MADE: Final = f"^{PREFIX}[0-9a-f]{{8}}$"
"""The names that `new_name` gives."""
LATER: Final = f"{PREFIX}later"
OF_WORDS: Final[LiteralString] = "CREATE TABLE {} (word text PRIMARY KEY)"
OF_NUMBERS: Final[LiteralString] = "CREATE TABLE {} (number bigint PRIMARY KEY)"


def new_name(spec: Spec, reach: Reach) -> str:
    """Return `schema.table` for a table of nobody's in which a role may be granted something."""
    return f"{schema_of(spec, reach).schema}.{PREFIX}{uuid4().hex[:8]}"


@contextmanager
def own_table(postgres: Postgres, spec: Spec, reach: Reach) -> Iterator[str]:
    """Have a table that the role may write words to, gone at the end.

    Raises:
        FindingError: see `create`.
    """
    name = new_name(spec, reach)
    try:
        create(postgres, spec, reach, name, OF_WORDS)
        yield name
    finally:
        drop(postgres, reach, name)


def create(
    postgres: Postgres, spec: Spec, reach: Reach, name: str, statement: LiteralString
) -> None:
    """Make a table as the owner of its schema would, so that the default privileges apply.

    Args:
        postgres: where.
        spec: what nova.yaml says of it.
        reach: who is to use it, in which database.
        name: as `new_name` returned it.
        statement: with a place for the name.

    Raises:
        FindingError: the role may not do with it what it is granted on the tables of the schema.
    """
    admin, role = postgres.admin(reach.grant.database), reach.role.name
    with admin.whole():
        admin.rows(identifiers("SET LOCAL ROLE {}", schema_of(spec, reach).maker))
        admin.rows(identifiers(statement, name))
    schema, _, table = name.partition(".")
    held = postgres.role(role).privileges_on_table(schema, table, database=reach.grant.database)
    if lacking := sorted(set(reach.grant.on_tables) - held):
        home = schema_of(spec, reach)
        sentence = Phrase(
            "{role} may not {rights} a later table that {maker} makes in schema {schema}",
            role=role,
            rights=lacking,
            maker=home.maker,
            schema=home.name,
        )
        target = Target("TABLES", home.schema, maker=home.maker)
        given = grants({target: frozenset(lacking)}, role)
        cure = in_database(given, home.database)
        raise FindingError(Finding("DEFAULT_PRIVILEGES_MISSING", NOWHERE, sentence, cure))


def drop(postgres: Postgres, reach: Reach, name: str) -> None:
    """Remove a table, if it is there."""
    postgres.admin(reach.grant.database).rows(identifiers("DROP TABLE IF EXISTS {}", name))


def clear(postgres: Postgres, _spec: Spec) -> list[str]:
    """Remove what tests have left that were killed, and return the names.

    That is every table that `new_name` has named, and the database by which a denial is tried. All
    else is made in transactions, which end with their connection.
    """
    removed = []
    there = set(postgres.databases)
    if MADE in there:
        there.remove(MADE)
        postgres.admin().rows(identifiers("DROP DATABASE IF EXISTS {}", MADE))
        removed.append(f"database {MADE}")
    for database in there:
        admin = postgres.admin(database)
        for schema, table in admin.rows(
            "SELECT nspname::text, relname::text FROM pg_class"
            " JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND relname ~ %s ORDER BY 1, 2",
            _MADE,
        ):
            admin.rows(identifiers("DROP TABLE IF EXISTS {}", (schema, table)))
            removed.append(f"table {schema}.{table} in {database}")
    return removed


@contextmanager
def later_table(postgres: Postgres, schema: Schema) -> Iterator[str]:
    """Make a table with a sequence as the schema's owner would, and undo it at the end.

    Raises:
        FindingError: the schema is another's, who may not make anything there.
    """
    for found in wrong_schema_owner(postgres, schema):
        raise FindingError(found)
    session, table = postgres.admin(schema.database), f"{schema.schema}.{LATER}"
    with session.undone():
        # by one message, whatever the way there takes
        session.rows(
            identifiers(
                "SET LOCAL ROLE {}; CREATE TABLE {} (id bigserial, note text); RESET ROLE",
                schema.maker,
                table,
            )
        )
        yield table
