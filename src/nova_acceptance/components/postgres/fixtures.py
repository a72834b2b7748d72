"""The clients of PostgreSQL and of its Patronis, for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_acceptance.components.kind import Access, Clients
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres import spec
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.sql import Server
from nova_acceptance.components.postgres.trials import Trials


@pytest.fixture
def postgres(clients: Clients, postgres_spec: spec.Postgres) -> Postgres:
    """PostgreSQL's members, asked as the superuser from inside their pods."""
    found: Postgres = clients.of(postgres_spec)
    return found


@pytest.fixture
def primary(access: Access, postgres_spec: spec.Postgres, postgres: Postgres) -> RoleConnections:
    """Connections as PostgreSQL's roles through the Service by which clients connect."""
    server = Server(access.to_service(postgres_spec), access.transcript)
    return RoleConnections(postgres_spec, postgres, server)


@pytest.fixture(scope="module")
def kept_trials(clients: Clients) -> Iterator[dict[str, Trials]]:  # noqa: ARG001 - closed before
    """What tries deeds, by the name of the PostgreSQL; its connections last as long as a module."""
    kept: dict[str, Trials] = {}
    yield kept
    for each in kept.values():
        each.close()


@pytest.fixture
def trials(primary: RoleConnections, kept_trials: dict[str, Trials]) -> Trials:
    """What tries the deeds that PostgreSQL's roles are denied."""
    return kept_trials.setdefault(primary.spec.name, Trials(primary))


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
