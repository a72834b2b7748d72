"""What is wrong with effective privileges: what a role lacks, and what it holds beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import psycopg

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.checks.databases import wrong_schema_owner
from nova_acceptance.components.postgres.checks.roles import missing_role
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach, Schema, others_in, schema_of
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Row, Session, identifiers
from nova_acceptance.components.postgres.tables import LATER, later_table
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase, verbatim

_FEW: Final = 3

Privileges = Mapping[str, frozenset[str]]
"""By the object that they are on."""


@check
def unearned_usage(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that resolves no names in its schemas, or does so as a superuser."""
    return missing_role(postgres, reach.role) or _unearned_usage(postgres, reach)


@check
def wrong_on_database(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with a database than nova.yaml grants."""
    database = reach.grant.database
    return missing_role(postgres, reach.role) or _difference(
        postgres,
        reach,
        {database: postgres.role(reach.role.name).privileges_on_database(database)},
        {database: frozenset(reach.grant.on_database)},
    )


@check
def wrong_on_schemas(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with the schemas of a database than nova.yaml grants."""
    database, there = reach.grant.database, postgres.schemas(reach.grant.database)
    may = postgres.role(reach.role.name).privileges_on_schema
    return _unready(postgres, reach) or _difference(
        postgres,
        reach,
        {schema: may(schema, database=database) for schema in there},
        {schema: reach.on_schema(schema) for schema in there},
    )


@check
def wrong_on_tables(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with tables than nova.yaml grants, or no table."""
    database = reach.grant.database
    return _unready(postgres, reach) or _wrong_on(
        postgres,
        reach,
        relations=postgres.tables,
        held=postgres.role(reach.role.name).privileges_on_table,
        wanted=reach.on_tables_of,
        none=[
            _found(
                "TABLE_MISSING",
                Phrase("{database} holds no table, so nothing is shown", database=database),
            )
        ],
    )


@check
def wrong_on_sequences(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with sequences than nova.yaml grants."""
    return _unready(postgres, reach) or _wrong_on(
        postgres,
        reach,
        relations=postgres.sequences,
        held=postgres.role(reach.role.name).privileges_on_sequence,
        wanted=reach.on_sequences_of,
    )


@check
def wrong_on_later_tables(postgres: Postgres, spec: Spec, schema: Schema) -> Iterable[Finding]:
    """Find roles that may do less or more with what is made later than nova.yaml grants."""
    reaches = others_in(postgres=spec, schema=schema)
    missing = [found for reach in reaches for found in missing_role(postgres, reach.role)]
    return (
        wrong_schema_owner(postgres, schema)
        or missing
        or _wrong_on_later_tables(postgres, schema, reaches)
    )


@check
def refused_on_later_tables(postgres: Postgres, spec: Spec, reach: Reach) -> Iterable[Finding]:
    """Find a role that cannot write, change, read and remove rows of a table that is made later."""
    schema = schema_of(spec, reach)
    return (
        missing_role(postgres, reach.role)
        or wrong_schema_owner(postgres, schema)
        or _refused_on_later_tables(postgres.admin(schema.database), schema, reach)
    )


@check
def public_on_databases(postgres: Postgres) -> Iterator[Finding]:
    """Find what PUBLIC, which is everybody, may do with databases."""
    yield from _of_public(postgres.public_on_databases)


@check
def public_in_database(postgres: Postgres, database: Database) -> Iterator[Finding]:
    """Find what PUBLIC may do with anything in a database, or with what is still to come."""
    yield from _of_public(postgres.public_in(database.name))


@check
def public_on_later_tables(postgres: Postgres, schema: Schema) -> Iterable[Finding]:
    """Find what PUBLIC may do with a table that is made later."""
    return wrong_schema_owner(postgres, schema) or _public_on_later_tables(postgres, schema)


def source_of_excess(postgres: Postgres, role: Role, database: str) -> str:
    """Return the cause by which a role may do too much in a database, as far as it can be seen."""
    found = postgres.role(role.name)
    if found.attributes - set(role.attributes):
        return "ROLE_ATTRIBUTES_WRONG"
    if found.memberships:
        return "ROLE_INHERITS"
    owners = (*postgres.databases.values(), *postgres.schemas(database).values())
    if role.name in owners:
        return "SCHEMA_OWNER_WRONG"
    if postgres.public_in(database) or postgres.public_on_databases:
        return "PUBLIC_PRIVILEGE"
    return "PRIVILEGE_EXCESS"


def _unready(postgres: Postgres, reach: Reach) -> list[Finding]:
    """Return what keeps privileges from being asked for: no role, or not the schemas granted on."""
    database = reach.grant.database
    missing = sorted(set(reach.grant.schemas) - set(postgres.schemas(database)))
    return missing_role(postgres, reach.role) + [
        _found(
            "SCHEMA_MISSING",
            Phrase("database {database} has no schema {schema}", database=database, schema=schema),
        )
        for schema in missing
    ]


def _unearned_usage(postgres: Postgres, reach: Reach) -> Iterator[Finding]:
    role, database = postgres.role(reach.role.name), reach.grant.database
    if role.is_superuser:
        sentence = Phrase("{role} is a superuser, whom no grant is needed for", role=role.name)
        yield _found("ROLE_ATTRIBUTES_WRONG", sentence)
    for schema in reach.grant.schemas:
        if "USAGE" not in role.privileges_on_schema(schema, database=database):
            yield _found("PRIVILEGE_MISSING", _lacks(reach, [f"USAGE on {schema}"]))


def _wrong_on(
    postgres: Postgres,
    reach: Reach,
    *,
    relations: Callable[[str, str], Mapping[str, str]],
    held: Callable[..., frozenset[str]],
    wanted: Callable[[str], frozenset[str]],
    none: Iterable[Finding] = (),
) -> Iterable[Finding]:
    """Return where what a role may do with relations is not what it should; `none` without any."""
    database = reach.grant.database
    there = [
        (schema, name)
        for schema in postgres.schemas(database)
        for name in relations(database, schema)
    ]
    if not there:
        return none
    return _difference(
        postgres,
        reach,
        {f"{schema}.{name}": held(schema, name, database=database) for schema, name in there},
        {f"{schema}.{name}": wanted(schema) for schema, name in there},
    )


def _wrong_on_later_tables(
    postgres: Postgres, schema: Schema, reaches: Iterable[Reach]
) -> Iterator[Finding]:
    held: dict[str, Privileges] = {}
    with later_table(postgres.admin(schema.database), schema):
        for reach in reaches:
            role, home = postgres.role(reach.role.name), schema.database
            held[role.name] = {
                "a later table": role.privileges_on_table(schema.schema, LATER, database=home),
                "its sequence": role.privileges_on_sequence(
                    schema.schema, f"{LATER}_id_seq", database=home
                ),
            }
    for reach in reaches:
        wanted = {
            "a later table": reach.on_tables_of(schema.schema),
            "its sequence": reach.on_sequences_of(schema.schema),
        }
        lacking = "DEFAULT_PRIVILEGES_MISSING"
        yield from _difference(postgres, reach, held[reach.role.name], wanted, lacking=lacking)


def _refused_on_later_tables(session: Session, schema: Schema, reach: Reach) -> Iterator[Finding]:
    rights, role = reach.grant, reach.role.name
    numbers_itself = {"USAGE", "UPDATE"} & set(rights.on_sequences)
    changes = "UPDATE" in rights.on_tables
    with later_table(session, schema) as table:
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
            yield _found(
                "PRIVILEGE_MISSING" if is_grant else "DEFAULT_PRIVILEGES_MISSING",
                Phrase(
                    "{role} on a later table: {said}", role=role, said=error.diag.message_primary
                ),
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
        yield _found("DEFAULT_PRIVILEGES_MISSING", sentence)


def _public_on_later_tables(postgres: Postgres, schema: Schema) -> Iterator[Finding]:
    with later_table(postgres.admin(schema.database), schema):
        held = postgres.public_in(schema.database)
    yield from _of_public(held)


def _difference(
    postgres: Postgres,
    reach: Reach,
    held: Privileges,
    wanted: Privileges,
    *,
    lacking: str = "PRIVILEGE_MISSING",
) -> Iterator[Finding]:
    """Yield what is lacking on any object, then what is too much on any, and where that is from."""
    missing = _listed({name: rights - held[name] for name, rights in wanted.items()})
    excess = _listed({name: held[name] - rights for name, rights in wanted.items()})
    if missing:
        yield _found(lacking, _lacks(reach, missing), *missing, *excess)
    if excess:
        sentence = Phrase(
            "{role} holds {rights}, which nobody meant it to",
            role=reach.name,
            rights=_few(excess),
        )
        cause = source_of_excess(postgres, reach.role, reach.grant.database)
        yield _found(cause, sentence, *excess)


def _listed(privileges: Privileges) -> list[str]:
    return [f"{', '.join(sorted(found))} on {name}" for name, found in privileges.items() if found]


def _lacks(reach: Reach, missing: list[str]) -> Phrase:
    return Phrase("{role} lacks {rights}", role=reach.name, rights=_few(missing))


def _of_public(held: list[Row]) -> Iterator[Finding]:
    if held:
        listed = [f"{privilege} on {what}" for what, privilege in held]
        sentence = Phrase("PUBLIC, which is everybody, holds {rights}", rights=_few(listed))
        yield _found("PUBLIC_PRIVILEGE", sentence, *listed)


def _few(items: list[str]) -> Phrase:
    shown, more = "; ".join(items[:_FEW]), len(items) - _FEW
    return (
        Phrase("{shown}; and {more} more", shown=shown, more=more) if more > 0 else verbatim(shown)
    )


def _found(cause: str, sentence: Phrase, *evidence: str) -> Finding:
    return Finding(cause, NOWHERE, sentence, evidence=evidence)
