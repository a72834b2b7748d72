"""What is wrong with effective privileges: what a role lacks, and what it holds beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import methodcaller

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.checks.databases import no_schema
from nova_acceptance.components.postgres.checks.sources import (
    Held,
    default_cure,
    excess,
    lacking,
    of_public,
)
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.cures import (
    cut_off,
    from_everybody,
    leaving,
    own_rights_first,
    to_owner,
)
from nova_acceptance.components.postgres.deeds import is_of_a_test
from nova_acceptance.components.postgres.parts import Reach, Schema, others_in, schema_of
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.spec import Database
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Row, identifiers
from nova_acceptance.components.postgres.statements import Target, grants, in_database
from nova_acceptance.components.postgres.tables import LATER, later_table
from nova_acceptance.findings import NOWHERE, Finding, FindingError
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase


@check
def unearned_usage(postgres: Postgres, reach: Reach) -> Iterator[Finding]:
    """Find a role that resolves no names in its schemas, or does so as a superuser."""
    role = postgres.role(reach.role.name)
    if role.is_superuser:
        sentence = Phrase("{role} is a superuser, whom no grant is needed for", role=role.name)
        yield Finding.here("ROLE_ATTRIBUTES_WRONG", sentence)
    usage = frozenset({"USAGE"})
    yield from _difference(
        postgres,
        reach,
        [
            replace(each, held=each.held & usage, wanted=usage)
            for each in _on_schemas(postgres, reach, reach.grant.schemas)
        ],
    )


@check
def wrong_on_database(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with a database than nova.yaml grants."""
    database = reach.grant.database
    asked = methodcaller("privileges_on_database", database)
    owner = postgres.databases.get(database, "")
    wanted, target = frozenset(reach.grant.on_database), Target("DATABASE", name=database)
    return _difference(
        postgres, reach, [_rights(postgres, reach, database, target, asked, wanted, owner=owner)]
    )


@check
def wrong_on_schemas(postgres: Postgres, reach: Reach) -> Iterable[Finding]:
    """Find a role that may do less or more with the schemas of a database than nova.yaml grants."""
    schemas = _schemas(postgres, reach)
    return _difference(postgres, reach, _on_schemas(postgres, reach, schemas))


@check
def wrong_on_tables(postgres: Postgres, reach: Reach) -> Iterator[Finding]:
    """Find a role that may do less or more with tables than nova.yaml grants, or no table."""
    rights = _on_relations(postgres, reach, "TABLE", postgres.tables, reach.on_tables_of)
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
    rights = _on_relations(postgres, reach, "SEQUENCE", postgres.sequences, reach.on_sequences_of)
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
    tables = Target("TABLES", name, maker=schema.maker)
    sequences = Target("SEQUENCES", name, maker=schema.maker)
    found: list[Finding] = []
    with later_table(postgres, schema):
        for reach in others_in(spec, schema):
            on_table = methodcaller("privileges_on_table", name, LATER, database=home)
            number = f"{LATER}_id_seq"
            on_sequence = methodcaller("privileges_on_sequence", name, number, database=home)
            wanted, of_sequences = reach.on_tables_of(name), reach.on_sequences_of(name)
            rights = [
                _rights(postgres, reach, f"later tables in {name}", tables, on_table, wanted),
                _rights(
                    postgres,
                    reach,
                    f"later sequences in {name}",
                    sequences,
                    on_sequence,
                    of_sequences,
                ),
            ]
            # where it is from is asked as long as it is there
            found += _difference(postgres, reach, rights)
    yield from found


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
            where = schema.schema
            if is_grant:
                target = Target("SCHEMA", where)
                given = grants({target: frozenset(rights.on_schemas)}, role)
                cure = in_database(given, schema.database)
            else:
                cure = default_cure(
                    reach, where, schema.maker, rights.on_tables, rights.on_sequences
                )
            yield Finding(
                "PRIVILEGE_MISSING" if is_grant else "DEFAULT_PRIVILEGES_MISSING",
                NOWHERE,
                Phrase(
                    "{role} on a later table that {maker} makes in schema {schema}: {said}",
                    role=role,
                    maker=schema.maker,
                    schema=schema.name,
                    said=said,
                ),
                cure,
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
def public_on_databases(postgres: Postgres, _spec: Spec) -> Iterator[Finding]:
    """Find what PUBLIC, which is everybody, may do with databases."""

    def cure(held: list[tuple[Target, str]]) -> Phrase:
        rights = _joined(held)
        each_alone = [
            from_everybody(postgres, {target: held}, target.name) for target, held in rights.items()
        ]
        # nobody is shut out of one database before all that need another are let in there
        statements = sorted(chain(*each_alone), key=lambda each: each.startswith("REVOKE"))
        return cut_off(postgres, rights, in_database(statements))

    held = postgres.public_on_databases
    yield from of_public(
        [(name, right, Target("DATABASE", name=name)) for name, right in held], cure
    )


@check
def public_in_database(postgres: Postgres, _spec: Spec, database: Database) -> Iterator[Finding]:
    """Find what PUBLIC may do with anything in a database, or with what is still to come."""
    yield from _public_in(postgres, database.name, postgres.public_in(database.name))


@check
def public_on_later_tables(postgres: Postgres, _spec: Spec, schema: Schema) -> Iterator[Finding]:
    """Find what PUBLIC may do with a table that is made later."""
    database = schema.database
    with later_table(postgres, schema):
        held = postgres.public_in(database)
    # the table is gone by now; the default privileges that gave it away are among the rest
    rows = [row[:2] if LATER in str(row[0]) else row for row in held]
    yield from _public_in(postgres, database, rows)


def source_of_deed(postgres: Postgres, reach: Reach, sentence: Phrase) -> Finding:
    """Return by what a role may do what it must not, as far as it can be seen.

    Args:
        postgres: is asked.
        reach: the role, and where.
        sentence: what it can do.
    """
    role, name, database = reach.role, reach.role.name, reach.grant.database
    found = postgres.role(name)
    if more := sorted(found.attributes - set(role.attributes)):
        changes = " ".join(f"NO{each}" for each in more)
        statement = f"ALTER ROLE {quoted(name)} {changes}"
        cure = (
            own_rights_first(postgres, name, statement)
            if "SUPERUSER" in more
            else in_database([statement])
        )
        return Finding("ROLE_ATTRIBUTES_WRONG", NOWHERE, sentence, cure)
    if memberships := found.direct_memberships:
        through = sorted({each.of for each in memberships})
        said = Phrase("{said}, and is a member of {through}", said=sentence, through=through)
        return Finding("ROLE_INHERITS", NOWHERE, said, leaving(postgres, name, memberships))
    if postgres.databases.get(database) == name:
        return Finding("DATABASE_OWNER_WRONG", NOWHERE, sentence, _to_owners(postgres, reach))
    if name in postgres.schemas(database).values():
        return Finding("SCHEMA_OWNER_WRONG", NOWHERE, sentence, _to_owners(postgres, reach))
    if postgres.public_in(database) or postgres.public_on_databases:
        return Finding.here("PUBLIC_PRIVILEGE", sentence)
    return Finding.here("PRIVILEGE_EXCESS", sentence)


def _to_owners(postgres: Postgres, reach: Reach) -> Phrase:
    """Return what gives a database and its schemas to their owners that are a role's now."""
    database, name = reach.grant.database, reach.role.name
    statements: list[str] = []
    for each in reach.spec.databases if reach.spec else ():
        if each.name == database:
            things = {Target("DATABASE", name=database): (each.owner, postgres.databases[database])}
            things |= {
                Target("SCHEMA", schema): (owner, postgres.schemas(database).get(schema, ""))
                for schema, owner in each.schemas.items()
            }
            for target, (owner, was) in things.items():
                if was == name != owner:
                    statements += to_owner(postgres, database, target, owner)
    return in_database(statements, database)


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


def _on_schemas(postgres: Postgres, reach: Reach, names: Iterable[str]) -> list[Held]:
    database = reach.grant.database
    owners = postgres.schemas(database)
    return [
        _rights(
            postgres,
            reach,
            name,
            Target("SCHEMA", name),
            methodcaller("privileges_on_schema", name, database=database),
            reach.on_schema(name),
            owner=owners.get(name, ""),
        )
        for name in names
    ]


def _on_relations(
    postgres: Postgres,
    reach: Reach,
    kind: str,
    relations: Callable[[str, str], Mapping[str, str]],
    wanted: Callable[[str], frozenset[str]],
) -> list[Held]:
    database, asked = reach.grant.database, f"privileges_on_{kind.lower()}"
    return [
        _rights(
            postgres,
            reach,
            f"{schema}.{name}",
            Target(kind, schema, name),
            methodcaller(asked, schema, name, database=database),
            wanted(schema),
            owner=owner,
        )
        for schema in _schemas(postgres, reach)
        for name, owner in relations(database, schema).items()
        # what a test makes is gone in a moment, and no statement about it can be carried out then
        if not is_of_a_test(name)
    ]


def _rights(  # noqa: PLR0917 - each of another kind
    postgres: Postgres,
    reach: Reach,
    what: str,
    target: Target,
    asked: Callable[[object], frozenset[str]],
    wanted: frozenset[str],
    *,
    owner: str = "",
) -> Held:
    """Return what a role holds, and what it should.

    What it holds beyond that through PUBLIC is left out where that is not judged.
    """
    held = asked(postgres.role(reach.role.name))
    if not reach.counts_public:
        held -= asked(postgres.everybody) - wanted
    return Held(what, target, held, wanted, asked, owner)


def _difference(postgres: Postgres, reach: Reach, held: Sequence[Held]) -> Iterator[Finding]:
    """Yield what is lacking on any object, then what is too much on any, and where that is from."""
    yield from lacking(postgres, reach, held)
    yield from excess(postgres, reach, held)


def _public_in(postgres: Postgres, database: str, rows: Iterable[Row]) -> Iterator[Finding]:
    held = [(what, right, Target(*where) if where else None) for what, right, *where in rows]
    yield from of_public(
        held,
        lambda rights: in_database(from_everybody(postgres, _joined(rights), database), database),
    )


def _joined(held: Iterable[tuple[Target, str]]) -> dict[Target, frozenset[str]]:
    found: dict[Target, frozenset[str]] = {}
    for target, right in held:
        found[target] = found.get(target, frozenset()) | {right}
    return found
