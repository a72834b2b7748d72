"""The attempts to connect that tests are about, so that they can be made together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from nova_acceptance.components.postgres.checks.admission import NOBODY, WRONG
from nova_acceptance.components.postgres.connections import Attempt, RoleConnections
from nova_acceptance.components.postgres.members import MAINTENANCE
from nova_acceptance.components.postgres.sql import Login
from nova_acceptance.findings import FindingError

Parts = Mapping[str, Any]
"""What a test is about: parts of PostgreSQL, by the names that `parts.PARTS` gives them."""


def rounds(connections: RoleConnections, tests: Iterable[Parts]) -> list[list[Attempt]]:
    """Return what tests will try, those of a role in a database together.

    A role may have few connections, so that its own attempts come one after the other.

    Args:
        connections: as the roles, of one PostgreSQL.
        tests: what each of them is about.
    """
    logins = _Logins(connections)
    found: dict[tuple[str, str], dict[Attempt, None]] = {}
    for parts in tests:
        with suppress(FindingError):  # the test meets it, too, and tells it
            for attempt in _of_a_test(logins, parts):
                who = attempt.login.user, attempt.login.database
                found.setdefault(who, {})[attempt] = None
    return [list(each) for each in found.values()]


class _Logins:
    """Logins of roles, each looked up once."""

    def __init__(self, connections: RoleConnections) -> None:
        self.of = cache(connections.postgres.login)


def _of_a_test(logins: _Logins, parts: Parts) -> Iterator[Attempt]:
    if client := parts.get("client"):
        right = logins.of(client.role.name, client.grant.database)
        yield Attempt(right)
        if elsewhere := parts.get("elsewhere"):
            yield Attempt(replace(right, database=elsewhere))
        else:
            yield Attempt(replace(right, password=WRONG))
            yield Attempt(Login(NOBODY, right.database, WRONG))
    if client := parts.get("ordinary_client"):
        right = logins.of(client.role.name, client.grant.database)
        yield from (Attempt(right), Attempt(right, is_to_replicate=True))
    if stranger := parts.get("stranger"):
        yield Attempt(logins.of(stranger.role.name, stranger.grant.database))
    if role := parts.get("local_role"):
        login = logins.of(role.name, parts["database"].name)
        yield from (Attempt(login, is_within=True), Attempt(login))
    if role := parts.get("follower"):
        yield Attempt(logins.of(role.name, MAINTENANCE), is_to_replicate=True)
