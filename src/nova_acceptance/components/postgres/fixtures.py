"""The clients of PostgreSQL and of its Patronis, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nova_acceptance.components.kind import Access, Clients
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres import spec
from nova_acceptance.components.postgres.ahead import Ahead
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.sql import Server
from nova_acceptance.components.postgres.trials import Trials
from nova_acceptance.components.wanted import Once, Wanted, foreseen
from nova_acceptance.vantage.background import Background

AS_ROLES = "primary"
"""The fixture of those who connect as roles; what they are about is asked ahead."""


@pytest.fixture
def postgres(
    clients: Clients,
    postgres_spec: spec.Postgres,
    as_roles: Callable[[spec.Postgres, pytest.Item], Ahead],
    request: pytest.FixtureRequest,
) -> Postgres:
    """PostgreSQL's members, asked as the superuser from inside their pods."""
    found: Postgres = clients.of(postgres_spec)
    as_roles(postgres_spec, request.node)
    return found


@pytest.fixture(scope="session")
def as_roles(
    access: Access, clients: Clients, background: Background, once: Once
) -> Iterator[Callable[[spec.Postgres, pytest.Item], Ahead]]:
    """What is asked of a PostgreSQL as its roles, begun with the first test that asks of it."""

    def connect(component: spec.Postgres) -> RoleConnections:
        server = Server(access.to_service(component), access.transcript)
        return RoleConnections(component, clients.of(component), server)

    ahead = Ahead(background, access.transcript, connect)

    def begin(component: spec.Postgres, item: pytest.Item) -> Ahead:
        wanted = Wanted.by(item, AS_ROLES)
        if once.is_first("postgres", component.name, wanted.module):
            tests = [it for it in wanted.tests() if it["postgres_spec"].name == component.name]
            if tests:
                databases = [each.name for each in component.databases]
                background.run(lambda: clients.of(component).open(databases))
                ahead.begin(component, tests)
                wanted.begun(background)
        return ahead

    yield begin
    ahead.close()


@pytest.fixture(autouse=True)
def roles_ahead(request: pytest.FixtureRequest, once: Once) -> None:
    """What is asked as PostgreSQL's roles is asked from the first test on that has the system."""
    wanted = Wanted.by(request.node, AS_ROLES)
    if "objects" not in request.fixturenames or not once.is_first("roles", wanted.module):
        return
    specs = {it["postgres_spec"].name: it["postgres_spec"] for it in wanted.tests()}
    begin = foreseen(request, "as_roles") if specs else None
    if begin is not None:
        for each in specs.values():
            begin(each, request.node)


@pytest.fixture
def trials(
    as_roles: Callable[[spec.Postgres, pytest.Item], Ahead],
    postgres: Postgres,  # noqa: ARG001 - whoever has no leader need not try
    postgres_spec: spec.Postgres,
    request: pytest.FixtureRequest,
) -> Trials:
    """What tries the deeds that PostgreSQL's roles are denied."""
    return as_roles(postgres_spec, request.node).trials(postgres_spec)


@pytest.fixture
def primary(trials: Trials) -> RoleConnections:
    """Connections as PostgreSQL's roles through the Service by which clients connect."""
    return trials.connections


@pytest.fixture
def replica(access: Access, postgres_spec: spec.Postgres, postgres: Postgres) -> RoleConnections:
    """Connections as PostgreSQL's roles through the Service for replicas."""
    server = Server(access.to_role(postgres_spec, "replica"), access.transcript)
    return RoleConnections(postgres_spec, postgres, server)


@pytest.fixture
def patroni(access: Access, patroni_spec: spec.Postgres) -> Patroni:
    """Every member's Patroni, each asked by itself."""
    assert patroni_spec.patroni is not None
    port = patroni_spec.patroni.port
    members = {pod.name: access.to_pod(pod, port) for pod in access.pods(patroni_spec)}
    return Patroni(members, access.transcript)
