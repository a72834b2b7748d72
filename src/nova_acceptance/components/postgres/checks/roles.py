"""What is wrong with roles: their attributes, memberships and passwords."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.checks.databases import beyond
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.cures import leaving, own_rights_first
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.shown import no_role, password_ended
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.spec import Role
from nova_acceptance.components.postgres.statements import in_database
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase

SCRAM = "SCRAM-SHA-256"


@check
def undeclared_roles(postgres: Postgres, spec: Spec, undeclared: str) -> Iterator[Finding]:
    """Find roles that are missing, and those that nova.yaml neither knows nor allows."""
    found, declared = postgres.role_names, {role.name for role in spec.roles}
    yield from map(no_role, sorted(declared - found))
    for name in beyond(found, declared, undeclared):
        sentence = Phrase("nova.yaml knows no role {role}", role=name)
        yield Finding.here("ROLE_UNDECLARED", sentence)


@check
def wrong_attributes(postgres: Postgres, role: Role) -> Iterator[Finding]:
    """Find a role that has other attributes than nova.yaml says."""
    held, wanted = postgres.role(role.name).attributes, set(role.attributes)
    if held != wanted:
        sentence = Phrase(
            "role {role} has the attributes {held}, where nova.yaml says {wanted}",
            role=role.name,
            held=sorted(held) or Phrase("none"),
            wanted=sorted(wanted) or Phrase("none"),
        )
        changes = [*sorted(wanted - held), *(f"NO{each}" for each in sorted(held - wanted))]
        statement = f"ALTER ROLE {quoted(role.name)} {' '.join(changes)}"
        cure = in_database([statement])
        if "SUPERUSER" in held - wanted:
            cure = own_rights_first(postgres, role.name, statement)
        yield Finding("ROLE_ATTRIBUTES_WRONG", NOWHERE, sentence, cure)


@check
def inherited_rights(postgres: Postgres, role: Role) -> Iterator[Finding]:
    """Find a role that has rights through another role."""
    if found := sorted(postgres.role(role.name).memberships):
        sentence = Phrase("{role} is a member of roles: {roles}", role=role.name, roles=found)
        # of what it is through another role alone, a REVOKE takes nothing away
        direct = postgres.role(role.name).direct_memberships
        yield Finding("ROLE_INHERITS", NOWHERE, sentence, leaving(postgres, role.name, direct))


@check
def weak_password(postgres: Postgres, role: Role) -> Iterator[Finding]:
    """Find a role whose password is not stored as a SCRAM verifier, or is stored without need."""
    stored, wanted = postgres.role(role.name).stored_password, SCRAM if role.password else "none"
    if stored != wanted:
        sentence = Phrase(
            "how the password of {role} is stored: {stored}, where it should be: {wanted}",
            role=role.name,
            stored=stored,
            wanted=wanted,
        )
        yield Finding.here("PASSWORD_STORED_WEAKLY", sentence)


@check
def expired_password(postgres: Postgres, role: Role) -> Iterator[Finding]:
    """Find a role whose password has come to its end."""
    if postgres.role(role.name).has_expired:
        yield password_ended(role.name)
