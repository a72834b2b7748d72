"""Databases, schemas and their owners, and how PostgreSQL keeps what it acknowledged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pytest

from nova_acceptance.claims import broken, equal, exactly
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Schema
from nova_acceptance.components.postgres.spec import Database
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.system import System

MEANT_BY: Final = {
    "default_transaction_read_only": "PRIMARY_READ_ONLY",
    "fsync": "DURABILITY_OFF",
    "full_page_writes": "DURABILITY_OFF",
    "synchronous_commit": "DURABILITY_OFF",
    "synchronous_standby_names": "NOT_SYNCHRONOUS",
}
"""Settings that are a cause of their own wherever they are set."""

PLAIN: Final = re.compile(r"[\w.-]{0,20}")

pytestmark = pytest.mark.postgres


@pytest.mark.means("POSTGRES_VERSION_WRONG")
def test_postgres_has_its_version(postgres: Postgres, versioned_spec: Spec) -> None:
    """What answers is PostgreSQL in the version that nova.yaml says."""
    assert postgres.admin().value("SHOW server_version").startswith(versioned_spec.version)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
@pytest.mark.means("DURABILITY_OFF")
def test_postgres_keeps_what_it_acknowledged(
    postgres: Postgres,
    durable_spec: Spec,  # noqa: ARG001 - of those for which nova.yaml asks for it
    setting: str,
) -> None:
    """The settings without which a crash loses acknowledged commits are on."""
    value = postgres.admin().value("SELECT current_setting(%s)", setting)

    assert value == "on"


@pytest.mark.means("SETTING_UNDECLARED", "PRIMARY_READ_ONLY", "DURABILITY_OFF", "NOT_SYNCHRONOUS")
def test_postgres_has_no_settings_made_by_hand(postgres: Postgres) -> None:
    """Every session starts with the server's configuration: nobody set anything by hand."""
    settings = [(where, *setting.split("=", 1)) for where, setting in postgres.own_settings]

    if settings:
        where, name, value = settings[0]
        raise broken(
            MEANT_BY.get(name, "SETTING_UNDECLARED"),
            Phrase("{where} has its own {setting}", where=where, setting=told(name, value)),
            evidence=[f"{where} {told(name, value)}" for where, name, value in settings],
        )


def within(held: Iterable[str], declared: Iterable[str], system: System) -> set[str]:
    """Return what there is, without what the file allows beside what it declares."""
    return set(held) & set(declared) if system.undeclared == "allowed" else set(held)


def told(name: str, value: str) -> Phrase:
    """Return a setting as it may be shown: a command's or an extension's may hold a secret."""
    if PLAIN.fullmatch(value) and "." not in name:
        return Phrase("{name}: {value}", name=name, value=value)
    return verbatim(name)


@pytest.mark.means("DATABASE_UNDECLARED", "DATABASE_MISSING")
def test_postgres_holds_only_declared_databases(
    postgres: Postgres, postgres_spec: Spec, system: System
) -> None:
    """There is no database that nova.yaml does not know."""
    declared = [database.name for database in postgres_spec.databases]
    exactly(
        within(postgres.databases, declared, system),
        declared,
        lacking="DATABASE_MISSING",
        beyond="DATABASE_UNDECLARED",
        what=verbatim("PostgreSQL"),
    )


@pytest.mark.means("DATABASE_OWNER_WRONG", "DATABASE_MISSING")
def test_database_has_its_owner(postgres: Postgres, database: Database) -> None:
    """The database exists and belongs to the role that nova.yaml says."""
    owner = postgres.databases.get(database.name)

    if owner is None:
        said = Phrase("there is no database {database}", database=database.name)
        raise broken("DATABASE_MISSING", said)
    what = Phrase("the owner of {name}", name=database.name)
    equal(owner, database.owner, "DATABASE_OWNER_WRONG", what)


@pytest.mark.means("SCHEMA_MISSING", "SCHEMA_UNDECLARED")
def test_database_has_exactly_its_schemas(
    postgres: Postgres, database: Database, system: System
) -> None:
    """The database holds the schemas of nova.yaml and no others."""
    exactly(
        within(postgres.schemas(database.name), database.schemas, system),
        database.schemas,
        lacking="SCHEMA_MISSING",
        beyond="SCHEMA_UNDECLARED",
        what=Phrase("database {database}", database=database.name),
    )


@pytest.mark.means("SCHEMA_OWNER_WRONG", "SCHEMA_MISSING")
def test_schema_has_its_owner(postgres: Postgres, schema: Schema) -> None:
    """The schema belongs to the role that nova.yaml says."""
    owner = postgres.schemas(schema.database).get(schema.schema)

    if owner is None:
        raise broken("SCHEMA_MISSING", Phrase("there is no schema {schema}", schema=schema.name))
    what = Phrase("the owner of {name}", name=schema.name)
    equal(owner, schema.owner, "SCHEMA_OWNER_WRONG", what)


@pytest.mark.means("SCHEMA_OWNER_WRONG")
def test_schema_owner_owns_what_is_in_it(postgres: Postgres, schema: Schema) -> None:
    """No table or sequence of the schema belongs to a role that logs in."""
    tables = postgres.tables(schema.database, schema.schema)
    sequences = postgres.sequences(schema.database, schema.schema)

    assert {n: o for n, o in {**tables, **sequences}.items() if o != schema.owner} == {}
