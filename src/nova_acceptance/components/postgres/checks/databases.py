"""What is wrong with databases, schemas and their owners, and with what the server is set to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.cures import to_owner
from nova_acceptance.components.postgres.parts import Schema
from nova_acceptance.components.postgres.spec import Database
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.statements import Target, in_database
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase, verbatim

DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
"""The settings without which a crash loses acknowledged commits."""

_SAFE: Final = frozenset({"on", "remote_apply"})
"""`remote_apply` waits for a standby besides (the PostgreSQL manual, "synchronous_commit")."""

_MEANT_BY: Final = {
    "default_transaction_read_only": "PRIMARY_READ_ONLY",
    **dict.fromkeys(DURABLE, "DURABILITY_OFF"),
    "synchronous_standby_names": "NOT_SYNCHRONOUS",
}
"""Settings that are a cause of their own wherever they are set."""

_PLAIN: Final = re.compile(r"[\w.-]{0,20}")


@check
def wrong_version(postgres: Postgres, spec: Spec) -> Iterator[Finding]:
    """Find a PostgreSQL of another version than nova.yaml says."""
    found, wanted = str(postgres.admin().value("SHOW server_version")), spec.version or ""
    if not re.match(rf"{re.escape(wanted.rstrip('.'))}(?!\d)", found):
        yield Finding.here(
            "POSTGRES_VERSION_WRONG",
            Phrase(
                "PostgreSQL is version {found}, where nova.yaml says {wanted}",
                found=found,
                wanted=wanted,
            ),
        )


@check
def lost_durability(postgres: Postgres, setting: str) -> Iterator[Finding]:
    """Find a setting off without which a crash loses acknowledged commits."""
    value = postgres.admin().value("SELECT current_setting(%s)", setting)
    if value not in _SAFE:
        sentence = Phrase("{setting} is {value}, not on", setting=setting, value=value)
        yield Finding.here("DURABILITY_OFF", sentence)


@check
def settings_made_by_hand(postgres: Postgres) -> Iterator[Finding]:
    """Find what is set for a role, a database or the leader apart from its configuration."""
    for where, setting in postgres.own_settings:
        name, _, value = setting.partition("=")
        sentence = Phrase("{where} has its own {setting}", where=where, setting=_told(name, value))
        cure = Phrase(
            "take {setting} back where it was set, by ALTER ROLE, ALTER DATABASE or ALTER SYSTEM "
            "with RESET, and `SELECT pg_reload_conf()`",
            setting=name,
        )
        yield Finding.here(_MEANT_BY.get(name, "SETTING_UNDECLARED"), sentence, cure=cure)


@check
def missing_database(postgres: Postgres, database: Database) -> Iterator[Finding]:
    """Find a database that does not exist."""
    if database.name not in postgres.databases:
        sentence = Phrase("there is no database {database}", database=database.name)
        yield Finding.here("DATABASE_MISSING", sentence)


@check
def undeclared_databases(postgres: Postgres, spec: Spec, undeclared: str) -> Iterator[Finding]:
    """Find databases that nova.yaml does not know, unless it allows them, and those not there."""
    for database in spec.databases:
        yield from missing_database(postgres, database)
    declared = {database.name for database in spec.databases}
    for name in beyond(postgres.databases, declared, undeclared):
        sentence = Phrase("nova.yaml knows no database {database}", database=name)
        yield Finding.here("DATABASE_UNDECLARED", sentence)


@check
def wrong_owner(postgres: Postgres, database: Database) -> Iterator[Finding]:
    """Find a database that does not exist, or belongs to another role."""
    yield from missing_database(postgres, database)
    name, wanted = database.name, database.owner
    if owner := postgres.databases.get(name):
        what = Phrase("database {database}", database=name)
        if owner != wanted:
            given = to_owner(postgres, name, Target("DATABASE", name=name), wanted)
            yield _of_another("DATABASE_OWNER_WRONG", what, owner, wanted, in_database(given))


@check
def wrong_schemas(postgres: Postgres, database: Database, undeclared: str) -> Iterator[Finding]:
    """Find schemas that a database lacks, and those that nova.yaml neither knows nor allows."""
    found = postgres.schemas(database.name)
    for name in sorted(set(database.schemas) - set(found)):
        yield no_schema(database.name, name)
    for name in beyond(found, database.schemas, undeclared):
        sentence = Phrase(
            "nova.yaml knows no schema {schema} in database {database}",
            schema=name,
            database=database.name,
        )
        yield Finding.here("SCHEMA_UNDECLARED", sentence)


@check
def wrong_schema_owner(postgres: Postgres, schema: Schema) -> Iterator[Finding]:
    """Find a schema that does not exist, or belongs to another role."""
    database, name = schema.database, schema.schema
    owner = postgres.schemas(database).get(name)
    if owner is None:
        yield no_schema(database, name)
    elif owner != schema.owner:
        given = to_owner(postgres, database, Target("SCHEMA", name), schema.owner)
        cure, what = in_database(given, database), verbatim(schema.name)
        yield _of_another("SCHEMA_OWNER_WRONG", what, owner, schema.owner, cure)


@check
def foreign_property(postgres: Postgres, schema: Schema) -> Iterator[Finding]:
    """Find tables and sequences of a schema that belong to another role than its owner.

    A sequence that is a table's goes with it, and is told with it.
    """
    database, home, maker = schema.database, schema.schema, schema.maker
    tables = postgres.tables(database, home)
    owners = {**tables, **postgres.sequences(database, home)}
    foreign = {name: owner for name, owner in sorted(owners.items()) if owner != maker}
    of_tables = postgres.tables_of_sequences(database, home) if foreign else {}
    for name, owner in foreign.items():
        if of_tables.get(name) in foreign:
            continue
        what = Phrase("{relation} in schema {schema}", relation=name, schema=schema.name)
        target = Target("TABLE" if name in tables else "SEQUENCE", home, name)
        cure = in_database(to_owner(postgres, database, target, maker), database)
        yield _of_another("SCHEMA_OWNER_WRONG", what, owner, maker, cure)


def no_schema(database: str, schema: str) -> Finding:
    """Return that a schema is missing."""
    sentence = Phrase(
        "database {database} has no schema {schema}", database=database, schema=schema
    )
    return Finding.here("SCHEMA_MISSING", sentence)


def beyond(held: Iterable[str], declared: Iterable[str], undeclared: str) -> list[str]:
    """Return what nobody declared, in order; nothing where that is allowed."""
    return sorted(set(held) - set(declared)) if undeclared == "refused" else []


def _of_another(cause: str, what: Phrase, owner: str, wanted: str, cure: Phrase) -> Finding:
    sentence = Phrase(
        "{what} belongs to {owner}, not to {wanted}", what=what, owner=owner, wanted=wanted
    )
    return Finding(cause, NOWHERE, sentence, cure)


def _told(name: str, value: str) -> Phrase:
    """Return a setting as it may be shown: a command's or an extension's may hold a secret."""
    if _PLAIN.fullmatch(value) and "." not in name:
        return Phrase("{name}: {value}", name=name, value=value)
    return verbatim(name)
