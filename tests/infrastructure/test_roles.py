"""Roles: attributes, memberships and effective privileges, neither fewer nor more."""

from __future__ import annotations

import pytest

from nova_acceptance.components.postgres.checks import privileges as checks
from nova_acceptance.components.postgres.checks import roles as role_checks
from nova_acceptance.components.postgres.checks import rows as row_checks
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach, Schema
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.system import System

pytestmark = pytest.mark.postgres


def test_role_has_exactly_its_attributes(postgres: Postgres, spec_role: Role) -> None:
    """The role exists, and its attributes are those of nova.yaml."""
    assert role_checks.wrong_attributes(postgres, spec_role) == []


def test_role_is_member_of_nothing(postgres: Postgres, spec_role: Role) -> None:
    """The role has no right through another role."""
    assert role_checks.inherited_rights(postgres, spec_role) == []


def test_role_password_is_kept_as_scram(postgres: Postgres, spec_role: Role) -> None:
    """Whoever has a password has it stored as a SCRAM verifier; who has none has none stored."""
    assert role_checks.weak_password(postgres, spec_role) == []


def test_role_password_has_not_come_to_its_end(postgres: Postgres, spec_role: Role) -> None:
    """The role's password counts still; PostgreSQL says no more of it than of a wrong one."""
    assert role_checks.expired_password(postgres, spec_role) == []


def test_postgres_has_only_declared_roles(
    postgres: Postgres, postgres_spec: Spec, system: System
) -> None:
    """There is no role that nova.yaml does not know, PostgreSQL's own ones apart."""
    assert role_checks.undeclared_roles(postgres, postgres_spec, system.undeclared) == []


def test_role_works_by_grants_and_is_no_superuser(postgres: Postgres, client: Reach) -> None:
    """The role can resolve names in its schemas through a grant, not by being a superuser."""
    assert checks.unearned_usage(postgres, client) == []


def test_role_holds_exactly_its_privileges_on_the_database(
    postgres: Postgres, reach: Reach
) -> None:
    """What the role may do with the database is what nova.yaml grants."""
    assert checks.wrong_on_database(postgres, reach) == []


def test_role_holds_exactly_its_privileges_on_schemas(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each schema of the database is what nova.yaml grants."""
    assert checks.wrong_on_schemas(postgres, reach) == []


def test_role_holds_exactly_its_privileges_on_tables(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each table that exists is what nova.yaml grants."""
    assert checks.wrong_on_tables(postgres, reach) == []


def test_role_holds_exactly_its_privileges_on_sequences(postgres: Postgres, reach: Reach) -> None:
    """What the role may do with each sequence that exists is what nova.yaml grants."""
    assert checks.wrong_on_sequences(postgres, reach) == []


def test_row_security_hides_no_table_of_the_schema(
    postgres: Postgres, postgres_spec: Spec, schema: Schema
) -> None:
    """A role that works with a table has a policy for it, where row-level security is on."""
    assert row_checks.rows_hidden(postgres, postgres_spec, schema) == []


@pytest.mark.writes(undone=True)
def test_role_holds_exactly_its_privileges_on_later_tables(
    postgres: Postgres, postgres_spec: Spec, shared_schema: Schema
) -> None:
    """On a table that its owner creates afterwards each role holds what nova.yaml grants."""
    assert checks.wrong_on_later_tables(postgres, postgres_spec, shared_schema) == []


@pytest.mark.writes(undone=True)
def test_role_works_with_later_tables(
    postgres: Postgres, postgres_spec: Spec, writer_role: Reach
) -> None:
    """The role writes, changes, reads and removes rows of a table created afterwards."""
    assert checks.refused_on_later_tables(postgres, postgres_spec, writer_role) == []


def test_public_holds_nothing_on_databases(postgres: Postgres, strict_spec: Spec) -> None:
    """PUBLIC may neither connect to a database nor make temporary tables in it."""
    assert checks.public_on_databases(postgres, strict_spec) == []


def test_public_holds_nothing_in_the_database(
    postgres: Postgres, strict_spec: Spec, database: Database
) -> None:
    """PUBLIC holds nothing on schemas, tables, sequences, functions and what is still to come."""
    assert checks.public_in_database(postgres, strict_spec, database) == []


@pytest.mark.writes(undone=True)
def test_public_holds_nothing_on_later_tables(
    postgres: Postgres, strict_spec: Spec, schema: Schema
) -> None:
    """A table that its owner creates afterwards gives PUBLIC nothing."""
    assert checks.public_on_later_tables(postgres, strict_spec, schema) == []
