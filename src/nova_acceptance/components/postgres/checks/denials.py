"""What a role can do that nova.yaml does not permit it, tried.

Before each denial the same connection does what it is allowed to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import filterfalse

import psycopg

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.answers import of_error
from nova_acceptance.components.postgres.checks.privileges import source_of_deed
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.deeds import MADE, is_of_a_test
from nova_acceptance.components.postgres.parts import Denial, schema_of
from nova_acceptance.components.postgres.sql import Session, Statement, identifiers
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase


@check
def permitted_deed(connections: RoleConnections, denial: Denial) -> Iterator[Finding]:
    """Find that a role can do something which it has no right to, and where the right is from.

    Raises:
        UnaskedError: it would change something if it could, in a run that only reads.
    """
    if denial.writes:
        connections.server.route.require_writing()
    postgres, spec, deed = connections.postgres, connections.spec, denial.deed
    role, grant = denial.reach.role, denial.reach.grant
    home = schema_of(spec, denial.reach)
    schema, database = home.schema, home.database
    # One that a test makes is gone in a moment: another worker's, or another shard's.
    tables = sorted(filterfalse(is_of_a_test, postgres.tables(database, schema)))
    if not tables:
        sentence = Phrase(
            "schema {schema} of {database} holds no table", schema=schema, database=database
        )
        yield Finding.here("TABLE_MISSING", sentence)
        return
    statement = identifiers(
        deed.statement,
        table=(schema, tables[0]),
        schema=schema,
        owner=home.maker,
        role=role.name,
        superuser=spec.superuser.name,
        made=MADE,
    )
    allowed: Statement = "SELECT 1"
    if "SELECT" in grant.on_tables:
        allowed = identifiers("SELECT 1 FROM {} LIMIT 1", (schema, tables[0]))
    try:
        with (
            connections.session(denial.reach) as session,
            nullcontext() if deed.undo else session.undone(),
        ):
            session.rows(allowed)
            is_denied = _is_denied(session, statement)
    finally:
        if deed.undo:
            postgres.admin().rows(identifiers(deed.undo, made=MADE))
    if not is_denied:
        sentence = Phrase("{role} can {deed}", role=role.name, deed=deed.what)
        yield source_of_deed(postgres, denial.reach, sentence)


def _is_denied(session: Session, statement: Statement) -> bool:
    """Whether a statement is denied for lack of a right."""
    try:
        session.rows(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error as error:
        if of_error(error):
            raise
        # refused for something else, which is asked only of those who may
    return False
