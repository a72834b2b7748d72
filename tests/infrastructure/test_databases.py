"""Databases, schemas and their owners, and how PostgreSQL keeps what it acknowledged."""

from __future__ import annotations

import pytest

from nova_acceptance.probes.postgres import Postgres
from nova_acceptance.system import Database, Schema, System

pytestmark = [pytest.mark.postgres, pytest.mark.component("postgres")]


def test_postgres_is_version_15(postgres: Postgres) -> None:
    """What answers is PostgreSQL 15."""
    assert 150000 <= int(postgres.admin().value("SHOW server_version_num")) < 160000


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_postgres_keeps_what_it_acknowledged(postgres: Postgres, setting: str) -> None:
    """The settings without which a crash loses acknowledged commits are on."""
    value = postgres.admin().value("SELECT current_setting(%s)", setting)

    assert value == "on"


def test_postgres_holds_only_declared_databases(postgres: Postgres, system: System) -> None:
    """There is no database that nova.yaml does not know."""
    assert set(postgres.databases) == {database.name for database in system.postgres.databases}


def test_database_has_its_owner(postgres: Postgres, database: Database) -> None:
    """The database exists and belongs to the role that nova.yaml says."""
    assert postgres.databases.get(database.name) == database.owner


def test_database_has_exactly_its_schemas(postgres: Postgres, database: Database) -> None:
    """The database holds the schemas of nova.yaml and no others."""
    assert set(postgres.schemas(database.name)) == set(database.schemas)


def test_schema_has_its_owner(postgres: Postgres, schema: Schema) -> None:
    """The schema belongs to the role that nova.yaml says."""
    assert postgres.schemas(schema.database).get(schema.schema) == schema.owner


def test_schema_owner_owns_what_is_in_it(postgres: Postgres, schema: Schema) -> None:
    """No table or sequence of the schema belongs to a role that logs in."""
    tables = postgres.tables(schema.database, schema.schema)
    sequences = postgres.sequences(schema.database, schema.schema)

    assert {n: o for n, o in {**tables, **sequences}.items() if o != schema.owner} == {}
