"""Attempts to connect that are made ahead: exactly those that the checks will read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from nova_acceptance.components.postgres.checks import admission
from nova_acceptance.components.postgres.connections import Attempt, RoleConnections
from nova_acceptance.components.postgres.logins import rounds
from nova_acceptance.components.postgres.parts import PARTS
from nova_acceptance.vantage.background import Background
from testing.unit.probes.a_postgres import SPEC, APostgres, AServer

ELSEWHERE = ("postgres", "template1")


def every_test() -> Iterator[Mapping[str, Any]]:
    """Yield what the tests of Nova's PostgreSQL are about."""
    for name in ("client", "ordinary_client", "stranger", "follower"):
        yield from ({name: each} for each in PARTS[name](SPEC))
    yield from (
        {"client": client, "elsewhere": elsewhere}
        for client in PARTS["client"](SPEC)
        for elsewhere in ELSEWHERE
    )
    yield from (
        {"local_role": role, "database": database}
        for role in PARTS["local_role"](SPEC)
        for database in SPEC.databases
    )


def read(connections: RoleConnections, parts: Mapping[str, Any]) -> None:
    """Ask all that the tests about these parts ask."""
    if (client := parts.get("client")) and (elsewhere := parts.get("elsewhere")):
        assert admission.client_elsewhere(connections, client, elsewhere) == []
    elif client:
        assert admission.client_with_wrong_password(connections, client) == []
        assert admission.unknown_role(connections, client) == []
    elif client := parts.get("ordinary_client"):
        assert admission.replicating_client(connections, client) == []
    elif stranger := parts.get("stranger"):
        assert admission.admitted_stranger(connections, stranger) == []
    elif follower := parts.get("follower"):
        assert admission.refused_follower(connections, follower) == []
    else:
        role, database = parts["local_role"], parts["database"]
        assert admission.local_role_over_the_network(connections, role, database) == []


@pytest.fixture
def tried() -> list[Attempt]:
    return []


@pytest.fixture
def connections(tried: list[Attempt]) -> RoleConnections:
    server, postgres = AServer(), APostgres()
    let_in, may_stream = server.refusal, server.replication_refusal
    let_in_within = postgres.server.refusal

    def refusal(login: Any) -> str:
        tried.append(Attempt(login))
        return let_in(login)

    def refusal_within(login: Any) -> str:
        tried.append(Attempt(login, is_within=True))
        return let_in_within(login)

    def replication_refusal(login: Any) -> str:
        tried.append(Attempt(login, is_to_replicate=True))
        return may_stream(login)

    server.refusal, server.replication_refusal = refusal, replication_refusal
    postgres.server.refusal = refusal_within
    return RoleConnections(SPEC, cast(Any, postgres), cast(Any, server))


def test_every_attempt_is_made_once_ahead_of_the_tests_that_read_it(
    connections: RoleConnections, tried: list[Attempt]
) -> None:
    with Background() as background:
        for each in rounds(connections, every_test()):
            connections.attempts.foresee(background, each)
        background.settle()
    ahead = list(tried)

    for parts in every_test():
        read(connections, parts)

    assert tried == ahead
    assert len(ahead) == len(set(ahead))
    assert len(ahead) > 10


def test_attempts_of_a_role_in_a_database_come_one_after_the_other(
    connections: RoleConnections,
) -> None:
    found = rounds(connections, every_test())

    who = [{(it.login.user, it.login.database) for it in each} for each in found]
    assert all(len(each) == 1 for each in who)
    assert len({next(iter(each)) for each in who}) == len(found)


def test_role_that_is_missing_leaves_the_others_their_attempts(
    connections: RoleConnections,
) -> None:
    del cast(Any, connections.postgres).roles["app_user"]

    found = rounds(connections, every_test())

    assert {it.login.user for each in found for it in each} == {"replication_user", "postgres"}
