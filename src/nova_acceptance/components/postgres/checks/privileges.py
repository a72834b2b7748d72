"""What is wrong with effective privileges: what a role lacks, and what it holds beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import methodcaller
from typing import Final

import psycopg

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.checks.databases import no_schema
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach, Schema, others_in, schema_of
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Row, identifiers
from nova_acceptance.components.postgres.tables import LATER, later_table
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.phrase import Phrase, verbatim

_FEW: Final = 3

Rights = Mapping[str, tuple[frozenset[str], frozenset[str]]]
"""What is held and what is wanted, by the object that it is on."""


@check
def unearned_usage(postgres: Postgres, reach: Reach) -> Iterator[Finding]:
    """Find a role that resolves no names in its schemas, or does so as a superuser."""
    role, database = postgres.role(reach.role.name), reach.grant.database
    if role.is_superuser:
        sentence = Phrase("{role} is a superuser, whom no grant is needed for", role=role.name)
        yield Finding.here("ROLE_ATTRIBUTES_WRONG", sentence)
    usage = frozenset({"USAGE"})
    yield from _difference(
        postgres,
        reach,
        {
            schema: (role.privileges_on_schema(schema, database=database) & usage, usage)
            for schema in reach.grant.schemas
        },
    )


@check
def wrong_on_database(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with a database than nova.yaml grants."""
    database = reach.grant.database
    asked = methodcaller("privileges_on_database", database)
    rights = _rights(postgres, reach, asked, frozenset(reach.grant.on_database))
    return _difference(postgres, reach, {database: rights})


@check
def wrong_on_schemas(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with the schemas of a database than nova.yaml grants."""
    database = reach.grant.database
    rights = {
        schema: _rights(
            postgres,
            reach,
            methodcaller("privileges_on_schema", schema, database=database),
            reach.on_schema(schema),
        )
        for schema in _schemas(postgres, reach)
    }
    return _difference(postgres, reach, rights)


@check
def wrong_on_tables(postgres: Postgres, reach: Reach) -> Iterator[Finding]:
    """Find a role that may do less or more with tables than nova.yaml grants, or no table."""
    asked = "privileges_on_table"
    rights = _on_relations(postgres, reach, postgres.tables, asked, reach.on_tables_of)
    if not rights:
        sentence = Phrase(
            "{database} holds no table, so nothing is shown", database=reach.grant.database
        )
        yield Finding.here("TABLE_MISSING", sentence)
    yield from _difference(postgres, reach, rights)


@check
def wrong_on_sequences(postgres: Postgres, reach: Reach) -> Iterator[Finding]:
    """Find a role that may do less or more with sequences than nova.yaml grants.

    Where it grants something and there is no sequence, nothing is shown.
    """
    asked = "privileges_on_sequence"
    rights = _on_relations(postgres, reach, postgres.sequences, asked, reach.on_sequences_of)
    if reach.grant.on_sequences and not rights:
        sentence = Phrase(
            "{database} holds no sequence, so nothing is shown", database=reach.grant.database
        )
        yield Finding.here("TABLE_MISSING", sentence)
    yield from _difference(postgres, reach, rights)


@check
def wrong_on_later_tables(postgres: Postgres, spec: Spec, schema: Schema) -> Iterator[Finding]:
    """Find roles that may do less or more with what is made later than nova.yaml grants."""
    name, home = schema.schema, schema.database
    found: list[tuple[Reach, Rights]] = []
    with later_table(postgres, schema):
        for reach in others_in(spec, schema):
            on_table = methodcaller("privileges_on_table", name, LATER, database=home)
            number = f"{LATER}_id_seq"
            on_sequence = methodcaller("privileges_on_sequence", name, number, database=home)
            rights = {
                "a later table": _rights(postgres, reach, on_table, reach.on_tables_of(name)),
                "its sequence": _rights(postgres, reach, on_sequence, reach.on_sequences_of(name)),
            }
            found.append((reach, rights))
    for each, held in found:
        yield from _difference(postgres, each, held, lacking="DEFAULT_PRIVILEGES_MISSING")


@check
def refused_on_later_tables(postgres: Postgres, spec: Spec, reach: Reach) -> Iterator[Finding]:
    """Find a role that cannot write, change, read and remove rows of a table that is made later."""
    rights, role, schema = reach.grant, postgres.role(reach.role.name).name, schema_of(spec, reach)
    changes = "UPDATE" in rights.on_tables
    numbers_itself = {"USAGE", "UPDATE"} & set(rights.on_sequences)
    session = postgres.admin(schema.database)
    with later_table(postgres, schema) as table:
        session.rows(identifiers("SET LOCAL ROLE {}", role))
        try:
            if numbers_itself:
                session.rows(identifiers("INSERT INTO {} (note) VALUES ('first')", table))
            else:
                session.rows(identifiers("INSERT INTO {} (id, note) VALUES (1, 'first')", table))
            if changes:
                session.rows(identifiers("UPDATE {} SET note = 'second'", table))
            read = session.rows(identifiers("DELETE FROM {} RETURNING id, note", table))
        except psycopg.errors.InsufficientPrivilege as error:
            # on the schema it is a grant that is missing; on what is new in it, a default one
            is_grant = "for schema" in str(error)
            said = error.diag.message_primary
            yield Finding.here(
                "PRIVILEGE_MISSING" if is_grant else "DEFAULT_PRIVILEGES_MISSING",
                Phrase("{role} on a later table: {said}", role=role, said=said),
            )
            return
    wanted = [(1, "second" if changes else "first")]
    if read != wanted:
        sentence = Phrase(
            "{role} on a later table reads {read}, where it wrote {wanted}",
            role=role,
            read=str(read),
            wanted=str(wanted),
        )
        yield Finding.here("DEFAULT_PRIVILEGES_MISSING", sentence)


@check
def public_on_databases(postgres: Postgres) -> Iterator[Finding]:
    """Find what PUBLIC, which is everybody, may do with databases."""
    yield from _of_public(postgres.public_on_databases)


@check
def public_in_database(postgres: Postgres, database: Database) -> Iterator[Finding]:
    """Find what PUBLIC may do with anything in a database, or with what is still to come."""
    yield from _of_public(postgres.public_in(database.name))


@check
def public_on_later_tables(postgres: Postgres, schema: Schema) -> Iterator[Finding]:
    """Find what PUBLIC may do with a table that is made later."""
    with later_table(postgres, schema):
        held = postgres.public_in(schema.database)
    yield from _of_public(held)


def source_of_excess(postgres: Postgres, role: Role, database: str) -> str:
    """Return the cause by which a role may do too much in a database, as far as it can be seen."""
    found = postgres.role(role.name)
    if found.attributes - set(role.attributes):
        return "ROLE_ATTRIBUTES_WRONG"
    if found.memberships:
        return "ROLE_INHERITS"
    if role.name in (*postgres.databases.values(), *postgres.schemas(database).values()):
        return "SCHEMA_OWNER_WRONG"
    if postgres.public_in(database) or postgres.public_on_databases:
        return "PUBLIC_PRIVILEGE"
    return "PRIVILEGE_EXCESS"


def _schemas(postgres: Postgres, reach: Reach) -> list[str]:
    """Return the schemas of a database.

    Raises:
        FindingError: one is missing in which the role should have privileges.
    """
    database = reach.grant.database
    found = list(postgres.schemas(database))
    for missing in sorted(set(reach.grant.schemas) - set(found)):
        raise FindingError(no_schema(database, missing))
    return found


def _on_relations(
    postgres: Postgres,
    reach: Reach,
    relations: Callable[[str, str], Iterable[str]],
    asked: str,
    wanted: Callable[[str], frozenset[str]],
) -> Rights:
    database = reach.grant.database
    return {
        f"{schema}.{name}": _rights(
            postgres, reach, methodcaller(asked, schema, name, database=database), wanted(schema)
        )
        for schema in _schemas(postgres, reach)
        for name in relations(database, schema)
    }


def _rights(
    postgres: Postgres,
    reach: Reach,
    asked: Callable[[object], frozenset[str]],
    wanted: frozenset[str],
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what a role holds, and what it should.

    What it holds beyond that through PUBLIC is left out where that is not judged.
    """
    held = asked(postgres.role(reach.role.name))
    if not reach.counts_public:
        held -= asked(postgres.everybody) - wanted
    return held, wanted


def _difference(
    postgres: Postgres, reach: Reach, rights: Rights, *, lacking: str = "PRIVILEGE_MISSING"
) -> Iterator[Finding]:
    """Yield what is lacking on any object, then what is too much on any, and where that is from."""
    missing = _listed({name: wanted - held for name, (held, wanted) in rights.items()})
    excess = _listed({name: held - wanted for name, (held, wanted) in rights.items()})
    if missing:
        sentence = Phrase("{role} lacks {rights}", role=reach.name, rights=_few(missing))
        yield Finding.here(lacking, sentence, *missing, *excess)
    if excess:
        sentence = Phrase(
            "{role} holds {rights}, which nobody meant it to", role=reach.name, rights=_few(excess)
        )
        cause = source_of_excess(postgres, reach.role, reach.grant.database)
        yield Finding.here(cause, sentence, *excess)


def _listed(rights: Mapping[str, frozenset[str]]) -> list[str]:
    return [f"{', '.join(sorted(found))} on {name}" for name, found in rights.items() if found]


def _of_public(held: list[Row]) -> Iterator[Finding]:
    if held:
        listed = [f"{privilege} on {what}" for what, privilege in held]
        sentence = Phrase("PUBLIC, which is everybody, holds {rights}", rights=_few(listed))
        yield Finding.here("PUBLIC_PRIVILEGE", sentence, *listed)


def _few(items: list[str]) -> Phrase:
    shown, more = "; ".join(items[:_FEW]), len(items) - _FEW
    if more <= 0:
        return verbatim(shown)
    return Phrase("{shown}; and {more} more", shown=shown, more=more)
