"""The clients of PostgreSQL and of its Patronis, for tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from nova_acceptance.components.kind import Access, Clients
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres import connect_by_primary, spec
from nova_acceptance.components.postgres.ahead import Ahead
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.trials import Trials
from nova_acceptance.components.wanted import Wanted, foreseen
from nova_acceptance.vantage.background import Background

AS_ROLES = "trials"
"""The fixture of those who connect as roles; what they are about is asked ahead."""


@pytest.fixture
def postgres(clients: Clients, postgres_spec: spec.Postgres) -> Postgres:
    """PostgreSQL's members, asked as the superuser from inside their pods."""
    found: Postgres = clients.of(postgres_spec)
    return found


@pytest.fixture(scope="session")
def as_roles(access: Access, clients: Clients, background: Background) -> Iterator[Ahead]:
    """What is asked of a PostgreSQL as its roles."""
    connect = partial(connect_by_primary, access, clients)  # who fails is tried again
    with closing(Ahead(background, access.transcript, connect)) as opened:
        yield opened
        background.close()  # which asks by it


def pytest_nova_foresee(request: pytest.FixtureRequest) -> None:
    """What is asked of a PostgreSQL as its roles is asked in the background."""
    wanted = Wanted.by(request.node, AS_ROLES)
    tests: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for each in wanted.tests():
        tests[each["postgres_spec"].name].append(each)
    ahead: Ahead | None = foreseen(request, "as_roles") if tests else None
    if ahead is None:
        return
    clients: Clients = request.getfixturevalue("clients")
    background: Background = request.getfixturevalue("background")
    for its in tests.values():
        component: spec.Postgres = its[0]["postgres_spec"]
        background.run(partial(_open, clients, component))
        ahead.begin(component, its)
    wanted.begun(background)


@pytest.fixture
def trials(
    as_roles: Ahead,
    postgres: Postgres,  # noqa: ARG001 - whoever has no leader need not try
    postgres_spec: spec.Postgres,
) -> Trials:
    """What tries the deeds that PostgreSQL's roles are denied."""
    return as_roles.trials(postgres_spec)


@pytest.fixture
def primary(trials: Trials) -> RoleConnections:
    """Connections as PostgreSQL's roles through the Service by which clients connect."""
    return trials.connections


@pytest.fixture
def by_primary(clients: Clients, postgres_spec: spec.Postgres) -> RoleConnections:
    """The same, for tests of which nobody need know beforehand whom they connect as."""
    found: RoleConnections = clients.of(postgres_spec, "by_primary")
    return found


@pytest.fixture
def by_replicas(clients: Clients, postgres_spec: spec.Postgres) -> RoleConnections:
    """Connections as PostgreSQL's roles through the Service for replicas."""
    found: RoleConnections = clients.of(postgres_spec, "by_replicas")
    return found


@pytest.fixture
def patroni(clients: Clients, patroni_spec: spec.Postgres) -> Patroni:
    """Every member's Patroni, each asked by itself."""
    found: Patroni = clients.of(patroni_spec, "patroni")
    return found


def _open(clients: Clients, component: spec.Postgres) -> None:
    clients.of(component).open([each.name for each in component.databases])
