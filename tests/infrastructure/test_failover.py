"""The leader's pod is killed under writes: who takes over, how soon, and what is lost.

PostgreSQL is killed before its pod is: shut down in good order it would send its replicas all that
they lack, and asynchronous replication would lose nothing either.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.successor import await_successor, crash
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.logins import Logins
from nova_acceptance.components.postgres.parts import Reach, writers
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import identifiers
from nova_acceptance.components.postgres.writer import Writer
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import Kube
from nova_acceptance.system import System
from nova_acceptance.vantage.until import until
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.access import Clients, RunAccess

pytestmark = [
    pytest.mark.disruptive,
    pytest.mark.postgres,
    pytest.mark.patroni,
]

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


class Failovers:
    """The failover of each PostgreSQL, brought about once for all tests that ask about it."""

    def __init__(self, kube: Kube, access: RunAccess, clients: Clients) -> None:
        self._kube = kube
        self._access = access
        self._clients = clients
        self._seen: dict[str, Failover | BaseException] = {}
        self.tables: dict[str, str] = {}

    def of(self, spec: Spec, writer: Reach) -> Failover:
        """Kill the leader's pod under writes, and watch until the writes go on and it is back."""
        if spec.name not in self._seen:
            try:
                self._seen[spec.name] = self._bring_about(spec, writer)
            except Exception as error:
                self._seen[spec.name] = error
                raise
        found = self._seen[spec.name]
        if isinstance(found, BaseException):
            raise found
        return found

    def table_of(self, spec: Spec, writer: Reach) -> str:
        """Return a table for the numbers, made when it is first wanted."""
        if spec.name not in self.tables:
            postgres = self._clients.of(spec)
            database, schema = writer.grant.database, writer.grant.schemas[0]
            owner = next(it.schemas[schema] for it in spec.databases if it.name == database)
            name = f"{schema}.nova_acceptance_{uuid4().hex[:8]}"
            postgres.forget_leader()  # another worker may just have killed it
            admin = postgres.admin(database)
            self.tables[spec.name] = name
            with admin.whole():
                admin.rows(identifiers("SET LOCAL ROLE {}", owner))
                admin.rows(identifiers("CREATE TABLE {} (number bigint PRIMARY KEY)", name))
        return self.tables[spec.name]

    def drop(self, spec: Spec, writer: Reach) -> None:
        """Drop the table, by whichever member leads now."""
        postgres = self._clients.of(spec)
        postgres.forget_leader()
        name = self.tables.pop(spec.name)
        postgres.admin(writer.grant.database).rows(identifiers("DROP TABLE IF EXISTS {}", name))

    def _bring_about(self, spec: Spec, writer_role: Reach) -> Failover:
        table, postgres = self.table_of(spec, writer_role), self._clients.of(spec)
        assert spec.patroni is not None
        way = self._access.to_service(spec)
        logins = Logins(self._access, spec)
        login = logins.of(postgres, writer_role.role.name, writer_role.grant.database)
        killed = postgres.find_leader()
        pod = postgres.members[killed]
        with Writer(way, login, table) as writer:
            warm = until(lambda: enough(writer, 0), within=timeouts.CONNECT)
            assert warm <= timeouts.CONNECT, f"no writes before the kill: {writer.errors}"
            began = time.monotonic()
            uid = crash(self._kube, pod, "postgres")
            resumed = until(lambda: enough(writer, 1), within=2 * spec.patroni.failover)
            seconds = writer.first(writer.servers[1]) - began if resumed < math.inf else math.inf
            rejoined = await_successor(self._kube, pod, uid, started=began)
        until(lambda: leads_anew(postgres), within=spec.patroni.failover, ignoring=ProbeError)
        said = (
            f"{postgres.leader} acknowledges {seconds:.1f} s after the kill, {killed} is ready"
            f" again after {rejoined:.1f} s; {len(writer.acknowledged)} commits acknowledged"
        )
        asked = (
            f"SIGKILL to PostgreSQL in {pod} and delete it without grace, while {login.user} writes"
        )
        return Failover(
            killed=killed,
            seconds=seconds,
            took_over=postgres.leader,
            rejoined=rejoined,
            acknowledged=frozenset(done.number for done in writer.acknowledged),
            evidence=Evidence(asked, way.source, way.target, said, rejoined),
        )


@pytest.fixture(scope="module")
def failovers(
    kube: Kube, access: RunAccess, clients: Clients, system: System
) -> Iterator[Failovers]:
    """The failovers of this module, each brought about when it is first asked for."""
    found = Failovers(kube, access, clients)
    yield found
    for spec in system.of(Spec):
        if spec.name in found.tables:
            found.drop(spec, writers(spec)[0])


@pytest.fixture
def failover(
    healthy: None,  # noqa: ARG001
    failovers: Failovers,
    patroni_spec: Spec,
    writer_role: Reach,
) -> Failover:
    """What was seen when the leader was killed."""
    return failovers.of(patroni_spec, writer_role)


@pytest.fixture
def table(failovers: Failovers, patroni_spec: Spec, writer_role: Reach) -> str:
    """The table of the numbers."""
    return failovers.table_of(patroni_spec, writer_role)


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
def test_replica_takes_over(failover: Failover, patroni_spec: Spec) -> None:
    """Another member acknowledges writes within the time that nova.yaml says."""
    assert failover.took_over != failover.killed
    assert patroni_spec.patroni is not None
    assert failover.seconds <= patroni_spec.patroni.failover


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY")
def test_primary_service_follows(
    failover: Failover, fresh_objects: Seen, served_spec: Spec
) -> None:
    """Behind the Service for the primary is the member that took over, and nothing else."""
    service = next(each.name for each in served_spec.services if each.role == "primary")
    behind = fresh_objects.endpoints(service, served_spec.namespace)

    assert [endpoint.pod for endpoint in behind] == [failover.took_over]


@pytest.mark.means("COMMITS_LOST")
def test_acknowledged_commits_are_kept(
    failover: Failover, postgres: Postgres, writer_role: Reach, table: str
) -> None:
    """Every number whose commit was acknowledged is in the table of the new leader."""
    found = postgres.admin(writer_role.grant.database).column(
        identifiers("SELECT number FROM {}", table)
    )

    assert failover.acknowledged
    assert failover.acknowledged - found == set()


@pytest.mark.means("REPLICA_NOT_STREAMING")
def test_lost_member_comes_back_as_a_replica(
    failover: Failover, postgres: Postgres, patroni: Patroni, patroni_spec: Spec
) -> None:
    """The killed member follows the new leader again, by itself."""
    assert patroni_spec.patroni is not None
    rejoin = patroni_spec.patroni.rejoin
    streaming = until(
        lambda: postgres.standbys.get(failover.killed, ("", ""))[0] == "streaming",
        within=rejoin,
    )

    assert streaming <= rejoin
    assert postgres.in_recovery[failover.killed]
    assert {view.leader for view in patroni.views.values()} == {failover.took_over}


@pytest.mark.means("REPLICA_LAGS", "COMMITS_LOST")
def test_lost_member_has_every_acknowledged_commit(
    failover: Failover, postgres: Postgres, patroni_spec: Spec, writer_role: Reach, table: str
) -> None:
    """The member that came back holds what was acknowledged without it."""
    with postgres.member(failover.killed, writer_role.grant.database) as member:
        caught_up = until(
            lambda: (
                failover.acknowledged <= member.column(identifiers("SELECT number FROM {}", table))
            ),
            within=patroni_spec.replay,
            ignoring=psycopg.errors.UndefinedTable,
        )

    assert caught_up <= patroni_spec.replay
