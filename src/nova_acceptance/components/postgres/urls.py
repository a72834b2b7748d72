"""Trying the URL of a database from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nova_acceptance.checks import check
from nova_acceptance.claims import broken
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.postgres.admission import WRONG, let_in, turned_away
from nova_acceptance.components.postgres.sql import Login, connect
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why the URL's credentials do not lead to its database on a server that takes writes."""
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


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterator[Finding]:
    """Find nothing, or raise what it shows that another password than the URL's is taken."""
    right = _login(trial)
    let_in(trial.route, right, trial.witness)
    because = f'^password authentication failed for user "{right.user}"$'
    turned_away(trial.route, replace(right, password=WRONG), trial.witness, because=because)
    yield from ()


def _login(trial: UrlTrial) -> Login:
    """Return who a URL connects as, and to what; that the role exists is claimed."""
    if not trial.client().has_role(trial.user):
        raise broken("ROLE_MISSING", Phrase("there is no role {role}", role=trial.user))
    return Login(trial.user, trial.path, trial.password)
