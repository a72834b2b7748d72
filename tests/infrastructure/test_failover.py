"""The leader's pod is killed under writes: who takes over, how soon, and what is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.patroni import checks as patroni_checks
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.checks import failover as checks
from nova_acceptance.components.postgres.checks import replication as replication_checks
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.failover import Failover, Failovers
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients, RunAccess
from nova_acceptance.verification.survival import Survival

pytestmark = [
    pytest.mark.disruptive,
    pytest.mark.postgres,
    pytest.mark.patroni,
]


@pytest.fixture(scope="module")
def failovers(access: RunAccess, clients: Clients, survival: Survival) -> Iterator[Failovers]:
    """The failovers of this module, each brought about when it is first asked for."""
    found = Failovers(access, clients.of, survival.require)
    yield found
    found.close()


@pytest.fixture
def failover(
    failovers: Failovers,
    patroni_spec: Spec,
    writer_role: Reach,
    request: pytest.FixtureRequest,
) -> Failover:
    """What was seen when the leader was killed, where somebody takes over and all else is well."""
    failovers.judge(patroni_spec)
    request.getfixturevalue("healthy")
    return failovers.of(patroni_spec, writer_role)


@pytest.fixture
def table(failovers: Failovers, patroni_spec: Spec, writer_role: Reach) -> str:
    """The table of the numbers."""
    return failovers.table_of(patroni_spec, writer_role)


@pytest.fixture(autouse=True)
def _shown(failover: Failover, transcript: Transcript, turn: None) -> None:  # noqa: ARG001
    transcript.add(failover.evidence)


def test_replica_takes_over(failover: Failover) -> None:
    """Another member acknowledges writes within the time that nova.yaml says."""
    assert checks.slow_takeover(failover) == []


def test_primary_service_follows(
    failover: Failover, fresh_objects: Seen, served_spec: Spec
) -> None:
    """Behind the Service for the primary is the member that took over, and nothing else."""
    leader = [failover.took_over]
    assert replication_checks.astray_services(fresh_objects, served_spec, "primary", leader) == []


def test_acknowledged_commits_are_kept(
    failover: Failover, postgres: Postgres, writer_role: Reach, table: str
) -> None:
    """Every number whose commit was acknowledged is in the table of the new leader."""
    assert checks.lost_commits(failover, postgres, writer_role, table) == []


def test_lost_member_comes_back_as_a_replica(
    failover: Failover, postgres: Postgres, patroni: Patroni, patroni_spec: Spec
) -> None:
    """The killed member follows the new leader again, by itself."""
    assert checks.lasting_absence(failover, postgres, patroni_spec) == []
    assert patroni_checks.other_leader(patroni, failover.took_over) == []


def test_lost_member_has_every_acknowledged_commit(
    failover: Failover, postgres: Postgres, patroni_spec: Spec, writer_role: Reach, table: str
) -> None:
    """The member that came back holds what was acknowledged without it."""
    assert checks.lacking_commits(failover, postgres, patroni_spec, writer_role, table) == []
