"""What a role can do that nova.yaml does not permit it, tried.

Before each denial the same connection does what it is allowed to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext

import psycopg

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.answers import of_error
from nova_acceptance.components.postgres.checks.privileges import source_of_excess
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.deeds import MADE
from nova_acceptance.components.postgres.parts import Denial, schema_of
from nova_acceptance.components.postgres.sql import Session, Statement, identifiers
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase


@check
def permitted_deed(connections: RoleConnections, denial: Denial) -> Iterable[Finding]:
    """Find that a role can do something which it has no right to, and where the right is from."""
    postgres, grant = connections.postgres, denial.reach.grant
    schema = schema_of(connections.spec, denial.reach)
    tables = sorted(postgres.tables(schema.database, schema.schema))
    if not tables:
        sentence = Phrase(
            "schema {schema} of {database} holds no table",
            schema=schema.schema,
            database=schema.database,
        )
        return [Finding("TABLE_MISSING", NOWHERE, sentence)]
    table, role = (schema.schema, tables[0]), denial.reach.role.name
    statement = identifiers(
        denial.deed.statement,
        table=table,
        schema=schema.schema,
        owner=schema.maker,
        role=role,
        superuser=connections.spec.superuser.name,
        made=MADE,
    )
    allowed = (
        identifiers("SELECT count(*) FROM {}", table) if "SELECT" in grant.on_tables else "SELECT 1"
    )
    try:
        with connections.session(role, grant.database) as session:
            return list(_permitted(session, connections, denial, allowed, statement))
    finally:
        if denial.deed.undo:
            postgres.admin().rows(identifiers(denial.deed.undo, made=MADE))


def _permitted(
    session: Session,
    connections: RoleConnections,
    denial: Denial,
    allowed: Statement,
    statement: Statement,
) -> Iterator[Finding]:
    with nullcontext() if denial.deed.undo else session.undone():
        session.rows(allowed)
        try:
            session.rows(statement)
        except psycopg.errors.InsufficientPrivilege:
            return
        except psycopg.Error as error:
            if of_error(error):
                raise
            # refused for something else, which is asked only of those who may
        role, database = denial.reach.role, denial.reach.grant.database
        sentence = Phrase("{role} can {deed}", role=role.name, deed=denial.deed.what)
        cause = source_of_excess(connections.postgres, role, database)
        yield Finding(cause, NOWHERE, sentence)
