"""What is wrong with roles: their attributes, memberships and passwords."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.spec import Role
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase

SCRAM = "SCRAM-SHA-256"


@check
def missing_role(postgres: Postgres, role: Role) -> Iterator[Finding]:
    """Find a role that does not exist."""
    if not postgres.role(role.name).exists:
        yield _found("ROLE_MISSING", Phrase("there is no role {role}", role=role.name))


@check
def wrong_attributes(postgres: Postgres, role: Role) -> Iterable[Finding]:
    """Find a role that does not exist, or has other attributes than nova.yaml says."""
    return missing_role(postgres, role) or _wrong_attributes(postgres, role)


@check
def inherited_rights(postgres: Postgres, role: Role) -> Iterable[Finding]:
    """Find a role that does not exist, or has rights through another role."""
    return missing_role(postgres, role) or _inherited_rights(postgres, role)


@check
def weak_password(postgres: Postgres, role: Role) -> Iterable[Finding]:
    """Find a role whose password is not stored as a SCRAM verifier, or is stored without need."""
    return missing_role(postgres, role) or _weak_password(postgres, role)


@check
def expired_password(postgres: Postgres, role: Role) -> Iterable[Finding]:
    """Find a role whose password has come to its end."""
    return missing_role(postgres, role) or _expired_password(postgres, role)


@check
def undeclared_roles(postgres: Postgres, spec: Spec, undeclared: str) -> Iterator[Finding]:
    """Find roles that nova.yaml does not know, unless it allows them, and those not there."""
    for role in spec.roles:
        yield from missing_role(postgres, role)
    if undeclared == "refused":
        found = postgres.admin().column("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")
        for name in sorted(found - {role.name for role in spec.roles}):
            yield _found("ROLE_UNDECLARED", Phrase("nova.yaml knows no role {role}", role=name))


def _wrong_attributes(postgres: Postgres, role: Role) -> Iterator[Finding]:
    held = postgres.role(role.name).attributes
    if missing := sorted(set(role.attributes) - held):
        sentence = Phrase(
            "role {role} lacks the attributes {missing}", role=role.name, missing=missing
        )
        yield _found("ROLE_ATTRIBUTES_WRONG", sentence)
    if more := sorted(held - set(role.attributes)):
        sentence = Phrase(
            "role {role} has the attributes {more}, which nova.yaml does not list",
            role=role.name,
            more=more,
        )
        yield _found("ROLE_ATTRIBUTES_WRONG", sentence)


def _inherited_rights(postgres: Postgres, role: Role) -> Iterator[Finding]:
    if found := sorted(postgres.role(role.name).memberships):
        sentence = Phrase("{role} is a member of roles: {roles}", role=role.name, roles=found)
        yield _found("ROLE_INHERITS", sentence)


def _weak_password(postgres: Postgres, role: Role) -> Iterator[Finding]:
    stored, wanted = postgres.role(role.name).stored_password, SCRAM if role.password else "none"
    if stored != wanted:
        sentence = Phrase(
            "how the password of {role} is stored: {stored}, where it should be: {wanted}",
            role=role.name,
            stored=stored,
            wanted=wanted,
        )
        yield _found("PASSWORD_STORED_WEAKLY", sentence)


def _expired_password(postgres: Postgres, role: Role) -> Iterator[Finding]:
    if postgres.role(role.name).has_expired:
        sentence = Phrase("the password of {role} has come to its end", role=role.name)
        yield _found("PASSWORD_EXPIRED", sentence)


def _found(cause: str, sentence: Phrase) -> Finding:
    return Finding(cause, NOWHERE, sentence)
