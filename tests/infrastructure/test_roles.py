"""Roles: attributes, memberships and effective privileges, neither fewer nor more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import psycopg
import pytest

from nova_acceptance.claims import broken, equal, exactly, holds, none_of, privileges
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach, Schema, schemas
from nova_acceptance.components.postgres.roles import Role as RoleOfPostgres
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Session, identifiers
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.system import System

pytestmark = pytest.mark.postgres

LATER: Final = "nova_acceptance_later"


@contextmanager
def later_table(session: Session, schema: Schema) -> Iterator[str]:
    """Make a table with a sequence as the schema's owner would, and undo it at the end.

    That it is the owner is claimed first: another role may not make anything there.
    """
    owners = session.column(
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s", schema.schema
    )
    if not owners:
        raise broken("SCHEMA_MISSING", Phrase("there is no schema {schema}", schema=schema.name))
    what = Phrase("the owner of {name}", name=schema.name)
    equal(owners, frozenset({schema.owner}), "SCHEMA_OWNER_WRONG", what)
    table = f"{schema.schema}.{LATER}"
    with session.undone():
        session.rows(identifiers("SET LOCAL ROLE {}", schema.owner))
        session.rows(identifiers("CREATE TABLE {} (id bigserial, note text)", table))
        session.rows("RESET ROLE")
        yield table


def there(postgres: Postgres, name: str) -> RoleOfPostgres:
    """Return a role; that it exists is claimed as well."""
    found = postgres.role(name)
    if not found.exists:
        raise broken("ROLE_MISSING", Phrase("there is no role {role}", role=name))
    return found


def schemas_of(postgres: Postgres, reach: Reach) -> list[str]:
    """Return the schemas of a database; that those granted on are there is claimed as well."""
    database = reach.grant.database
    found = list(postgres.schemas(database))
    if missing := sorted(set(reach.grant.schemas) - set(found)):
        said = Phrase(
            "database {database} has no schema {schemas}", database=database, schemas=missing
        )
        raise broken("SCHEMA_MISSING", said)
    return found


def claim(
    postgres: Postgres,
    reach: Reach,
    held: Mapping[str, frozenset[str]],
    wanted: Mapping[str, frozenset[str]],
    *,
    lacking: str = "PRIVILEGE_MISSING",
) -> None:
    """Claim exactly these privileges; where there are more, say where they come from."""
    role, database = reach.role, reach.grant.database
    excess = any(set(held[name]) - wanted[name] for name in wanted)
    beyond = (
        postgres.source_of_excess(role.name, database, attributes=role.attributes)
        if excess
        else "PRIVILEGE_EXCESS"
    )
    privileges(held, wanted, role=reach.name, lacking=lacking, beyond=beyond)


@pytest.mark.means("ROLE_ATTRIBUTES_WRONG", "ROLE_MISSING")
def test_role_has_exactly_its_attributes(postgres: Postgres, spec_role: Role) -> None:
    """The role exists, and its attributes are those of nova.yaml."""
    exactly(
        there(postgres, spec_role.name).attributes,
        spec_role.attributes,
        lacking="ROLE_ATTRIBUTES_WRONG",
        beyond="ROLE_ATTRIBUTES_WRONG",
        what=Phrase("role {role}", role=spec_role.name),
    )


@pytest.mark.means("ROLE_INHERITS", "ROLE_MISSING")
def test_role_is_member_of_nothing(postgres: Postgres, spec_role: Role) -> None:
    """The role has no right through another role."""
    found = there(postgres, spec_role.name).memberships

    what = Phrase("{role} is a member of roles", role=spec_role.name)
    none_of(sorted(found), "ROLE_INHERITS", what)


@pytest.mark.means("PASSWORD_STORED_WEAKLY", "ROLE_MISSING")
def test_role_password_is_kept_as_scram(postgres: Postgres, spec_role: Role) -> None:
    """Whoever has a password has it stored as a SCRAM verifier; who has none has none stored."""
    there(postgres, spec_role.name)
    kept = postgres.admin().value(
        "SELECT coalesce(split_part(rolpassword, '$', 1), 'none') FROM pg_authid"
        " WHERE rolname = %s",
        spec_role.name,
    )

    assert kept == ("SCRAM-SHA-256" if spec_role.password else "none")


@pytest.mark.means("PASSWORD_EXPIRED", "ROLE_MISSING")
def test_role_password_has_not_come_to_its_end(postgres: Postgres, spec_role: Role) -> None:
    """The role's password counts still; PostgreSQL says no more of it than of a wrong one."""
    role = there(postgres, spec_role.name)

    if role.has_expired:
        said = Phrase("the password of {role} has come to its end", role=role.name)
        raise broken("PASSWORD_EXPIRED", said)


@pytest.mark.means("ROLE_UNDECLARED", "ROLE_MISSING")
def test_postgres_has_only_declared_roles(
    postgres: Postgres, postgres_spec: Spec, system: System
) -> None:
    """There is no role that nova.yaml does not know, PostgreSQL's own ones apart."""
    found = postgres.admin().column("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")

    declared = {role.name for role in postgres_spec.roles}
    exactly(
        found & declared if system.undeclared == "allowed" else found,
        declared,
        lacking="ROLE_MISSING",
        beyond="ROLE_UNDECLARED",
        what=verbatim("PostgreSQL"),
    )


@pytest.mark.means("PRIVILEGE_MISSING", "ROLE_ATTRIBUTES_WRONG", "ROLE_MISSING")
def test_role_works_by_grants_and_is_no_superuser(postgres: Postgres, client: Reach) -> None:
    """The role can resolve names in its schemas through a grant, not by being a superuser."""
    role = there(postgres, client.role.name)

    otherwise = Phrase("{role} is a superuser, whom no grant is needed for", role=role.name)
    holds(not role.is_superuser, "ROLE_ATTRIBUTES_WRONG", otherwise)
    for schema in client.grant.schemas:
        assert "USAGE" in role.privileges_on_schema(schema, database=client.grant.database)


@pytest.mark.means("PRIVILEGE_MISSING", "PRIVILEGE_EXCESS", "PUBLIC_PRIVILEGE", "ROLE_INHERITS")
def test_role_holds_exactly_its_privileges_on_the_database(
    postgres: Postgres, reach: Reach
) -> None:
    """What the role may do with the database is what nova.yaml grants."""
    database = reach.grant.database
    held = there(postgres, reach.role.name).privileges_on_database(database)

    claim(postgres, reach, {database: held}, {database: frozenset(reach.grant.on_database)})


@pytest.mark.means("PRIVILEGE_MISSING", "PRIVILEGE_EXCESS", "PUBLIC_PRIVILEGE", "ROLE_INHERITS")
def test_role_holds_exactly_its_privileges_on_schemas(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each schema of the database is what nova.yaml grants."""
    role, database = there(postgres, reach.role.name), reach.grant.database
    schemas = schemas_of(postgres, reach)

    held = {schema: role.privileges_on_schema(schema, database=database) for schema in schemas}
    claim(postgres, reach, held, {schema: reach.on_schema(schema) for schema in schemas})


@pytest.mark.means("PRIVILEGE_MISSING", "PRIVILEGE_EXCESS", "PUBLIC_PRIVILEGE", "TABLE_MISSING")
def test_role_holds_exactly_its_privileges_on_tables(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each table that exists is what nova.yaml grants."""
    role, database = there(postgres, reach.role.name), reach.grant.database
    tables = {
        f"{schema}.{table}": reach.on_tables_of(schema)
        for schema in schemas_of(postgres, reach)
        for table in postgres.tables(database, schema)
    }

    held = {name: role.privileges_on_table(name, database=database) for name in tables}
    claim(postgres, reach, held, tables)
    if not tables:
        said = Phrase("{database} holds no table, so nothing is shown", database=database)
        raise broken("TABLE_MISSING", said)


@pytest.mark.means("PRIVILEGE_MISSING", "PRIVILEGE_EXCESS", "PUBLIC_PRIVILEGE", "ROLE_INHERITS")
def test_role_holds_exactly_its_privileges_on_sequences(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each sequence that exists is what nova.yaml grants."""
    role, database = there(postgres, reach.role.name), reach.grant.database
    sequences = {
        f"{schema}.{sequence}": reach.on_sequences_of(schema)
        for schema in schemas_of(postgres, reach)
        for sequence in postgres.sequences(database, schema)
    }

    held = {name: role.privileges_on_sequence(name, database=database) for name in sequences}
    claim(postgres, reach, held, sequences)


@pytest.mark.means("DEFAULT_PRIVILEGES_MISSING", "PRIVILEGE_EXCESS", "PUBLIC_PRIVILEGE")
def test_role_holds_exactly_its_privileges_on_later_tables(
    postgres: Postgres, postgres_spec: Spec, schema: Schema
) -> None:
    """On a table that its owner creates afterwards each role holds what nova.yaml grants."""
    roles = [role for role in postgres_spec.roles if not role.is_superuser]
    reaches = [Reach(r, r.grant_in(schema.database)) for r in roles if r.name != schema.owner]
    held: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    with later_table(postgres.admin(schema.database), schema) as table:
        for reach in reaches:
            role = there(postgres, reach.role.name)
            held[role.name] = (
                role.privileges_on_table(table, database=schema.database),
                role.privileges_on_sequence(f"{table}_id_seq", database=schema.database),
            )

    for reach in reaches:
        on_table, on_sequence = held[reach.role.name]
        claim(
            postgres,
            reach,
            {"a later table": on_table, "its sequence": on_sequence},
            {
                "a later table": reach.on_tables_of(schema.schema),
                "its sequence": reach.on_sequences_of(schema.schema),
            },
            lacking="DEFAULT_PRIVILEGES_MISSING",
        )


@pytest.mark.means("DEFAULT_PRIVILEGES_MISSING", "PRIVILEGE_MISSING")
def test_role_works_with_later_tables(
    postgres: Postgres, postgres_spec: Spec, writer_role: Reach
) -> None:
    """The role writes, changes, reads and removes rows of a table created afterwards."""
    role, granted = writer_role.role.name, writer_role.grant
    schema = next(
        each
        for each in schemas(postgres_spec)
        if (each.database, each.schema) == (granted.database, granted.schemas[0])
    )
    session = postgres.admin(schema.database)

    with later_table(session, schema) as table:
        session.rows(identifiers("SET LOCAL ROLE {}", role))
        try:
            session.rows(identifiers("INSERT INTO {} (note) VALUES ('first')", table))
            session.rows(identifiers("UPDATE {} SET note = 'second'", table))
            read = session.rows(identifiers("DELETE FROM {} RETURNING id, note", table))
        except psycopg.errors.InsufficientPrivilege as error:
            # on the schema it is a grant that is missing; on what is new in it, a default one
            is_grant = "for schema" in str(error)
            cause = "PRIVILEGE_MISSING" if is_grant else "DEFAULT_PRIVILEGES_MISSING"
            said = Phrase(
                "{role} on a later table: {said}", role=role, said=error.diag.message_primary
            )
            raise broken(cause, said) from error

    assert read == [(1, "second")]


@pytest.mark.means("PUBLIC_PRIVILEGE")
def test_public_holds_nothing_on_databases(
    postgres: Postgres,
    strict_spec: Spec,  # noqa: ARG001 - of those for which nova.yaml says so
) -> None:
    """PUBLIC may neither connect to a database nor make temporary tables in it."""
    assert postgres.public_on_databases == []


@pytest.mark.means("PUBLIC_PRIVILEGE")
def test_public_holds_nothing_in_the_database(
    postgres: Postgres,
    strict_spec: Spec,  # noqa: ARG001 - of those for which nova.yaml says so
    database: Database,
) -> None:
    """PUBLIC holds nothing on schemas, tables, sequences, functions and what is still to come."""
    assert postgres.public_in(database.name) == []


@pytest.mark.means("PUBLIC_PRIVILEGE")
def test_public_holds_nothing_on_later_tables(
    postgres: Postgres,
    strict_spec: Spec,  # noqa: ARG001 - of those for which nova.yaml says so
    schema: Schema,
) -> None:
    """A table that its owner creates afterwards gives PUBLIC nothing."""
    with later_table(postgres.admin(schema.database), schema):
        held = postgres.public_in(schema.database)

    assert held == []
