"""Who holds the connections that PostgreSQL allows, and which limit they have reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import NOWHERE, Finding, FindingError
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase, verbatim

_OF_ROLE: Final = re.compile(r'too many connections for role "(.+)"')
_OF_DATABASE: Final = re.compile(r'too many connections for database "(.+)"')
_OF_ALL: Final = re.compile(r"too many clients already|remaining connection slots are reserved")
_SHOWN: Final = 10

_HOLDERS: Final = """
    SELECT usename::text, datname::text, application_name, coalesce(host(client_addr), ''),
        count(*), count(*) FILTER (WHERE state = 'idle')
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND (%s = '' OR usename = %s) AND (%s = '' OR datname = %s)
    GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4
"""
_LIMIT_OF_ROLE: Final = "SELECT rolconnlimit FROM pg_roles WHERE rolname = %s"
_LIMIT_OF_DATABASE: Final = "SELECT datconnlimit FROM pg_database WHERE datname = %s"
_LIMIT_OF_ALL: Final = """
    SELECT current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int
"""
"""What is left for those who are no superusers (PostgreSQL 16 and later reserve for others too)."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit that is reached.

    Attributes:
        told: which it is, in a sentence.
        setting: its name.
        allowed: how many connections it allows.
        role: whose it is, if a role's.
        database: the same of a database.
        raised: how it is raised.
    """

    told: Phrase
    setting: str
    allowed: int
    raised: Phrase
    role: str = ""
    database: str = ""


@check
def taken_connections(postgres: Postgres) -> Iterator[Finding]:
    """Find that every connection is taken that is not kept for superusers."""
    limit = _of_all(postgres)
    held = sum(int(row[4]) for row in postgres.admin().rows(_HOLDERS, "", "", "", ""))
    if held >= limit.allowed:
        yield _found(postgres, limit)


def exhausted(postgres: Postgres, said: str) -> Finding | None:
    """Return who holds the connections for want of which one was refused.

    Args:
        postgres: is asked as the superuser, for whom some are kept.
        said: PostgreSQL's words.

    Returns:
        None where the words are of something else, or the superuser is not let in either.
    """
    try:
        if role := _OF_ROLE.search(said):
            return _found(postgres, _of_role(postgres, role[1]))
        if database := _OF_DATABASE.search(said):
            return _found(postgres, _of_database(postgres, database[1]))
        return _found(postgres, _of_all(postgres)) if _OF_ALL.search(said) else None
    except (psycopg.Error, ProbeError, FindingError):
        return None


def _of_role(postgres: Postgres, role: str) -> _Limit:
    return _Limit(
        Phrase("role {role}", role=role),
        "rolconnlimit",
        int(postgres.admin().value(_LIMIT_OF_ROLE, role)),
        Phrase("`{statement}`", statement=f"ALTER ROLE {quoted(role)} CONNECTION LIMIT -1"),
        role=role,
    )


def _of_database(postgres: Postgres, database: str) -> _Limit:
    return _Limit(
        Phrase("database {database}", database=database),
        "datconnlimit",
        int(postgres.admin().value(_LIMIT_OF_DATABASE, database)),
        Phrase("`{statement}`", statement=f"ALTER DATABASE {quoted(database)} CONNECTION LIMIT -1"),
        database=database,
    )


def _of_all(postgres: Postgres) -> _Limit:
    return _Limit(
        Phrase("the server"),
        "max_connections",
        int(postgres.admin().value(_LIMIT_OF_ALL)),
        Phrase("raise max_connections in the server's configuration, which takes a restart"),
    )


def _found(postgres: Postgres, limit: _Limit) -> Finding:
    rows = postgres.admin().rows(_HOLDERS, limit.role, limit.role, limit.database, limit.database)
    held = sum(int(row[4]) for row in rows)
    who = [(row, _place(postgres, str(row[3]))) for row in rows]
    evidence = tuple(
        f"{count} ({idle} idle): {user} in {database}, {application or 'no application_name'},"
        f" from {place}"
        for (user, database, application, _, count, idle), place in who[:_SHOWN]
    )
    if not who:
        sentence = Phrase(
            "{limit} allows {allowed} connections ({setting}), and none is held",
            limit=limit.told,
            allowed=limit.allowed,
            setting=limit.setting,
        )
        return Finding("CONNECTIONS_EXHAUSTED", NOWHERE, sentence, limit.raised)
    (user, database, application, address, count, _), place = who[0]
    sentence = Phrase(
        "{limit} allows {allowed} connections ({setting}), and {held} are held: {count} of them by"
        " {role} in {database} from {place} ({application})",
        limit=limit.told,
        allowed=limit.allowed,
        setting=limit.setting,
        held=held,
        count=count,
        role=user,
        database=database,
        place=place,
        application=application or Phrase("no application_name"),
    )
    cure = Phrase(
        "let {place} close what it does not use; `{statement}` ends what is idle; or {raised}",
        place=place,
        statement=_ended(str(user), str(address)),
        raised=limit.raised,
    )
    return Finding("CONNECTIONS_EXHAUSTED", NOWHERE, sentence, cure, evidence=evidence)


def _ended(user: str, address: str) -> str:
    literal = user.replace("'", "''")
    where = f"client_addr = '{address}'" if address else "client_addr IS NULL"
    idle = f"usename = '{literal}' AND {where} AND state = 'idle'"
    # for a person to run: nothing here does
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {idle}"  # noqa: S608


def _place(postgres: Postgres, address: str) -> Phrase:
    """Return where a connection is from: a pod, where one alone has that address."""
    if not address:
        return Phrase("the server's own socket")
    if pod := postgres.pod_at(address):
        return Phrase("{pod} at {address}", pod=pod, address=address)
    return verbatim(address)
