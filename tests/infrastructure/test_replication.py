"""One leader, two streaming replicas, and the Services that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.kube import PodRef
from nova_acceptance.probes.objects import Objects
from nova_acceptance.probes.patroni import Patroni
from nova_acceptance.probes.postgres import Postgres
from nova_acceptance.probes.routes import Route, Routes
from nova_acceptance.probes.sql import Login, connect, identifiers
from nova_acceptance.probes.until import until
from nova_acceptance.probes.witness import Witness
from nova_acceptance.system import System, parts

pytestmark = [pytest.mark.postgres, pytest.mark.component("postgres")]

DATABASE: Final = "nova_messaging"
SCHEMA: Final = "messaging"
OWNER: Final = "nova_owner"


@pytest.fixture(scope="module")
def ways(system: System, routes: Routes, service_pods: dict[str, PodRef]) -> dict[str, Route]:
    """The ways to `primary` and `replica` through their Services, from a service's pod."""
    pod = next(iter(service_pods.values()))
    return {
        front.service.role: routes.through(pod, front.full_name(system.zone), system.postgres.port)
        for front in parts.fronts(system)
        if front.service.role
    }


@pytest.fixture
def table(postgres: Postgres) -> Iterator[str]:
    """A table that app_user may write to, gone when the test ends."""
    name = f"{SCHEMA}.nova_acceptance_{uuid4().hex[:8]}"
    admin = postgres.admin(DATABASE)
    try:
        with admin.whole():
            admin.rows(identifiers("SET LOCAL ROLE {}", OWNER))
            admin.rows(identifiers("CREATE TABLE {} (word text PRIMARY KEY)", name))
        yield name
    finally:
        postgres.admin(DATABASE).rows(identifiers("DROP TABLE IF EXISTS {}", name))


def test_postgres_has_one_leader(postgres: Postgres, system: System) -> None:
    """Exactly one member is not in recovery."""
    members = postgres.in_recovery

    assert len(members) == system.workload(system.postgres.workload).replicas
    assert list(members.values()).count(False) == 1


def test_postgres_replicas_stream(postgres: Postgres) -> None:
    """The leader streams to every other member."""
    streaming = {name for name, (state, _) in postgres.standbys.items() if state == "streaming"}

    assert streaming == set(postgres.replicas)


def test_postgres_replicates_synchronously(postgres: Postgres) -> None:
    """An acknowledged commit is on a second member already."""
    synchrony = [synchrony for _, synchrony in postgres.standbys.values()]

    assert "sync" in synchrony or "quorum" in synchrony


@pytest.mark.patroni
def test_patroni_agrees_on_the_leader(postgres: Postgres, patroni: Patroni) -> None:
    """Every member's Patroni names the member that PostgreSQL itself says leads."""
    leaders = {name: view.leader for name, view in patroni.views.items()}

    assert leaders == dict.fromkeys(postgres.members, postgres.leader)


@pytest.mark.patroni
def test_patroni_agrees_on_the_replicas(postgres: Postgres, patroni: Patroni) -> None:
    """Every member's Patroni counts the others as replicas that follow."""
    replicas = {name: view.replicas for name, view in patroni.views.items()}

    assert replicas == dict.fromkeys(postgres.members, frozenset(postgres.replicas))


@pytest.mark.patroni
def test_patroni_members_are_on_one_timeline(patroni: Patroni) -> None:
    """No member follows a history of its own."""
    timelines = {name: len(view.timelines) for name, view in patroni.views.items()}

    assert timelines == dict.fromkeys(timelines, 1)


def test_postgres_primary_leads_to_the_leader(
    fresh_objects: Objects, postgres: Postgres, system: System
) -> None:
    """Behind `postgres-primary` is the leader's pod and nothing else."""
    workload = system.workload(system.postgres.workload)
    behind = fresh_objects.endpoints(system.postgres.primary, workload.namespace)

    assert [endpoint.pod for endpoint in behind] == [postgres.leader]


def test_postgres_replicas_leads_to_the_replicas(
    fresh_objects: Objects, postgres: Postgres, system: System
) -> None:
    """Behind `postgres-replicas` are the replicas' pods and nothing else."""
    workload = system.workload(system.postgres.workload)
    behind = fresh_objects.endpoints(system.postgres.replicas, workload.namespace)

    assert {endpoint.pod for endpoint in behind} == set(postgres.replicas)


def test_postgres_primary_accepts_writes(
    ways: dict[str, Route], logins: Callable[[str, str], Login], witness: Witness, table: str
) -> None:
    """app_user writes through `postgres-primary`, and reads it back."""
    with connect(ways["primary"], logins("app_user", DATABASE), witness) as session:
        session.rows(identifiers("INSERT INTO {} VALUES ('kept')", table))

        assert session.column(identifiers("SELECT word FROM {}", table)) == {"kept"}


def test_row_written_on_the_primary_is_read_on_a_replica(
    ways: dict[str, Route], logins: Callable[[str, str], Login], witness: Witness, table: str
) -> None:
    """A row written through `postgres-primary` is soon read through `postgres-replicas`."""
    login = logins("app_user", DATABASE)
    with connect(ways["primary"], login, witness) as primary:
        primary.rows(identifiers("INSERT INTO {} VALUES ('sent')", table))

    with connect(ways["replica"], login, witness) as replica:
        arrived = until(
            lambda: replica.column(identifiers("SELECT word FROM {}", table)) == {"sent"},
            within=timeouts.REPLAY,
            ignoring=psycopg.errors.UndefinedTable,  # the table itself is still on its way
        )
        assert arrived <= timeouts.REPLAY
        assert replica.value("SELECT pg_is_in_recovery()")


def test_row_written_on_the_primary_is_read_on_every_replica(
    postgres: Postgres, table: str
) -> None:
    """A row written on the leader is soon on each of the replicas."""
    postgres.admin(DATABASE).rows(identifiers("INSERT INTO {} VALUES ('sent')", table))

    for name in postgres.replicas:
        with postgres.member(name, DATABASE) as replica:
            arrived = until(
                lambda: replica.column(identifiers("SELECT word FROM {}", table)) == {"sent"},
                within=timeouts.REPLAY,
                ignoring=psycopg.errors.UndefinedTable,
            )
            assert arrived <= timeouts.REPLAY


def test_replicas_refuse_writes(
    ways: dict[str, Route], logins: Callable[[str, str], Login], witness: Witness
) -> None:
    """app_user reads through `postgres-replicas`, and is refused a write for being read-only."""
    with connect(ways["replica"], logins("app_user", DATABASE), witness) as session:
        assert session.value("SELECT has_table_privilege('messaging.messages', 'DELETE')")

        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.rows("DELETE FROM messaging.messages WHERE false")
