"""Trying the URL of a database from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.postgres import url_options
from nova_acceptance.components.postgres.checks import admission, holders
from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why the URL's credentials do not lead to its database on a server that takes writes."""
    login = _login(trial)
    if said := url_options.options_that_cannot_hold(trial):
        yield from said
        return
    with _connected(trial, login) as session:
        database, wanted = session.value("SELECT current_database()"), trial.url.target
        if database != wanted.rpartition("/")[2]:
            sentence = Phrase(
                "{url} connects to the database {database}, not to {wanted}",
                url=trial.url.name,
                database=database,
                wanted=wanted,
            )
            yield Finding.here("URL_DATABASE_WRONG", sentence)
        is_for_reading = trial.options.get("target_session_attrs") in url_options.READING
        if not is_for_reading and session.value("SELECT pg_is_in_recovery()"):
            sentence = Phrase("the primary follows another member, and takes no writes")
            yield Finding.here("PRIMARY_READ_ONLY", sentence)


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterable[Finding]:
    """Find that the URL's password is refused, or that another one is as good."""
    refusal = Server(trial.route, trial.transcript).refusal
    return admission.accepted_wrong_password(refusal, _login(trial))


def _connected(trial: UrlTrial, login: Login) -> Session:
    """Open a connection.

    Raises:
        FindingError: every connection is taken, and by whom.
        psycopg.OperationalError: nothing answered, or it refused for another reason.
    """
    try:
        return Server(trial.route, trial.transcript).connect(login)
    except psycopg.OperationalError as error:
        if found := holders.exhausted(trial.client(), str(error)):
            raise FindingError(found) from error
        raise


def _login(trial: UrlTrial) -> Login:
    """Return who a URL connects as, and to what.

    Raises:
        FindingError: there is no such role.
    """
    found: Login = trial.client().login(trial.user, trial.path, trial.password)
    return found
