"""Roles: attributes, memberships and effective privileges, neither fewer nor more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from nova_acceptance.probes.postgres import Postgres
from nova_acceptance.probes.sql import Session, identifiers
from nova_acceptance.system import Database, Reach, Role, Schema, System

pytestmark = [pytest.mark.postgres, pytest.mark.component("postgres")]

LATER: Final = "nova_acceptance_later"


@contextmanager
def later_table(session: Session, schema: Schema) -> Iterator[str]:
    """Make a table with a sequence as the schema's owner would, and undo it at the end."""
    table = f"{schema.schema}.{LATER}"
    with session.undone():
        session.rows(identifiers("SET LOCAL ROLE {}", schema.owner))
        session.rows(identifiers("CREATE TABLE {} (id bigserial, note text)", table))
        session.rows("RESET ROLE")
        yield table


def test_role_has_exactly_its_attributes(postgres: Postgres, spec_role: Role) -> None:
    """The role exists, and its attributes are those of nova.yaml."""
    assert postgres.role(spec_role.name).attributes == set(spec_role.attributes)


def test_role_is_member_of_nothing(postgres: Postgres, spec_role: Role) -> None:
    """The role has no right through another role."""
    assert postgres.role(spec_role.name).memberships == frozenset()


def test_role_password_is_kept_as_scram(postgres: Postgres, spec_role: Role) -> None:
    """Whoever has a password has it stored as a SCRAM verifier; who has none has none stored."""
    kept = postgres.admin().value(
        "SELECT coalesce(split_part(rolpassword, '$', 1), 'none') FROM pg_authid"
        " WHERE rolname = %s",
        spec_role.name,
    )

    assert kept == ("SCRAM-SHA-256" if spec_role.password else "none")


def test_postgres_has_only_declared_roles(postgres: Postgres, system: System) -> None:
    """There is no role that nova.yaml does not know, PostgreSQL's own ones apart."""
    found = postgres.admin().column("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")

    assert found == {role.name for role in system.postgres.roles}


def test_app_user_holds_usage_on_schema_auth(postgres: Postgres) -> None:
    """app_user can resolve names in schema auth through a grant, not by being a superuser."""
    app_user = postgres.role("app_user")

    assert not app_user.is_superuser
    assert "USAGE" in app_user.privileges_on_schema("auth", database="nova_auth")


def test_role_holds_exactly_its_privileges_on_the_database(
    postgres: Postgres, reach: Reach
) -> None:
    """What the role may do with the database is what nova.yaml grants."""
    held = postgres.role(reach.role.name).privileges_on_database(reach.grant.database)

    assert held == set(reach.grant.on_database)


def test_role_holds_exactly_its_privileges_on_schemas(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each schema of the database is what nova.yaml grants."""
    role, database = postgres.role(reach.role.name), reach.grant.database
    schemas = postgres.schemas(database)

    held = {schema: role.privileges_on_schema(schema, database=database) for schema in schemas}
    assert held == {schema: reach.on_schema(schema) for schema in schemas}


def test_role_holds_exactly_its_privileges_on_tables(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each table that exists is what nova.yaml grants."""
    role, database = postgres.role(reach.role.name), reach.grant.database
    tables = {
        f"{schema}.{table}": reach.on_tables_of(schema)
        for schema in postgres.schemas(database)
        for table in postgres.tables(database, schema)
    }

    assert {name: role.privileges_on_table(name, database=database) for name in tables} == tables
    assert tables, f"{database} holds no table, so nothing is shown"


def test_role_holds_exactly_its_privileges_on_sequences(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each sequence that exists is what nova.yaml grants."""
    role, database = postgres.role(reach.role.name), reach.grant.database
    sequences = {
        f"{schema}.{sequence}": reach.on_sequences_of(schema)
        for schema in postgres.schemas(database)
        for sequence in postgres.sequences(database, schema)
    }

    held = {name: role.privileges_on_sequence(name, database=database) for name in sequences}
    assert held == sequences


def test_role_holds_exactly_its_privileges_on_later_tables(
    postgres: Postgres, schema: Schema, system: System
) -> None:
    """On a table that its owner creates afterwards each role holds what nova.yaml grants."""
    roles = [r for r in system.postgres.roles if "SUPERUSER" not in r.attributes]
    reaches = [Reach(r, r.grant_in(schema.database)) for r in roles if r.name != schema.owner]
    wanted = {
        reach.role.name: (
            reach.on_tables_of(schema.schema),
            reach.on_sequences_of(schema.schema),
        )
        for reach in reaches
    }

    with later_table(postgres.admin(schema.database), schema) as table:
        held = {
            name: (
                postgres.role(name).privileges_on_table(table, database=schema.database),
                postgres.role(name).privileges_on_sequence(
                    f"{table}_id_seq", database=schema.database
                ),
            )
            for name in wanted
        }

    assert held == wanted


def test_app_user_works_with_later_tables(postgres: Postgres) -> None:
    """app_user writes, changes, reads and removes rows of a table created afterwards."""
    schema = Schema("nova_auth", "auth", "nova_owner")
    session = postgres.admin(schema.database)

    with later_table(session, schema) as table:
        session.rows("SET LOCAL ROLE app_user")
        session.rows(identifiers("INSERT INTO {} (note) VALUES ('first')", table))
        session.rows(identifiers("UPDATE {} SET note = 'second'", table))
        read = session.rows(identifiers("DELETE FROM {} RETURNING id, note", table))

    assert read == [(1, "second")]


def test_public_holds_nothing_on_databases(postgres: Postgres) -> None:
    """PUBLIC may neither connect to a database nor make temporary tables in it."""
    assert postgres.public_on_databases == []


def test_public_holds_nothing_in_the_database(postgres: Postgres, database: Database) -> None:
    """PUBLIC holds nothing on schemas, tables, sequences, functions and what is still to come."""
    assert postgres.public_in(database.name) == []


def test_public_holds_nothing_on_later_tables(postgres: Postgres, schema: Schema) -> None:
    """A table that its owner creates afterwards gives PUBLIC nothing."""
    with later_table(postgres.admin(schema.database), schema):
        held = postgres.public_in(schema.database)

    assert held == []
