"""What PostgreSQL shows of itself that keeps whoever wants to ask more from asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase


def no_role(name: str) -> Finding:
    """Return that a role is missing."""
    return Finding.here("ROLE_MISSING", Phrase("there is no role {role}", role=name))


def password_ended(role: str) -> Finding:
    """Return that a role's password has come to its end."""
    sentence = Phrase("the password of {role} has come to its end", role=role)
    cure = Phrase(
        "`ALTER ROLE {role} VALID UNTIL 'infinity'`, or a new password with a new end",
        role=quoted(role),
    )
    return Finding("PASSWORD_EXPIRED", NOWHERE, sentence, cure)


def leadership(leaders: Sequence[str], answers: Mapping[str, bool]) -> Finding:
    """Return what it shows that none leads, or that several do.

    Args:
        leaders: who leads.
        answers: whether each of the members that answered follows.
    """
    sentence = Phrase(
        "PostgreSQL has {count} leaders: {names}" if leaders else "PostgreSQL has 0 leaders: none",
        count=len(leaders),
        names=list(leaders),
    )
    evidence = tuple(
        f"{name}: {'in recovery' if follows else 'not in recovery'}"
        for name, follows in answers.items()
    )
    cause = "TWO_LEADERS" if leaders else "NO_LEADER"
    return Finding.here(cause, sentence, *evidence)
