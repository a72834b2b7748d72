"""One leader, two streaming replicas, and the Services that lead to them."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.patroni import checks as patroni_checks
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.checks import replication as checks
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.tables import own_table

pytestmark = pytest.mark.postgres


def test_postgres_has_one_leader(postgres: Postgres, postgres_spec: Spec) -> None:
    """Exactly one member is not in recovery."""
    assert checks.wrong_leaders(postgres, postgres_spec) == []


def test_postgres_replicas_stream(postgres: Postgres, replicated_spec: Spec) -> None:
    """The leader streams to every other member."""
    assert checks.absent_streams(postgres, replicated_spec) == []


def test_postgres_replicates_synchronously(postgres: Postgres, synchronous_spec: Spec) -> None:
    """An acknowledged commit is on a second member already."""
    assert checks.asynchrony(postgres, synchronous_spec) == []


@pytest.mark.patroni
def test_patroni_agrees_on_the_leader(postgres: Postgres, patroni: Patroni) -> None:
    """Every member's Patroni names the member that PostgreSQL itself says leads."""
    assert patroni_checks.other_leader(patroni, postgres.leader) == []


@pytest.mark.patroni
def test_patroni_agrees_on_the_replicas(
    postgres: Postgres, patroni: Patroni, patroni_spec: Spec
) -> None:
    """Every member's Patroni counts the others as replicas that follow."""
    assert patroni_checks.other_replicas(patroni, postgres, patroni_spec) == []


@pytest.mark.patroni
def test_patroni_members_are_on_one_timeline(patroni: Patroni) -> None:
    """No member follows a history of its own."""
    assert patroni_checks.diverged_timelines(patroni) == []


def test_primary_service_leads_to_the_leader(
    later_objects: Seen, postgres: Postgres, served_spec: Spec
) -> None:
    """Behind the Service for the primary is the leader's pod and nothing else."""
    leader = [postgres.leader]
    assert checks.astray_services(later_objects, served_spec, "primary", leader) == []


def test_replica_service_leads_to_the_replicas(
    later_objects: Seen, postgres: Postgres, read_spec: Spec
) -> None:
    """Behind the Service for replicas are the replicas' pods and nothing else."""
    replicas = postgres.replicas
    assert checks.astray_services(later_objects, read_spec, "replica", replicas) == []


@pytest.mark.writes(own=True)
def test_primary_accepts_writes(
    postgres: Postgres, postgres_spec: Spec, by_primary: RoleConnections, writer_role: Reach
) -> None:
    """A role writes through the Service by which clients connect, and reads it back."""
    with own_table(postgres, postgres_spec, writer_role) as table:
        assert checks.lost_write(by_primary, writer_role, table) == []


@pytest.mark.writes(own=True)
def test_row_written_on_the_primary_is_read_on_a_replica(
    *,
    postgres: Postgres,
    read_spec: Spec,
    by_primary: RoleConnections,
    by_replicas: RoleConnections,
    writer_role: Reach,
) -> None:
    """A row written through the Service for the primary is soon read through that for replicas."""
    with own_table(postgres, read_spec, writer_role) as table:
        assert checks.late_row(by_primary, by_replicas, writer_role, table) == []


@pytest.mark.writes(own=True)
def test_row_written_on_the_primary_is_read_on_every_replica(
    postgres: Postgres, replicated_spec: Spec, writer_role: Reach
) -> None:
    """A row written on the leader is soon on each of the replicas."""
    with own_table(postgres, replicated_spec, writer_role) as table:
        assert checks.late_rows(postgres, replicated_spec, writer_role, table) == []


@pytest.mark.writes(own=True)
def test_replicas_refuse_writes(
    postgres: Postgres, read_spec: Spec, by_replicas: RoleConnections, writer_role: Reach
) -> None:
    """A role reads through the Service for replicas, and is refused a write for being read-only."""
    with own_table(postgres, read_spec, writer_role) as table:
        assert checks.accepted_write(by_replicas, writer_role, table) == []
