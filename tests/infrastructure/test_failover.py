"""The leader's pod is killed under writes: who takes over, how soon, and what is lost.

PostgreSQL is killed before its pod is: shut down in good order it would send its replicas all that
they lack, and asynchronous replication would lose nothing either.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.kubernetes.successor import await_successor, crash
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.sql import Login, identifiers
from nova_acceptance.components.postgres.writer import Writer
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.system import System, parts
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.until import until
from nova_acceptance.vantage.witness import Witness

pytestmark = [
    pytest.mark.disruptive,
    pytest.mark.postgres,
    pytest.mark.patroni,
    pytest.mark.component("postgres"),
]

DATABASE: Final = "nova_messaging"
SCHEMA: Final = "messaging"
OWNER: Final = "nova_owner"
WARM_UP: Final = 20
"""Commits before the leader is killed, and as many after it is replaced."""


@dataclass(frozen=True)
class Failover:
    """What was seen.

    Attributes:
        killed: the member that led.
        seconds: from the kill to the first commit that another server acknowledged through
            `postgres-primary`; infinity where none did.
        took_over: the member that leads afterwards.
        rejoined: seconds from the kill until the killed member's pod was ready again.
        acknowledged: the number of every commit that was acknowledged, before and after.
        evidence: the same for a report.
    """

    killed: str
    seconds: float
    took_over: str
    rejoined: float
    acknowledged: frozenset[int]
    evidence: Evidence


@pytest.fixture(scope="module")
def way(system: System, ways: Ways, service_pods: dict[str, PodRef]) -> Route:
    """The way to the leader through `postgres-primary`, from a service's pod."""
    front = next(f for f in parts.fronts(system) if f.name == system.postgres.primary)
    return ways.first_to(service_pods.values(), front, system.postgres.port)


@pytest.fixture(scope="module")
def table(postgres: Postgres) -> Iterator[str]:
    """A table for the numbers, gone at the end from whichever member leads then."""
    name = f"{SCHEMA}.nova_acceptance_{uuid4().hex[:8]}"
    try:
        postgres.forget_leader()  # another worker may just have killed it
        admin = postgres.admin(DATABASE)
        with admin.whole():
            admin.rows(identifiers("SET LOCAL ROLE {}", OWNER))
            admin.rows(identifiers("CREATE TABLE {} (number bigint PRIMARY KEY)", name))
        yield name
    finally:
        postgres.forget_leader()
        postgres.admin(DATABASE).rows(identifiers("DROP TABLE IF EXISTS {}", name))


@pytest.fixture(scope="module")
def failover(
    *,
    healthy: None,  # noqa: ARG001
    kube: Kube,
    postgres: Postgres,
    way: Route,
    table: str,
    logins: Callable[[str, str], Login],
) -> Failover:
    """Kill the leader's pod under writes, and watch until the writes go on and it is back."""
    killed = postgres.find_leader()
    pod = postgres.members[killed]
    with Writer(way, logins("app_user", DATABASE), table) as writer:
        warm = until(lambda: enough(writer, 0), within=timeouts.CONNECT)
        assert warm <= timeouts.CONNECT, f"no writes before the kill: {writer.errors}"
        began = time.monotonic()
        uid = crash(kube, pod, "postgres")
        resumed = until(lambda: enough(writer, 1), within=2 * timeouts.FAILOVER)
        seconds = writer.first(writer.servers[1]) - began if resumed < math.inf else math.inf
        rejoined = await_successor(kube, pod, uid, started=began)
    until(lambda: leads_anew(postgres), within=timeouts.FAILOVER, ignoring=ProbeError)
    said = (
        f"{postgres.leader} acknowledges {seconds:.1f} s after the kill, {killed} is ready again"
        f" after {rejoined:.1f} s; {len(writer.acknowledged)} commits acknowledged"
    )
    asked = f"SIGKILL to PostgreSQL in {pod} and delete it without grace, while app_user writes"
    return Failover(
        killed=killed,
        seconds=seconds,
        took_over=postgres.leader,
        rejoined=rejoined,
        acknowledged=frozenset(done.number for done in writer.acknowledged),
        evidence=Evidence(asked, way.source, way.target, said, rejoined),
    )


def leads_anew(postgres: Postgres) -> bool:
    """Whether a member leads, asked of all of them again."""
    postgres.forget_leader()
    return bool(postgres.leader)


def enough(writer: Writer, server: int) -> bool:
    """Whether the first, or the second, server has acknowledged enough commits."""
    servers = writer.servers
    return len(servers) > server and writer.count(servers[server]) >= WARM_UP


@pytest.fixture(autouse=True)
def _shown(failover: Failover, witness: Witness, _witnessed: None) -> None:
    witness.add(failover.evidence)


@pytest.mark.means("FAILOVER_SLOW")
def test_replica_takes_over(failover: Failover) -> None:
    """Another member acknowledges writes within 30 s of the leader's death."""
    assert failover.took_over != failover.killed
    assert failover.seconds <= timeouts.FAILOVER


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY")
def test_postgres_primary_follows(
    failover: Failover, fresh_objects: Objects, system: System
) -> None:
    """Behind `postgres-primary` is the member that took over, and nothing else."""
    namespace = system.workload(system.postgres.workload).namespace
    behind = fresh_objects.endpoints(system.postgres.primary, namespace)

    assert [endpoint.pod for endpoint in behind] == [failover.took_over]


@pytest.mark.means("COMMITS_LOST")
def test_acknowledged_commits_are_kept(failover: Failover, postgres: Postgres, table: str) -> None:
    """Every number whose commit was acknowledged is in the table of the new leader."""
    found = postgres.admin(DATABASE).column(identifiers("SELECT number FROM {}", table))

    assert failover.acknowledged
    assert failover.acknowledged - found == set()


@pytest.mark.means("REPLICA_NOT_STREAMING")
def test_lost_member_comes_back_as_a_replica(
    failover: Failover, postgres: Postgres, patroni: Patroni
) -> None:
    """The killed member follows the new leader again, by itself."""
    streaming = until(
        lambda: postgres.standbys.get(failover.killed, ("", ""))[0] == "streaming",
        within=timeouts.REJOIN,
    )

    assert streaming <= timeouts.REJOIN
    assert postgres.in_recovery[failover.killed]
    assert {view.leader for view in patroni.views.values()} == {failover.took_over}


@pytest.mark.means("REPLICA_LAGS", "COMMITS_LOST")
def test_lost_member_has_every_acknowledged_commit(
    failover: Failover, postgres: Postgres, table: str
) -> None:
    """The member that came back holds what was acknowledged without it."""
    with postgres.member(failover.killed, DATABASE) as member:
        caught_up = until(
            lambda: (
                failover.acknowledged <= member.column(identifiers("SELECT number FROM {}", table))
            ),
            within=timeouts.REPLAY,
            ignoring=psycopg.errors.UndefinedTable,
        )

    assert caught_up <= timeouts.REPLAY
