"""Trying the URL of a database from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.postgres.checks.admission import accepted_wrong_password
from nova_acceptance.components.postgres.sql import Login, connect, refusal
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase


def lets_in(trial: UrlTrial, client: Callable[[], Any]) -> Iterator[Finding]:
    """Yield why the URL's credentials do not lead to its database on a server that takes writes."""
    if unknown := _unknown(trial, client):
        yield unknown
        return
    with connect(trial.route, _login(trial), trial.witness) as session:
        database, wanted = session.value("SELECT current_database()"), trial.url.target
        if database != wanted.rpartition("/")[2]:
            sentence = Phrase(
                "{url} connects to the database {database}, not to {wanted}",
                url=trial.url.name,
                database=database,
                wanted=wanted,
            )
            yield Finding("URL_DATABASE_WRONG", NOWHERE, sentence)
        if session.value("SELECT pg_is_in_recovery()"):
            sentence = Phrase("the primary follows another member, and takes no writes")
            yield Finding("PRIMARY_READ_ONLY", NOWHERE, sentence)


def demands_password(trial: UrlTrial, client: Callable[[], Any]) -> Iterator[Finding]:
    """Yield that the URL's password is refused, or that another one is as good."""
    if unknown := _unknown(trial, client):
        yield unknown
        return

    def refused(login: Login) -> str:
        return refusal(trial.route, login, trial.witness)

    yield from accepted_wrong_password(refused, _login(trial))


def _unknown(trial: UrlTrial, client: Callable[[], Any]) -> Finding | None:
    """Return that the role does not exist: PostgreSQL does not tell it from a wrong password."""
    if client().has_role(trial.user):
        return None
    return Finding("ROLE_MISSING", NOWHERE, Phrase("there is no role {role}", role=trial.user))


def _login(trial: UrlTrial) -> Login:
    """Return who a URL connects as, and to what."""
    return Login(trial.user, trial.path, trial.password)
