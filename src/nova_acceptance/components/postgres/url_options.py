"""What a URL of a database asks of the connection, tried by libpq itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.kubernetes.traits import OPTIONS
from nova_acceptance.components.postgres.sql import Login, Server, Session
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase

_TRIED: Final = ("sslmode", "channel_binding", "target_session_attrs", "options")
"""Options that libpq knows and that need no file of the pod.

Source: the PostgreSQL manual, 34.1.2, "Parameter Key Words".
"""
_OF_FILES: Final = ("verify-ca", "verify-full")
"""Values of sslmode that need the pod's own certificates: TLS is all that is tried of them."""
READING: Final = ("read-only", "standby", "prefer-standby")
"""What a session wants that is not to write."""

_NO_TLS: Final = re.compile(r"server does not support SSL, but SSL was required")
_NO_PLAIN: Final = re.compile(r"no pg_hba\.conf entry for [^\n]*(?:no encryption|SSL off)")
_BINDING: Final = re.compile(r"channel binding (?:is )?required[^\n]*")
_SESSION: Final = re.compile(
    r"session is (?:not )?read-only|server is (?:not )?in hot standby mode"
)
_SETTING: Final = re.compile(
    r"unrecognized configuration parameter|invalid value for parameter|cannot be changed"
    r"|permission denied to set parameter|invalid command-line argument"
)


@check
def options_that_cannot_hold(trial: UrlTrial) -> Iterator[Finding]:
    """Find an option of the URL that the server does not grant; a refused login is not told."""
    given = {name: trial.options[name] for name in _TRIED if trial.options.get(name)}
    # one that there is none of is told by how it is written
    asked = {name: it for name, it in given.items() if it in OPTIONS.get(name, (it,))}
    if asked.get("sslmode") in _OF_FILES:
        asked["sslmode"] = "require"
    if not asked:
        return
    login = Login(trial.user, trial.path, trial.password, asked)
    try:
        with Server(trial.route, trial.transcript).connect(login) as session:
            yield from _of_session(trial, asked, session)
    except psycopg.OperationalError as error:
        said = _of_error(trial, str(error))
        if said is None:
            raise
        yield said


def _of_error(trial: UrlTrial, text: str) -> Finding | None:
    url, sslmode = trial.url.name, trial.options.get("sslmode", "")
    if _NO_TLS.search(text):
        sentence = Phrase(
            "{url} demands TLS (sslmode={mode}), and the server has none", url=url, mode=sslmode
        )
        cure = Phrase("let the server have a certificate (`ssl = on`), or write sslmode=prefer")
    elif _NO_PLAIN.search(text) and sslmode in ("disable", "allow"):
        sentence = Phrase(
            "{url} asks without TLS (sslmode={mode}), and pg_hba.conf lets nobody in without",
            url=url,
            mode=sslmode,
        )
        cure = Phrase("write sslmode=require")
    elif _BINDING.search(text):
        sentence = Phrase("{url} demands channel binding, which this server does not give", url=url)
        cure = Phrase("leave channel_binding out, or let the server have TLS and SCRAM")
    elif found := _SESSION.search(text):
        sentence = Phrase(
            "{url} wants another session (target_session_attrs) than there is: {said}",
            url=url,
            said=found[0],
        )
        cure = Phrase("write target_session_attrs=read-write, or leave it out")
    elif found := _SETTING.search(text):
        sentence = Phrase(
            "{url} sets by its options what cannot be: {said}", url=url, said=found[0]
        )
        cure = Phrase("take the setting out of `options` in the URL")
    else:
        return None
    return _finding(sentence, cure)


def _of_session(trial: UrlTrial, asked: dict[str, str], session: Session) -> Iterator[Finding]:
    options = asked.get("options", "")
    if "search_path" in options and session.value("SELECT current_schemas(false) = '{}'"):
        sentence = Phrase(
            "{url} sets a search_path of which no schema is there for {user}",
            url=trial.url.name,
            user=trial.user,
        )
        yield _finding(sentence, Phrase("name a schema that exists, with USAGE for the role"))
    # in a run that only reads every session is so, whatever a URL says
    is_meant = trial.route.is_read_only or asked.get("target_session_attrs") in READING
    if (
        "default_transaction_read_only" in options
        and not is_meant
        and session.value("SHOW default_transaction_read_only") == "on"
    ):
        sentence = Phrase("{url} makes every session read-only by its options", url=trial.url.name)
        yield _finding(sentence, Phrase("take the setting out of `options` in the URL"))


def _finding(sentence: Phrase, cure: Phrase) -> Finding:
    return Finding("URL_OPTION_WRONG", NOWHERE, sentence, cure)
