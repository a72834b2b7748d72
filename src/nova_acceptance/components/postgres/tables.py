"""Tables that are made for a moment, as those would make them whose schemas they are in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString
from uuid import uuid4

from nova_acceptance.claims import BrokenClaimError
from nova_acceptance.components.postgres.checks.databases import wrong_schema_owner
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach, Schema, schema_of
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import identifiers

LATER: Final = "nova_acceptance_later"
OF_WORDS: Final[LiteralString] = "CREATE TABLE {} (word text PRIMARY KEY)"
OF_NUMBERS: Final[LiteralString] = "CREATE TABLE {} (number bigint PRIMARY KEY)"


def new_name(spec: Spec, reach: Reach) -> str:
    """Return `schema.table` for a table of nobody's in which a role may be granted something."""
    return f"{schema_of(spec, reach).schema}.nova_acceptance_{uuid4().hex[:8]}"


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
    """
    admin = postgres.admin(reach.grant.database)
    with admin.whole():
        admin.rows(identifiers("SET LOCAL ROLE {}", schema_of(spec, reach).maker))
        admin.rows(identifiers(statement, name))


def drop(postgres: Postgres, reach: Reach, name: str) -> None:
    """Remove a table, if it is there."""
    postgres.admin(reach.grant.database).rows(identifiers("DROP TABLE IF EXISTS {}", name))


@contextmanager
def later_table(postgres: Postgres, schema: Schema) -> Iterator[str]:
    """Make a table with a sequence as the schema's owner would, and undo it at the end.

    Raises:
        BrokenClaimError: the schema is another's, who may not make anything there.
    """
    for found in wrong_schema_owner(postgres, schema):
        raise BrokenClaimError(found)
    session, table = postgres.admin(schema.database), f"{schema.schema}.{LATER}"
    with session.undone():
        session.rows(identifiers("SET LOCAL ROLE {}", schema.maker))
        session.rows(identifiers("CREATE TABLE {} (id bigserial, note text)", table))
        session.rows("RESET ROLE")
        yield table
