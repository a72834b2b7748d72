"""A leader that is killed under writes: who takes over, how soon, and what was acknowledged.

PostgreSQL is killed before its pod is: shut down in good order it would send its replicas all that
they lack, and asynchronous replication would lose nothing either.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.components.kind import Access
from nova_acceptance.components.kubernetes.successor import await_ready, await_successor, crash
from nova_acceptance.components.postgres import tables
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.writer import Writer
from nova_acceptance.errors import ProbeError
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.until import until

WARM_UP: Final = 20
"""Commits before the leader is killed, and as many after it is replaced."""
PROCESS: Final = "postgres"
"""What PostgreSQL's processes are called."""


@dataclass(frozen=True)
class Failover:
    """What was seen.

    Attributes:
        killed: the member that led.
        seconds: from the kill to the first commit that another server acknowledged through the
            Service by which clients connect; infinity where none did.
        budget: seconds that it may take.
        took_over: the member that leads afterwards.
        acknowledged: the number of every commit that was acknowledged, before and after.
        evidence: the same for a report.
    """

    killed: str
    seconds: float
    budget: float
    took_over: str
    acknowledged: frozenset[int]
    evidence: Evidence


@dataclass(eq=False)
class Failovers:
    """The failover of each PostgreSQL, brought about once for all that ask what came of it.

    Args:
        access: how components are reached.
        client_of: returns the client of a PostgreSQL.
        survive: returns the UID of a pod whose data outlive it, and raises where they would not.
    """

    _access: Access
    _client_of: Callable[[Spec], Postgres]
    _survive: Callable[[Spec, PodRef], str]
    _seen: dict[str, Failover | Exception] = field(default_factory=dict, init=False)
    _judged: set[str] = field(default_factory=set, init=False)
    _tables: dict[str, tuple[Spec, Reach, str]] = field(default_factory=dict, init=False)

    def judge(self, spec: Spec) -> None:
        """See that the leader may be killed, unless that was seen, or done, before.

        Raises:
            UnaskedError: it may not; so it is for all that ask what came of it.
        """
        if spec.name in self._judged:
            return
        try:
            postgres = self._client_of(spec)
            self._survive(spec, postgres.members[postgres.find_leader()])
        except Exception as error:
            self._seen[spec.name] = error
            raise
        finally:
            self._judged.add(spec.name)

    def of(self, spec: Spec, writer: Reach) -> Failover:
        """Kill the leader's pod under writes, and watch until the writes go on and it is back."""
        if spec.name not in self._seen:
            try:
                self._seen[spec.name] = self._bring_about(spec, writer)
            except Exception as error:
                self._seen[spec.name] = error
                raise
        found = self._seen[spec.name]
        if isinstance(found, Exception):
            raise found
        return found

    def table_of(self, spec: Spec, writer: Reach) -> str:
        """Return a table for the numbers, made when it is first wanted."""
        if spec.name not in self._tables:
            postgres = self._client_of(spec)
            postgres.forget_leader()  # another worker may just have killed it
            name = tables.new_name(spec, writer)
            self._tables[spec.name] = spec, writer, name
            tables.create(postgres, spec, writer, name, tables.OF_NUMBERS)
        return self._tables[spec.name][2]

    def close(self) -> None:
        """Drop the tables, by whichever member leads now."""
        while self._tables:
            _, (spec, writer, name) = self._tables.popitem()
            postgres = self._client_of(spec)
            postgres.forget_leader()
            tables.drop(postgres, writer, name)

    def _bring_about(self, spec: Spec, reach: Reach) -> Failover:
        if spec.patroni is None:
            raise ValueError(f"nobody takes over from the leader of {spec.name} by itself")
        table, postgres, budget = self.table_of(spec, reach), self._client_of(spec), spec.patroni
        route = self._access.to_service(spec)
        route.require_network()
        login = postgres.login(reach.role.name, reach.grant.database)
        killed = postgres.find_leader()
        pod = postgres.members[killed]
        with Writer(route, login, table) as writer:
            warm = until(lambda: _is_enough(writer, 0), within=timeouts.CONNECT)
            if warm > timeouts.CONNECT:
                raise ProbeError(
                    f"fewer than {WARM_UP} commits were acknowledged before the leader was killed",
                    hint="nobody was killed; see why the writes of a client do not succeed",
                    evidence=writer.errors[:3],
                )
            # Judged by what is so now, under the writes: the table and the warm-up took a while.
            uid = self._survive(spec, pod)
            began = time.monotonic()
            crashed = crash(self._access.kube, pod, PROCESS, uid)
            resumed = until(lambda: _is_enough(writer, 1), within=2 * budget.failover)
            seconds = writer.first(writer.servers[1]) - began if resumed < math.inf else math.inf
            rejoined = await_successor(
                self._access.kube, pod, crashed.uid, within=budget.rejoin, started=began
            )
        until(lambda: _leads_anew(postgres), within=budget.failover, ignoring=ProbeError)
        # A third member may restart for its new leader: whoever comes next must not find it unwell.
        await_ready(self._access.kube, postgres.members.values(), within=budget.rejoin)
        said = (
            f"{postgres.leader} acknowledges {seconds:.1f} s after the kill, {killed} is ready"
            f" again after {rejoined:.1f} s; {len(writer.acknowledged)} commits acknowledged"
        )
        deed = (
            f"SIGKILL to PostgreSQL in {pod} and delete it without grace"
            if crashed.is_sudden
            else f"delete {pod} without grace, which gives PostgreSQL SIGTERM and two seconds"
        )
        asked = f"{deed}, while {login.user} writes"
        return Failover(
            killed=killed,
            seconds=seconds,
            budget=budget.failover,
            took_over=postgres.leader,
            acknowledged=frozenset(done.number for done in writer.acknowledged),
            evidence=Evidence(asked, route.source, route.target, said, rejoined),
        )


def _leads_anew(postgres: Postgres) -> bool:
    """Whether a member leads, asked of all of them again."""
    postgres.forget_leader()
    return bool(postgres.leader)


def _is_enough(writer: Writer, server: int) -> bool:
    """Whether the first, or the second, server has acknowledged enough commits."""
    servers = writer.servers
    return len(servers) > server and writer.count(servers[server]) >= WARM_UP
