"""What checks find of whom PostgreSQL lets in, and whom it turns away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from nova_acceptance.components.postgres.checks import admission
from nova_acceptance.components.postgres.parts import strangers
from nova_acceptance.components.postgres.sql import Login
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding
from testing.unit.probes.a_postgres import (
    AUTH,
    CLIENT,
    FOLLOWER,
    RIGHT,
    SPEC,
    APostgres,
    AServer,
    Connections,
    admits,
)

(STRANGER,) = (each for each in strangers(SPEC) if each.grant.database == "nova_auth")
FULL = "sorry, too many clients already"

CHECKS: dict[str, Callable[[Any], Iterable[Finding]]] = {
    "password": lambda it: admission.client_with_wrong_password(it, CLIENT),
    "elsewhere": lambda it: admission.client_elsewhere(it, CLIENT, "postgres"),
    "unknown": lambda it: admission.unknown_role(it, CLIENT),
    "local": lambda it: admission.local_role_over_the_network(it, SPEC.superuser, AUTH),
    "stranger": lambda it: admission.admitted_stranger(it, STRANGER),
    "follower": lambda it: admission.refused_follower(it, FOLLOWER),
    "replication": lambda it: admission.replicating_client(it, CLIENT),
    "followers": lambda it: admission.refused_followers(it.postgres, SPEC),
}
OVER_THE_NETWORK = ("password", "elsewhere", "unknown", "replication")


def found(name: str, *, leader: AServer | None = None, **changes: Any) -> list[str]:
    """Return what is found of a server that is changed, or of a leader within its pod."""
    postgres = APostgres(server=leader) if leader else APostgres()
    connections = Connections(postgres, server=AServer(**changes))
    return [each.cause for each in CHECKS[name](connections)]


def trusting(login: Login) -> str:
    """A server with a trust line: it asks nobody for a password."""
    return admits(replace(login, password=RIGHT))


def welcoming(login: Login) -> str:
    """A server that lets whoever has a password into every database."""
    return "" if login.password == RIGHT else admits(login)


def closed(login: Login) -> str:
    """A server that lets in nobody."""
    return f'no pg_hba.conf entry for host "10.0.0.1", user "{login.user}"'


def full(_login: Login) -> str:
    return FULL


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_found_where_all_is_as_nova_yaml_says(name: str) -> None:
    assert found(name) == []


@pytest.mark.parametrize(
    ("name", "refusal", "cause"),
    [
        ("password", trusting, "TRUST_AUTHENTICATION"),
        ("elsewhere", welcoming, "ADMISSION_TOO_WIDE"),
        ("elsewhere", lambda _login: "", "TRUST_AUTHENTICATION"),
        ("unknown", lambda _login: "", "TRUST_AUTHENTICATION"),
        # it asked for no password, and then did not find the role
        (
            "unknown",
            lambda login: (
                admits(login) if login.password == RIGHT else f'role "{login.user}" does not exist'
            ),
            "TRUST_AUTHENTICATION",
        ),
        ("local", lambda _login: "", "TRUST_AUTHENTICATION"),
        ("local", welcoming, "ADMISSION_TOO_WIDE"),
        ("stranger", welcoming, "ADMISSION_TOO_WIDE"),
        *((name, closed, "ADMISSION_REFUSED") for name in OVER_THE_NETWORK),
        *((name, full, "CONNECTIONS_EXHAUSTED") for name in (*OVER_THE_NETWORK, "local")),
    ],
)
def test_what_is_wrong_is_found(name: str, refusal: Any, cause: str) -> None:
    assert found(name, refusal=refusal) == [cause]


def test_client_must_be_let_in_before_its_denial_counts() -> None:
    (refused,) = admission.client_elsewhere(_all(closed), CLIENT, "postgres")

    assert refused.summary.startswith("PostgreSQL refuses app_user: no pg_hba.conf entry")


def test_refusal_of_another_database_is_none_of_this_one() -> None:
    def wrong_database(login: Login) -> str:
        said = 'no pg_hba.conf entry for host "10.0.0.1", database "template0"'
        return admits(login) and said

    assert found("elsewhere", refusal=wrong_database) == ["ADMISSION_REFUSED"]


def test_local_role_must_be_let_in_within_its_pod() -> None:
    said = 'password authentication failed for user "postgres"'

    assert found("local", leader=AServer(refusal=lambda _login: said)) == ["PASSWORD_REFUSED"]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("", "ADMISSION_TOO_WIDE"),
        (FULL, "CONNECTIONS_EXHAUSTED"),
        ("pg_hba.conf rejects replication connection", None),
        ("permission denied to start WAL sender", None),
    ],
)
def test_client_that_would_stream(said: str, cause: str | None) -> None:
    assert found("replication", replication_refusal=lambda _login: said) == (
        [cause] if cause else []
    )


def test_follower_that_may_not_stream() -> None:
    said = 'role "replication_user" is not permitted to log in'

    assert found("follower", replication_refusal=lambda _login: said) == ["ROLE_ATTRIBUTES_WRONG"]
    assert found("stranger", replication_refusal=lambda _login: said) == ["ROLE_ATTRIBUTES_WRONG"]


def test_follower_of_another_system() -> None:
    assert found("follower", system="1") == ["POSTGRES_STRANGER"]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ('role "replication_user" is not permitted to log in', "ROLE_ATTRIBUTES_WRONG"),
        ('password authentication failed for user "x"', "PASSWORD_REFUSED"),
        (
            "number of requested standby connections exceeds max_wal_senders",
            "CONNECTIONS_EXHAUSTED",
        ),
        ("something that nobody knows", "ADMISSION_REFUSED"),
    ],
)
def test_leader_that_turns_its_followers_away(said: str, cause: str) -> None:
    assert found("followers", leader=AServer(replication_refusal=lambda _login: said)) == [cause]


def _all(refusal: Callable[[Login], str]) -> Any:
    return Connections(server=AServer(refusal))


def test_leader_that_is_silent_turns_nobody_away() -> None:
    def silent(_login: Login) -> str:
        raise ProbeError("nothing answered")

    assert found("followers", leader=AServer(replication_refusal=silent)) == []
