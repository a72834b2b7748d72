"""Whom PostgreSQL lets in, claimed: each failure says what it comes from."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from nova_acceptance.claims import BrokenClaimError, broken
from nova_acceptance.components.postgres.answers import of_refusal
from nova_acceptance.components.postgres.sql import Login, refusal
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.witness import Witness

WRONG: Final = "not-the-password"


def let_in(route: Route, login: Login, witness: Witness) -> None:
    """Claim that a role is let in.

    Raises:
        BrokenClaimError: it is refused, with what PostgreSQL's words show.
        ProbeError: nothing answered.
    """
    if said := refusal(route, login, witness):
        sentence = Phrase("PostgreSQL refuses {role}: {said}", role=login.user, said=said)
        plain = Finding("ADMISSION_REFUSED", NOWHERE, sentence)
        raise BrokenClaimError(of_refusal(said) or plain)


def turned_away(route: Route, login: Login, witness: Witness, *, because: str) -> None:
    """Claim that a role is refused, for the reason that is meant.

    Args:
        route: the way to PostgreSQL.
        login: who tries, and with which password.
        witness: who takes down what is asked.
        because: a pattern for PostgreSQL's own words.

    Raises:
        BrokenClaimError: it is let in, or refused for something else.
        ProbeError: nothing answered.
    """
    said = refusal(route, login, witness)
    if said and re.search(because, said):
        return
    role, database = login.user, login.database
    unknown = re.search(rf'role "{re.escape(role)}" does not exist', said)
    if unknown or (not said and _needs_no_password(route, login, witness)):
        raise broken(
            "TRUST_AUTHENTICATION",
            Phrase(
                "PostgreSQL lets {role} to {database} without asking for a password",
                role=role,
                database=database,
            ),
            evidence=(said or "a connection with a wrong password was accepted",),
        )
    if not said:
        sentence = Phrase(
            "PostgreSQL lets {role} to {database}, which it should refuse",
            role=role,
            database=database,
        )
        raise broken("ADMISSION_TOO_WIDE", sentence)
    sentence = Phrase(
        "PostgreSQL refuses {role} to {database} otherwise than meant: {said}",
        role=role,
        database=database,
        said=said,
    )
    raise BrokenClaimError(of_refusal(said) or Finding("ADMISSION_REFUSED", NOWHERE, sentence))


def _needs_no_password(route: Route, login: Login, witness: Witness) -> bool:
    if login.password == WRONG:
        return True
    return refusal(route, replace(login, password=WRONG), witness) == ""
