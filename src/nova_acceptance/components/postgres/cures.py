"""What mends rights, so that it can be carried out as it stands and leaves what nova.yaml wants.

A role may have what it needs by what it should not have: a membership, as one of everybody, as the
owner, by being a superuser. So what it needs is granted to it first, or right after where that is
the order, and only what is too much is gone in the end. Statements name roles and objects that
exist; one about what is not there would keep those behind it from being carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nova_acceptance.components.postgres.access import Access, Entry
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.deeds import is_of_a_test
from nova_acceptance.components.postgres.members import MAINTENANCE
from nova_acceptance.components.postgres.parts import Schema, schemas
from nova_acceptance.components.postgres.spec import Role
from nova_acceptance.components.postgres.statements import (
    PUBLIC,
    Membership,
    Rights,
    Target,
    departures,
    grants,
    in_database,
    joining,
    one_after_another,
    ownership,
    revocations,
    wanted_on,
)
from nova_acceptance.phrase import Phrase


def to_owner(postgres: Postgres, database: str, target: Target, owner: str) -> list[str]:
    """Return the statements that give something to its owner, and to others what they need on it.

    With the ownership the old owner loses all that it could do, what it needs among it. A sequence
    of a serial or identity column goes with its table, and cannot be given by itself.

    Args:
        postgres: is asked what was granted on it.
        database: where it is, or which it is.
        target: what it is.
        owner: whose it is to be.
    """
    if target.kind == "SEQUENCE":
        of_tables = postgres.tables_of_sequences(database, target.schema)
        if target.name in of_tables:
            target = Target("TABLE", target.schema, of_tables[target.name])
    concerned = [target]
    if target.kind == "TABLE":
        of_tables = postgres.tables_of_sequences(database, target.schema)
        its = sorted(name for name, table in of_tables.items() if table == target.name)
        concerned += [Target("SEQUENCE", target.schema, name) for name in its]
    access, statements = postgres.granted(database), [ownership(target, owner)]
    for role in _declared(postgres):
        if role.name != owner:
            lacked = {each: _lacked(postgres, access, role, each, database) for each in concerned}
            statements += grants(lacked, role.name)
    return statements


def own_rights_first(postgres: Postgres, name: str, *statements: str) -> Phrase:
    """Return statements that take from a role what it has by others, after grants of its own.

    Args:
        postgres: is asked what was granted to it.
        name: the role.
        statements: take it away, in whichever database.
    """
    given = {
        database: found
        for role in _declared(postgres)
        if role.name == name
        for database in postgres.databases
        if (found := grants(_not_its_own(postgres, role, database), name))
    }
    if not given:
        return in_database(statements)
    *others, last = given
    return one_after_another(
        [
            *(in_database(given[each], each) for each in others),
            in_database([*given[last], *statements], last),
        ]
    )


def leaving(postgres: Postgres, name: str, memberships: Sequence[Membership]) -> Phrase:
    """Return what ends memberships of a role.

    Others whom it has let in lose their membership with its own. Whoever of them is none of
    nova.yaml's is let in anew before; it says of all its roles that they are members of none.
    """
    declared = {role.name for role in _declared(postgres)}
    ended = {each.of for each in memberships}
    others = [
        each
        for each in postgres.any_role(name).passed_on
        if each.of in ended and each.member not in declared
    ]
    return own_rights_first(
        postgres, name, *dict.fromkeys(map(joining, others)), *departures(memberships)
    )


def from_everybody(postgres: Postgres, rights: Rights, database: str) -> list[str]:
    """Return the statements that take rights from PUBLIC, after those that need them have them.

    Args:
        postgres: is asked where they were granted.
        rights: what PUBLIC holds.
        database: where it is, or which it is.
    """
    on_databases = {target: held for target, held in rights.items() if target.kind == "DATABASE"}
    taken, revoked = dict(on_databases), revocations(on_databases, PUBLIC)
    access = Access(())
    # a template need not let anybody in who would ask it
    if len(on_databases) < len(rights):
        access = postgres.granted(database)
        found = _sources(access, PUBLIC, rights)
        taken |= _by_target(found)
        revoked += _revoked(postgres, access, database, PUBLIC, found)
    given = []
    for role in _declared(postgres):
        needed: dict[Target, frozenset[str]] = {}
        for target, held in taken.items():
            for each in _places(postgres, database, target):
                wanted = wanted_on(role, each, database) | _to_follow(role, each)
                lacked = held & wanted - access.own(role.name, each)
                needed[each] = needed.get(each, frozenset()) | lacked
        given += grants(needed, role.name)
    return [*given, *revoked]


def cut_off(postgres: Postgres, rights: Rights, cure: Phrase) -> Phrase:
    """Return the cure that takes rights from PUBLIC, and who is not let into which database by it.

    Args:
        postgres: is asked who connects there as one of PUBLIC alone.
        rights: what PUBLIC loses.
        cure: what takes it away.
    """
    outside = [
        Phrase("{role} from {database}", role=name, database=target.name)
        for target, held in rights.items()
        if target.kind == "DATABASE" and "CONNECT" in held
        for name in postgres.cut_off(target.name)
        if not any(role.name == name for role in _let_in(postgres, target))
    ]
    if not outside:
        return cure
    return Phrase(
        "{cure}; this shuts out, unless they are granted CONNECT as well: {roles}",
        cure=cure,
        roles=outside,
    )


def of_its_own(postgres: Postgres, database: str, name: str, rights: Rights) -> list[str]:
    """Return the statements that take from a role what was granted to it itself.

    What was granted for all schemas is granted first in those in which it is wanted.

    Args:
        postgres: is asked where it was granted, and by whom.
        database: where.
        name: the role.
        rights: what it should not have.
    """
    access = postgres.granted(database)
    found = _sources(access, name, rights)
    known = _by_target(found)
    kept: dict[Target, frozenset[str]] = {}
    for role in _declared(postgres):
        if role.name != name:
            continue
        for target, held in known.items():
            if target.is_later and not target.schema:
                for place in _places(postgres, database, target):
                    own = access.own(name, place)
                    kept[place] = (wanted_on(role, place, database) & held) - own
    unknown = {
        target: left
        for target, held in rights.items()
        if (left := held - {each.right for each in access.sources(name, target, held)})
    }
    return [
        *grants(kept, name),
        *_revoked(postgres, access, database, name, found),
        *revocations(unknown, name),
    ]


def _declared(postgres: Postgres) -> list[Role]:
    """Return the roles of nova.yaml that exist, but for superusers, who need no grant."""
    if postgres.spec is None:
        return []
    there = postgres.role_names
    return [each for each in postgres.spec.roles if each.name in there and not each.is_superuser]


def _schemas(postgres: Postgres, database: str) -> list[Schema]:
    """Return the schemas of nova.yaml that are there in a database."""
    if postgres.spec is None:
        return []
    there = postgres.schemas(database)
    return [
        each
        for each in schemas(postgres.spec)
        if each.database == database and each.schema in there
    ]


def _not_its_own(postgres: Postgres, role: Role, database: str) -> Rights:
    """Return what nova.yaml grants a role in a database, and nobody has granted to it itself."""
    access = postgres.granted(database)
    return {
        target: lacked
        for target, owner in _grantable(postgres, database)
        if owner != role.name and (lacked := _lacked(postgres, access, role, target, database))
    }


def _lacked(
    postgres: Postgres, access: Access, role: Role, target: Target, database: str
) -> frozenset[str]:
    """Return what nova.yaml grants a role on something, and nobody has granted to it itself.

    Nor to everybody, where nova.yaml leaves that to whoever does.
    """
    wanted = wanted_on(role, target, database)
    own = access.sources(role.name, target, wanted)
    if postgres.spec is not None and postgres.spec.public == "not judged":
        own += access.sources(PUBLIC, target, wanted)
    return wanted - {each.right for each in own}


def _grantable(postgres: Postgres, database: str) -> Iterator[tuple[Target, str]]:
    """Yield all that nova.yaml's grants are on in a database, with whose it is."""
    yield Target("DATABASE", name=database), postgres.databases.get(database, "")
    for schema in _schemas(postgres, database):
        name = schema.schema
        yield Target("SCHEMA", name), postgres.schemas(database)[name]
        tables, sequences = postgres.tables(database, name), postgres.sequences(database, name)
        for kind, owners in (("TABLE", tables), ("SEQUENCE", sequences)):
            yield from (
                (Target(kind, name, each), owner)
                for each, owner in owners.items()
                if not is_of_a_test(each)
            )
        for kind in ("TABLES", "SEQUENCES"):
            yield Target(kind, name, maker=schema.maker), schema.maker


def _places(postgres: Postgres, database: str, target: Target) -> list[Target]:
    """Return where a grant has to be made in place of one on something.

    What is to be made anywhere is granted by schema: nova.yaml's grants are.
    """
    if not target.is_later or target.schema:
        return [target]
    return [
        Target(target.kind, each.schema, maker=target.maker)
        for each in _schemas(postgres, database)
    ]


def _to_follow(role: Role, target: Target) -> frozenset[str]:
    """Return what a role that replicates needs where pg_rewind asks the leader."""
    is_there = target == Target("DATABASE", name=MAINTENANCE)
    return frozenset({"CONNECT"} if is_there and role.replicates else ())


def _let_in(postgres: Postgres, target: Target) -> list[Role]:
    return [
        role
        for role in _declared(postgres)
        if "CONNECT" in wanted_on(role, target, target.name) | _to_follow(role, target)
    ]


def _sources(access: Access, grantee: str, rights: Rights) -> list[Entry]:
    found = (access.sources(grantee, target, held) for target, held in rights.items())
    return list(dict.fromkeys(each for entries in found for each in entries))


def _by_target(entries: Iterable[Entry]) -> dict[Target, frozenset[str]]:
    found: dict[Target, frozenset[str]] = {}
    for each in entries:
        found[each.target] = found.get(each.target, frozenset()) | {each.right}
    return found


def _revoked(
    postgres: Postgres, access: Access, database: str, name: str, entries: Sequence[Entry]
) -> list[str]:
    """Return the statements that undo grants to a role.

    To whom the role has passed a right on loses it as well. A superuser's REVOKE is the owner's:
    what somebody else has granted ends with the leave to pass it on, which is given back.
    """
    statements: list[str] = []
    alike: dict[bool, list[Entry]] = {}
    for each in entries:
        if each.grantor == each.owner:
            onward = _passed_on(access, name, each)
            statements += _kept(postgres, database, onward)
            alike.setdefault(bool(onward), []).append(each)
        else:
            statements += _no_longer_passed_on(postgres, access, database, each)
    for is_onward, theirs in alike.items():
        statements += revocations(_by_target(theirs), name, onward=is_onward)
    return statements


def _no_longer_passed_on(
    postgres: Postgres, access: Access, database: str, entry: Entry
) -> list[str]:
    """Return the statements that undo what the grantor of an entry has passed on of its right."""
    target, right, grantor = entry.target, entry.right, entry.grantor
    its = access.sources(grantor, target, {right})
    if _is_excess(postgres, database, grantor, target, right):
        return _revoked(postgres, access, database, grantor, its)
    # whom the owner lets do so as well is not touched by what others undo
    statements = _kept(postgres, database, _passed_on(access, grantor, entry))
    for each in its:
        if each.grantor != each.owner:
            statements += _no_longer_passed_on(postgres, access, database, each)
    what = {target: frozenset({right})}
    return [
        *statements,
        *revocations(what, grantor, option=True, onward=True),
        *grants(what, grantor, option=True),
    ]


def _passed_on(access: Access, grantor: str, entry: Entry) -> list[Entry]:
    """Return to whom somebody has passed on the right of an entry."""
    wanted = (grantor, entry.target, entry.right)
    return [each for each in access.entries if (each.grantor, each.target, each.right) == wanted]


def _kept(postgres: Postgres, database: str, passed_on: Iterable[Entry]) -> list[str]:
    """Return the statements by which the owner grants what was passed on and is no excess."""
    return [
        statement
        for each in passed_on
        if not _is_excess(postgres, database, each.grantee, each.target, each.right)
        for statement in grants(
            {each.target: frozenset({each.right})}, each.grantee, option=each.may_be_passed_on
        )
    ]


def _is_excess(postgres: Postgres, database: str, grantee: str, target: Target, right: str) -> bool:
    """Whether nova.yaml knows who has a right, and grants no such thing."""
    of_ours = [role for role in _declared(postgres) if role.name == grantee]
    return grantee == PUBLIC or any(
        right not in wanted_on(role, target, database) for role in of_ours
    )
