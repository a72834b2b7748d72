"""The statements that give a role what it should hold, and take from it what it should not.

What is wanted is the same for all tables of a schema, and for all its sequences: where several of
them are concerned, one statement gives it on all of them. What is taken is taken from those alone
that it is about: views lie beside tables, and what a role may do with them is nobody's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.spec import Role
from nova_acceptance.phrase import NOTHING, Phrase

PUBLIC: Final = "PUBLIC"
_IN_A_SCHEMA: Final = ("TABLE", "SEQUENCE")
_CALLED: Final = ("FUNCTION", "PROCEDURE")


@dataclass(frozen=True, slots=True)
class Target:
    """What a privilege is on.

    Attributes:
        kind: `DATABASE`, `SCHEMA`, `TABLE`, `SEQUENCE`, `FUNCTION`, `PROCEDURE`, as statements have
            it, or `TABLES`, `SEQUENCES`, `FUNCTIONS`, `SCHEMAS` and the like, still to be made.
        schema: the schema that it is or is in; empty for a database, and for what is made anywhere.
        name: its name, where that is not the schema's; a function's with its arguments, quoted.
        maker: who makes what is still to be made.
    """

    kind: str
    schema: str = ""
    name: str = ""
    maker: str = ""

    @property
    def is_later(self) -> bool:
        """Whether it is still to be made."""
        return bool(self.maker)


Rights = Mapping[Target, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Membership:
    """That a role was made a member of another one.

    Attributes:
        of: the role whose member it is.
        member: who is the member.
        grantor: who made it one, where PostgreSQL keeps memberships by that (from 16 on) and it is
            not the first superuser; empty otherwise.
        inherits: whether the member has the rights of the other by itself.
        sets: whether it may become the other.
        admits: whether it may let others in, and so itself.
        is_passed_on: whether others are members by its leave, which ends with its own.
    """

    of: str
    member: str
    grantor: str = ""
    inherits: bool = True
    sets: bool = True
    admits: bool = False
    is_passed_on: bool = False


def grants(rights: Rights, role: str, *, option: bool = False) -> list[str]:
    """Return the statements that give a role its rights, one for all tables of a schema.

    Args:
        rights: what is given.
        role: to whom.
        option: whether the role may pass them on.
    """
    alike: dict[tuple[Target, str], list[Target]] = {}
    for target, held in rights.items():
        if held:
            is_in_a_schema = target.kind in _IN_A_SCHEMA
            all_of_it = Target(f"ALL {target.kind}S IN SCHEMA", target.schema)
            on = all_of_it if is_in_a_schema else target
            alike.setdefault((on, ", ".join(sorted(held))), []).append(target)
    return [
        _given(listed, on if len(targets) > 1 else targets[0], role)
        + (" WITH GRANT OPTION" if option else "")
        for (on, listed), targets in alike.items()
    ]


def revocations(
    rights: Rights, role: str, *, onward: bool = False, option: bool = False
) -> list[str]:
    """Return the statements that take rights from a role, or from `PUBLIC`.

    Args:
        rights: what is taken.
        role: from whom.
        onward: whether those lose them as well to whom the role has passed them on.
        option: whether the role keeps them, and loses the leave to pass them on.
    """
    alike: dict[tuple[str, str, str, str], list[Target]] = {}
    for target, held in rights.items():
        if held:
            place = target.schema if target.is_later else ""
            kind = (target.kind, place, target.maker, ", ".join(sorted(held)))
            alike.setdefault(kind, []).append(target)
    what = "REVOKE GRANT OPTION FOR" if option else "REVOKE"
    return [
        f"{_begun(targets[0])}{what} {listed} ON {_on(*targets)} FROM {_named(role)}"
        + (" CASCADE" if onward else "")
        for (*_, listed), targets in alike.items()
    ]


def departures(memberships: Iterable[Membership]) -> list[str]:
    """Return the statements that end memberships of one role; each grantor's are its own."""
    alike: dict[tuple[str, str, bool], list[str]] = {}
    for each in memberships:
        alike.setdefault((each.member, each.grantor, each.is_passed_on), []).append(each.of)
    return [
        f"REVOKE {', '.join(map(quoted, roles))} FROM {quoted(member)}"
        + (f" GRANTED BY {quoted(grantor)}" if grantor else "")
        + (" CASCADE" if onward else "")
        for (member, grantor, onward), roles in alike.items()
    ]


def joining(membership: Membership) -> str:
    """Return the statement that makes the same membership anew, by whoever carries it out."""
    options = {
        "ADMIN": membership.admits,
        "INHERIT": membership.inherits,
        "SET": membership.sets,
    }
    listed = ", ".join(f"{name} {str(is_on).upper()}" for name, is_on in options.items())
    return f"GRANT {quoted(membership.of)} TO {quoted(membership.member)} WITH {listed}"


def ownership(target: Target, owner: str) -> str:
    """Return the statement that gives something to its owner."""
    return f"ALTER {target.kind} {_on_one(target)} OWNER TO {quoted(owner)}"


def wanted_on(role: Role, target: Target, database: str) -> frozenset[str]:
    """Return what nova.yaml grants a role on something in a database."""
    grant = role.grant_in(database)
    if role.is_superuser:
        return frozenset()
    if target.kind == "DATABASE":
        return frozenset(grant.on_database)
    if target.schema not in grant.schemas:
        return frozenset()
    if target.kind.removesuffix("S") in _CALLED:  # of which nova.yaml says nothing: all call it
        return frozenset({"EXECUTE"} if "USAGE" in grant.on_schemas else ())
    by_kind = {
        "SCHEMA": grant.on_schemas,
        "TABLE": grant.on_tables,
        "TABLES": grant.on_tables,
        "SEQUENCE": grant.on_sequences,
        "SEQUENCES": grant.on_sequences,
    }
    return frozenset(by_kind.get(target.kind, ()))


def in_database(statements: Iterable[str], database: str = "") -> Phrase:
    """Return statements as a cure, in their order, and where they have to run if that matters."""
    joined = "; ".join(statements)
    if not joined:
        return NOTHING
    if not database:
        return Phrase("`{statement}`", statement=joined)
    return Phrase("`{statement}` in database {database}", statement=joined, database=database)


def one_after_another(cures: Iterable[Phrase]) -> Phrase:
    """Return cures as one, in their order."""
    joined = NOTHING
    for each in cures:
        joined = Phrase("{first}, then {second}", first=joined, second=each) if joined else each
    return joined


def _given(rights: str, target: Target, role: str) -> str:
    return f"{_begun(target)}GRANT {rights} ON {_on(target)} TO {_named(role)}"


def _named(role: str) -> str:
    return role if role == PUBLIC else quoted(role)


def _begun(target: Target) -> str:
    if not target.is_later:
        return ""
    within = f"IN SCHEMA {quoted(target.schema)} " if target.schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(target.maker)} {within}"


def _on(*targets: Target) -> str:
    if targets[0].is_later:
        return targets[0].kind
    return f"{targets[0].kind} {', '.join(sorted(map(_on_one, targets)))}"


def _on_one(target: Target) -> str:
    if target.kind in _CALLED:
        return target.name
    return quoted(*filter(None, (target.schema, target.name)))
