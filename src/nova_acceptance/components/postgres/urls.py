"""Trying the URL of a database from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.postgres.checks import admission
from nova_acceptance.components.postgres.sql import Login, Server
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why the URL's credentials do not lead to its database on a server that takes writes."""
    with Server(trial.route, trial.transcript).connect(_login(trial)) as session:
        database, wanted = session.value("SELECT current_database()"), trial.url.target
        if database != wanted.rpartition("/")[2]:
            sentence = Phrase(
                "{url} connects to the database {database}, not to {wanted}",
                url=trial.url.name,
                database=database,
                wanted=wanted,
            )
            yield Finding.here("URL_DATABASE_WRONG", sentence)
        if session.value("SELECT pg_is_in_recovery()"):
            sentence = Phrase("the primary follows another member, and takes no writes")
            yield Finding.here("PRIMARY_READ_ONLY", sentence)


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterable[Finding]:
    """Find that the URL's password is refused, or that another one is as good."""
    refusal = Server(trial.route, trial.transcript).refusal
    return admission.accepted_wrong_password(refusal, _login(trial))


def _login(trial: UrlTrial) -> Login:
    """Return who a URL connects as, and to what.

    Raises:
        FindingError: there is no such role.
    """
    found: Login = trial.client().login(trial.user, trial.path, trial.password)
    return found
