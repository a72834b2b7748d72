"""Whom PostgreSQL lets in, or turns away, otherwise than it should.

Before somebody must be turned away, the same connection lets in somebody who may.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.answers import of_refusal
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase

WRONG: Final = "not-the-password"
NOBODY: Final = "nova_acceptance_nobody"
BY_RULE: Final = r"no pg_hba\.conf entry for|pg_hba\.conf rejects"
"""How PostgreSQL turns away whom pg_hba.conf does not let in."""
_NO_RIGHT: Final = "permission denied for database"
_BARRED: Final = re.compile(r'role "(.+)" is not permitted to log in')
_NO_STREAM: Final = r"must be superuser or replication|permission denied to start WAL sender"

Refusal = Callable[[Login], str]
"""Returns the words with which a login is refused; nothing if it is let in."""


@check
def accepted_wrong_password(refusal: Refusal, right: Login) -> Iterable[Finding]:
    """Find that a role is refused with its password, or is let in with another one."""
    because = f'^password authentication failed for user "{re.escape(right.user)}"$'
    wrong = replace(right, password=WRONG)
    return [*_refused(refusal, right)] or _admitted(refusal, wrong, because)


@check
def client_with_wrong_password(primary: RoleConnections, client: Reach) -> Iterable[Finding]:
    """Find that a client is refused with its password, or is let in with another one."""
    return accepted_wrong_password(primary.refusal, primary.login(client))


@check
def client_elsewhere(primary: RoleConnections, client: Reach, elsewhere: str) -> Iterable[Finding]:
    """Find that a client is let in to a database of PostgreSQL's own."""
    right, because = primary.login(client), rf'(?:{BY_RULE}).*"{re.escape(elsewhere)}"|{_NO_RIGHT}'
    wrong = replace(right, database=elsewhere)
    return [*_refused(primary.refusal, right)] or _admitted(primary.refusal, wrong, because)


@check
def unknown_role(primary: RoleConnections, client: Reach) -> Iterable[Finding]:
    """Find that somebody is let in whom nobody knows, or is told that nobody does."""
    right, because = primary.login(client), f"{BY_RULE}|password authentication failed"
    nobody = Login(NOBODY, right.database, WRONG)
    return [*_refused(primary.refusal, right)] or _admitted(primary.refusal, nobody, because)


@check
def local_role_over_the_network(
    primary: RoleConnections, role: Role, database: Database
) -> Iterable[Finding]:
    """Find that a role is not let in from inside the pod alone, or from elsewhere as well."""
    login = primary.postgres.login(role.name, database.name)
    return [*_refused(primary.refusal_within, login)] or _admitted(primary.refusal, login, BY_RULE)


@check
def admitted_stranger(primary: RoleConnections, reach: Reach) -> Iterable[Finding]:
    """Find that a role is let in to a database in which it has no right to be."""
    role, login = reach.role, primary.login(reach)
    homes = [each.database for each in role.grants if "CONNECT" in each.on_database]
    shut_out = [
        found
        for home in homes
        for found in _refused(primary.refusal, replace(login, database=home))
    ]
    if role.replicates:
        shut_out += refused_follower(primary, role)
    return shut_out or _admitted(primary.refusal, login, f"{BY_RULE}|{_NO_RIGHT}")


@check
def refused_follower(primary: RoleConnections, role: Role) -> Iterator[Finding]:
    """Find that a role may not stream, or would stream from another system than the leader's."""
    login = primary.postgres.login(role.name)
    said, found = primary.replication(login)
    if said:
        yield _of_streaming(role.name, said)
        return
    wanted = primary.postgres.admin().value(
        "SELECT system_identifier::text FROM pg_control_system()"
    )
    if found != wanted:
        sentence = Phrase(
            "{role} would stream from the system {found}, where the leader's is {wanted}",
            role=role.name,
            found=found,
            wanted=wanted,
        )
        yield Finding.here("POSTGRES_STRANGER", sentence)


@check
def replicating_client(primary: RoleConnections, client: Reach) -> Iterator[Finding]:
    """Find that a client may stream all that is written, or is refused it for something else."""
    login = primary.login(client)
    if shut_out := [*_refused(primary.refusal, login)]:
        yield from shut_out
    elif not (said := primary.replication(login).refusal):
        sentence = Phrase("PostgreSQL lets {role} stream all that is written", role=login.user)
        yield Finding.here("ADMISSION_TOO_WIDE", sentence)
    elif not re.search(f"{BY_RULE}|{_NO_STREAM}", said):
        yield _of_streaming(login.user, said)


@check
def refused_followers(postgres: Postgres, spec: Spec) -> Iterator[Finding]:
    """Find that the leader does not let in who would stream from it: why none does."""
    role = next((role.name for role in spec.roles if role.replicates), None)
    if role is None:
        return
    server, login = postgres.server, postgres.login(role)
    with suppress(ProbeError):  # who does not answer refuses nobody
        if said := server.replication(login).refusal:
            yield _of_streaming(role, said)


def _refused(refusal: Refusal, login: Login) -> Iterator[Finding]:
    """Yield that a role is refused which should be let in."""
    if said := refusal(login):
        sentence = Phrase("PostgreSQL refuses {role}: {said}", role=login.user, said=said)
        yield _of_refusal(said, sentence)


def _admitted(refusal: Refusal, login: Login, because: str) -> Iterator[Finding]:
    """Yield that a role is let in, or is refused for something else than meant.

    Args:
        refusal: tries a login.
        login: who tries, and with which password.
        because: a pattern for PostgreSQL's own words.
    """
    said, role, database = refusal(login), login.user, login.database
    if said and re.search(because, said):
        return
    is_unknown = re.search(rf'role "{re.escape(role)}" does not exist', said)
    if is_unknown or (not said and _needs_no_password(refusal, login)):
        sentence = Phrase(
            "PostgreSQL lets {role} to {database} without asking for a password",
            role=role,
            database=database,
        )
        told = said or "a connection with a wrong password was accepted"
        yield Finding.here("TRUST_AUTHENTICATION", sentence, told)
    elif not said:
        sentence = Phrase(
            "PostgreSQL lets {role} to {database}, which it should refuse",
            role=role,
            database=database,
        )
        yield Finding.here("ADMISSION_TOO_WIDE", sentence)
    else:
        sentence = Phrase(
            "PostgreSQL refuses {role} to {database} otherwise than meant: {said}",
            role=role,
            database=database,
            said=said,
        )
        yield _of_refusal(said, sentence)


def _needs_no_password(refusal: Refusal, login: Login) -> bool:
    return login.password == WRONG or refusal(replace(login, password=WRONG)) == ""


def _of_streaming(role: str, said: str) -> Finding:
    sentence = Phrase("PostgreSQL does not let {role} stream: {said}", role=role, said=said)
    return _of_refusal(said, sentence)


def _of_refusal(said: str, sentence: Phrase) -> Finding:
    """Return what PostgreSQL's words show, told by a sentence."""
    known = of_refusal(said)
    found = Finding.here(known.cause if known else "ADMISSION_REFUSED", sentence, said)
    if barred := _BARRED.search(said):
        return replace(
            found, cure=Phrase("let it log in: `ALTER ROLE {role} LOGIN`", role=quoted(barred[1]))
        )
    return found
