"""Where a privilege is from that nobody meant, and why one is lacking: the cause before it.

Being a superuser, owning the object, a membership and PUBLIC give privileges that no REVOKE from
the role takes away again. Each is asked for itself whether it gives what is too much: several may
give the same, and it is gone when none of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.cures import (
    cut_off,
    from_everybody,
    leaving,
    of_its_own,
    own_rights_first,
    to_owner,
)
from nova_acceptance.components.postgres.parts import DATABASE_OWNER, Reach, schemas
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.statements import Target, grants, in_database
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import NOTHING, Phrase, verbatim

_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class Held:
    """What a role holds on one object, and what it should.

    Attributes:
        what: the object, as it is told.
        target: the same as statements have it.
        held: what it effectively holds.
        wanted: what it should hold.
        asked: returns what any role holds on it.
        owner: whose it is.
    """

    what: str
    target: Target
    held: frozenset[str]
    wanted: frozenset[str]
    asked: Callable[[object], frozenset[str]]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the rights on an object."""

    of: Held
    rights: frozenset[str]


def lacking(postgres: Postgres, reach: Reach, held: Sequence[Held]) -> Iterator[Finding]:
    """Yield what a role lacks: on the objects of others than it should be first, by whose it is."""
    missing = [_Part(each, found) for each in held if (found := each.wanted - each.held)]
    for part in missing:
        wanted = _owner_wanted(reach, part.of)
        if part.of.owner and wanted and part.of.owner != wanted:
            sentence = Phrase(
                "{what} belongs to {owner}, not to {wanted}, and {role} lacks {rights}",
                what=part.of.what,
                owner=part.of.owner,
                wanted=wanted,
                role=reach.name,
                rights=_few([part]),
            )
            given = to_owner(postgres, reach.grant.database, part.of.target, wanted)
            yield Finding(_owner_wrong(part.of), NOWHERE, sentence, _cure(reach, given))
            missing = [each for each in missing if each is not part]
    later = [each for each in missing if each.of.target.is_later]
    if later:
        yield _default(reach, later)
    elif missing:
        sentence = Phrase("{role} lacks {rights}", role=reach.name, rights=_few(missing))
        given = grants(_by_target(missing), reach.role.name)
        cure = _cure(reach, given)
        yield Finding("PRIVILEGE_MISSING", NOWHERE, sentence, cure, evidence=_listed(missing))


def excess(postgres: Postgres, reach: Reach, held: Sequence[Held]) -> Iterator[Finding]:
    """Yield what a role holds too much, a finding for each place that it is from."""
    left = [_Part(each, found) for each in held if (found := each.held - each.wanted)]
    if not left:
        return
    role, name = postgres.role(reach.role.name), reach.role.name
    by_others: list[_Part] = []
    if "SUPERUSER" in role.attributes:
        said = Phrase("{role} is a superuser", role=reach.name)
        cure = own_rights_first(postgres, name, f"ALTER ROLE {quoted(name)} NOSUPERUSER")
        yield _found("ROLE_ATTRIBUTES_WRONG", said, left, cure)
        by_others += left
    for part in [each for each in left if _owns(postgres, reach, each.of)]:
        yield _of_owner(postgres, reach, part)
        left.remove(part)
    memberships = [each for each in role.direct_memberships if each.inherits]
    for through in sorted({each.of for each in memberships}):
        if gained := _given_by(postgres.any_role(through), left):
            by_others += gained
            said = Phrase("{role} is a member of {through}", role=name, through=through)
            cure = leaving(postgres, name, [each for each in memberships if each.of == through])
            yield _found("ROLE_INHERITS", said, gained, cure)
    if everybodys := _given_by(postgres.everybody, left):
        by_others += everybodys
        said = Phrase("{role} is one of PUBLIC, which is everybody", role=reach.name)
        rights = _by_target(everybodys)
        cure = _cure(reach, from_everybody(postgres, rights, reach.grant.database))
        yield _found("PUBLIC_PRIVILEGE", said, everybodys, cut_off(postgres, rights, cure))
    if own := _of_its_own(postgres, reach, left, by_others):
        sentence = Phrase(
            "{role} holds {rights}, which nobody meant it to", role=reach.name, rights=_few(own)
        )
        cure = _cure(reach, of_its_own(postgres, reach.grant.database, name, _by_target(own)))
        yield Finding("PRIVILEGE_EXCESS", NOWHERE, sentence, cure, evidence=_listed(own))


def of_public(
    held: Iterable[tuple[str, str, Target | None]],
    spec_cure: Callable[[list[tuple[Target, str]]], Phrase],
) -> Iterator[Finding]:
    """Yield what PUBLIC holds, if anything.

    Args:
        held: objects as they are told, privileges, and the objects as statements have them.
        spec_cure: returns what takes them away.
    """
    rows = list(held)
    if rows:
        listed = [f"{right} on {what}" for what, right, _ in rows]
        sentence = Phrase("PUBLIC, which is everybody, holds {rights}", rights=few(listed))
        known = [(target, right) for _, right, target in rows if target]
        cure = spec_cure(known) if known else NOTHING
        yield Finding("PUBLIC_PRIVILEGE", NOWHERE, sentence, cure, evidence=tuple(listed))


def few(items: Sequence[str]) -> Phrase:
    """Return the first of some items, and how many more there are."""
    shown, more = "; ".join(items[:_FEW]), len(items) - _FEW
    if more <= 0:
        return verbatim(shown)
    return Phrase("{shown}; and {more} more", shown=shown, more=more)


def default_cure(
    reach: Reach, schema: str, maker: str, tables: Iterable[str], sequences: Iterable[str]
) -> Phrase:
    """Return what gives a role its rights on all that is made later in a schema."""
    wanted = {
        Target("TABLES", schema, maker=maker): frozenset(tables),
        Target("SEQUENCES", schema, maker=maker): frozenset(sequences),
    }
    return _cure(reach, grants({on: held for on, held in wanted.items() if held}, reach.role.name))


def _default(reach: Reach, later: Sequence[_Part]) -> Finding:
    target = later[0].of.target
    sentence = Phrase(
        "on what {maker} makes in schema {schema} from now on {role} lacks {rights}",
        maker=target.maker,
        schema=target.schema,
        role=reach.name,
        rights=_few(later),
    )
    cure = _cure(reach, grants(_by_target(later), reach.role.name))
    return Finding("DEFAULT_PRIVILEGES_MISSING", NOWHERE, sentence, cure, evidence=_listed(later))


def _found(cause: str, said: Phrase, parts: Sequence[_Part], cure: Phrase) -> Finding:
    sentence = Phrase(
        "{said}, and so holds {rights}, which nobody meant", said=said, rights=_few(parts)
    )
    return Finding(cause, NOWHERE, sentence, cure, evidence=_listed(parts))


def _given_by(role: object, parts: Iterable[_Part]) -> list[_Part]:
    """Return what some other role, or PUBLIC, has of some rights."""
    found = [_Part(each.of, each.of.asked(role) & each.rights) for each in parts]
    return [each for each in found if each.rights]


def _of_its_own(
    postgres: Postgres, reach: Reach, parts: Sequence[_Part], by_others: Sequence[_Part]
) -> list[_Part]:
    """Return of some rights what was granted to the role itself, and what nothing else gives."""
    if not parts:
        return []
    access = postgres.granted(reach.grant.database)
    found = []
    for part in parts:
        target = part.of.target
        granted = access.sources(reach.role.name, target, part.rights)
        others = [each.rights for each in by_others if each.of is part.of]
        own = {each.right for each in granted} | (part.rights - frozenset().union(*others))
        if own:
            found.append(_Part(part.of, frozenset(own)))
    return found


def _owns(postgres: Postgres, reach: Reach, held: Held) -> bool:
    owner = held.owner
    if owner == DATABASE_OWNER:
        owner = postgres.databases.get(reach.grant.database, "")
    return owner == reach.role.name and not held.target.is_later


def _of_owner(postgres: Postgres, reach: Reach, part: _Part) -> Finding:
    held, database = part.of, reach.grant.database
    is_of_the_database = held.owner == DATABASE_OWNER
    target, what = held.target, held.what
    if is_of_the_database:
        target, what = Target("DATABASE", name=database), database
    wanted = _owner_wanted(reach, Held(what, target, held.held, held.wanted, held.asked))
    said = Phrase("{what} belongs to {owner}", what=what, owner=reach.role.name)
    cure = NOTHING
    if wanted:
        said = Phrase(
            "{what} belongs to {owner}, not to {wanted}",
            what=what,
            owner=reach.role.name,
            wanted=wanted,
        )
        # what is in the database and its owner's by that is lost with it, too
        kept = grants({held.target: held.wanted}, reach.role.name) if is_of_the_database else []
        given = to_owner(postgres, database, target, wanted)
        cure = _cure(reach, [*given, *kept])
    cause = "DATABASE_OWNER_WRONG" if target.kind == "DATABASE" else "SCHEMA_OWNER_WRONG"
    return _found(cause, said, [part], cure)


def _owner_wrong(held: Held) -> str:
    return "DATABASE_OWNER_WRONG" if held.target.kind == "DATABASE" else "SCHEMA_OWNER_WRONG"


def _owner_wanted(reach: Reach, held: Held) -> str:
    """Return whose an object should be, as far as nova.yaml says it."""
    spec, database, target = reach.spec, reach.grant.database, held.target
    if spec is None or target.is_later:
        return ""
    if target.kind == "DATABASE":
        return next((each.owner for each in spec.databases if each.name == database), "")
    for each in schemas(spec):
        if (each.database, each.schema) == (database, target.schema):
            return each.owner if target.kind == "SCHEMA" else each.maker
    return ""


def _cure(reach: Reach, statements: Iterable[str]) -> Phrase:
    return in_database(statements, reach.grant.database)


def _by_target(parts: Sequence[_Part]) -> dict[Target, frozenset[str]]:
    return {each.of.target: each.rights for each in parts}


def _listed(parts: Iterable[_Part]) -> tuple[str, ...]:
    return tuple(f"{', '.join(sorted(each.rights))} on {each.of.what}" for each in parts)


def _few(parts: Iterable[_Part]) -> Phrase:
    return few(_listed(parts))
