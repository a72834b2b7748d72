"""The statements that give a role what it should hold, and take from it what it should not.

What is wanted is the same for all tables of a schema, and for all its sequences: where several of
them are concerned, one statement serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.spec import Postgres, Role
from nova_acceptance.phrase import Phrase

PUBLIC: Final = "PUBLIC"
_IN_A_SCHEMA: Final = ("TABLE", "SEQUENCE")


@dataclass(frozen=True, slots=True)
class Target:
    """What a privilege is on.

    Attributes:
        kind: `DATABASE`, `SCHEMA`, `TABLE`, `SEQUENCE`, `FUNCTION`, as statements have it, or
            `TABLES`, `SEQUENCES`, `FUNCTIONS`, `SCHEMAS` and `TYPES` that are still to be made.
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


def grants(rights: Rights, role: str) -> list[str]:
    """Return the statements that give a role its rights."""
    return [_given(*each, role) for each in _together(rights)]


def revocations(rights: Rights, role: str) -> list[str]:
    """Return the statements that take rights from a role, or from `PUBLIC`."""
    return [_taken(*each, role) for each in _together(rights)]


def from_everybody(rights: Rights, spec: Postgres | None, database: str) -> list[str]:
    """Return the statements that take rights from PUBLIC, after those that need them have them.

    Args:
        rights: what PUBLIC holds.
        spec: says who should hold it; None where that is not known.
        database: where it is, or which it is.
    """
    given = []
    for role in spec.roles if spec else ():
        wanted = {target: held & _wanted(role, target, database) for target, held in rights.items()}
        given += grants({target: held for target, held in wanted.items() if held}, role.name)
    return [*given, *revocations(rights, PUBLIC)]


def in_database(statements: Iterable[str], database: str) -> Phrase:
    """Return statements as a cure, in their order, and where they have to run."""
    return Phrase(
        "`{statement}` in database {database}",
        statement="; ".join(statements),
        database=database,
    )


def _wanted(role: Role, target: Target, database: str) -> frozenset[str]:
    grant = role.grant_in(database)
    if role.is_superuser:
        return frozenset()
    if target.kind == "DATABASE":
        return frozenset(grant.on_database)
    if target.schema and target.schema not in grant.schemas:
        return frozenset()
    if target.kind.startswith("FUNCTION"):  # of which nova.yaml says nothing: who is there calls it
        return frozenset({"EXECUTE"} if "USAGE" in grant.on_schemas else ())
    by_kind = {
        "SCHEMA": grant.on_schemas,
        "TABLE": grant.on_tables,
        "TABLES": grant.on_tables,
        "SEQUENCE": grant.on_sequences,
        "SEQUENCES": grant.on_sequences,
    }
    return frozenset(by_kind.get(target.kind, ()))


def _together(rights: Rights) -> Iterator[tuple[str, Target]]:
    """Yield rights as statements list them, with what they are on; several of a schema at once."""
    alike: dict[tuple[str, str, str, str], list[Target]] = {}
    for target, held in rights.items():
        listed = ", ".join(sorted(held))
        apart = "" if target.kind in _IN_A_SCHEMA else target.name
        alike.setdefault((target.kind, target.schema, apart, listed), []).append(target)
    for (kind, schema, _, listed), targets in alike.items():
        if len(targets) > 1 and kind in _IN_A_SCHEMA:
            yield listed, Target(f"ALL {kind}S IN SCHEMA", schema)
        else:
            yield from ((listed, each) for each in targets)


def _given(rights: str, target: Target, role: str) -> str:
    return f"{_begun(target)}GRANT {rights} ON {_on(target)} TO {_named(role)}"


def _taken(rights: str, target: Target, role: str) -> str:
    return f"{_begun(target)}REVOKE {rights} ON {_on(target)} FROM {_named(role)}"


def _named(role: str) -> str:
    return role if role == PUBLIC else quoted(role)


def _begun(target: Target) -> str:
    if not target.is_later:
        return ""
    within = f"IN SCHEMA {quoted(target.schema)} " if target.schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(target.maker)} {within}"


def _on(target: Target) -> str:
    if target.is_later:
        return target.kind
    if target.kind == "FUNCTION":
        return f"FUNCTION {target.name}"
    return f"{target.kind} {quoted(*filter(None, (target.schema, target.name)))}"
