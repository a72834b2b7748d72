"""Databases, schemas and their owners, and how PostgreSQL keeps what it acknowledged."""

from __future__ import annotations

import pytest

from nova_acceptance.components.postgres.checks import databases as checks
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Schema
from nova_acceptance.components.postgres.spec import Database
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.system import System

pytestmark = pytest.mark.postgres


def test_postgres_has_its_version(postgres: Postgres, versioned_spec: Spec) -> None:
    """What answers is PostgreSQL in the version that nova.yaml says."""
    assert checks.wrong_version(postgres, versioned_spec) == []


@pytest.mark.usefixtures("durable_spec")
@pytest.mark.parametrize("setting", checks.DURABLE)
def test_postgres_keeps_what_it_acknowledged(postgres: Postgres, setting: str) -> None:
    """The settings without which a crash loses acknowledged commits are on."""
    assert checks.lost_durability(postgres, setting) == []


def test_postgres_has_no_settings_made_by_hand(postgres: Postgres) -> None:
    """Every session starts with the server's configuration: nobody set anything by hand."""
    assert checks.settings_made_by_hand(postgres) == []


def test_postgres_holds_only_declared_databases(
    postgres: Postgres, postgres_spec: Spec, system: System
) -> None:
    """There is no database that nova.yaml does not know."""
    assert checks.undeclared_databases(postgres, postgres_spec, system.undeclared) == []


def test_database_has_its_owner(postgres: Postgres, database: Database) -> None:
    """The database exists and belongs to the role that nova.yaml says."""
    assert checks.wrong_owner(postgres, database) == []


def test_database_has_exactly_its_schemas(
    postgres: Postgres, database: Database, system: System
) -> None:
    """The database holds the schemas of nova.yaml and no others."""
    assert checks.wrong_schemas(postgres, database, system.undeclared) == []


def test_schema_has_its_owner(postgres: Postgres, schema: Schema) -> None:
    """The schema belongs to the role that nova.yaml says."""
    assert checks.wrong_schema_owner(postgres, schema) == []


def test_schema_owner_owns_what_is_in_it(postgres: Postgres, schema: Schema) -> None:
    """No table or sequence of the schema belongs to a role that logs in."""
    assert checks.foreign_property(postgres, schema) == []
