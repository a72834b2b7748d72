"""One leader, two streaming replicas, and the Services that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from nova_acceptance import timeouts
from nova_acceptance.claims import BrokenClaimError, broken, holds
from nova_acceptance.components.kubernetes.objects import Objects, ref
from nova_acceptance.components.kubernetes.pod_specs import is_ready
from nova_acceptance.components.network.connections import Ways
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.client import MAINTENANCE, LeadershipError, Postgres
from nova_acceptance.components.postgres.sql import Login, connect, identifiers
from nova_acceptance.findings import Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front, System, parts
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.until import until
from nova_acceptance.vantage.witness import Witness

pytestmark = [pytest.mark.postgres, pytest.mark.component("postgres")]

DATABASE: Final = "nova_messaging"
SCHEMA: Final = "messaging"
OWNER: Final = "nova_owner"
FOLLOWER: Final = "replication_user"
Logins = Callable[[str, str], Login]


@pytest.fixture(scope="module")
def primary(system: System, ways: Ways, service_pods: dict[str, PodRef]) -> Route:
    """The way to the leader through its Service, from a service's pod."""
    return ways.first_to(service_pods.values(), of_role("primary", system), system.postgres.port)


@pytest.fixture(scope="module")
def replica(system: System, ways: Ways, service_pods: dict[str, PodRef]) -> Route:
    """The way to a replica through their Service, from a service's pod."""
    return ways.first_to(service_pods.values(), of_role("replica", system), system.postgres.port)


def of_role(role: str, system: System) -> Front:
    """Return the Service in front of PostgreSQL's members of a role."""
    return next(front for front in parts.fronts(system) if front.service.role == role)


def followers_are_let_in(postgres: Postgres, logins: Logins) -> None:
    """Claim that the leader lets its followers in: where it does not, that is why none streams."""
    if shown := postgres.refusal_of_followers(logins(FOLLOWER, MAINTENANCE)):
        raise BrokenClaimError(shown)


def late(postgres: Postgres, logins: Logins) -> BrokenClaimError:
    """Return what a row shows that has not arrived: a replica that is cut off, or that lags."""
    states = {name: postgres.standbys.get(name, ("absent", ""))[0] for name in postgres.replicas}
    away = [name for name, state in states.items() if state != "streaming"]
    evidence = [f"{name}: {state}" for name, state in states.items()]
    if away:
        followers_are_let_in(postgres, logins)
        sentence = Phrase("{members} does not stream", members=away)
        return broken("REPLICA_NOT_STREAMING", sentence, evidence=evidence)
    sentence = Phrase(
        "a committed row is not on a replica within {seconds:.0f} s", seconds=timeouts.REPLAY
    )
    return broken("REPLICA_LAGS", sentence, evidence=evidence)


def leads_to(service: str, wanted: set[str], objects: Objects, system: System) -> None:
    """Claim that behind a Service of PostgreSQL are exactly these members.

    The cluster leaves out a member that is not ready, whatever its role: where that is all, it is
    the pod that something is wrong with, not what the Service selects.
    """
    workload = system.workload(system.postgres.workload)
    found = {endpoint.pod for endpoint in objects.endpoints(service, workload.namespace)}
    if found == wanted:
        return
    unready = {ref(pod).name for pod in objects.pods_of(workload) if not is_ready(pod)}
    cause = (
        "SERVICE_WITHOUT_ENDPOINTS"
        if not found or found == wanted - unready
        else "PRIMARY_SERVICE_ASTRAY"
    )
    raise broken(
        cause,
        Phrase(
            "behind {service} is {found}, not {wanted}; not ready is {unready}",
            service=service,
            found=joined(found),
            wanted=joined(wanted),
            unready=joined(unready),
        ),
        subject=Ref("Service", workload.namespace, service),
    )


def joined(names: Iterable[str]) -> str:
    """Return names in a sentence, a phrase where there is not just one."""
    found: list[str] = sorted(names) or [Phrase("no member")]
    return reduce(lambda said, name: Phrase("{names} and {name}", names=said, name=name), found)


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


@pytest.mark.means("NO_LEADER", "TWO_LEADERS")
def test_postgres_has_one_leader(postgres: Postgres, system: System) -> None:
    """Exactly one member is not in recovery."""
    members, failures = postgres.roll_call()
    leaders = [name for name, follows in members.items() if not follows]

    if len(leaders) != 1 and not (failures and not leaders):
        raise LeadershipError(leaders, members)
    for error in failures.values():
        raise error
    assert len(members) == system.workload(system.postgres.workload).replicas


@pytest.mark.means("REPLICA_NOT_STREAMING")
def test_postgres_replicas_stream(postgres: Postgres, logins: Logins) -> None:
    """The leader streams to every other member."""
    streaming = {name for name, (state, _) in postgres.standbys.items() if state == "streaming"}
    away = sorted(set(postgres.replicas) - streaming)

    if away:
        followers_are_let_in(postgres, logins)
        pod = postgres.members[away[0]]
        raise broken(
            "REPLICA_NOT_STREAMING",
            Phrase("{leader} does not stream to {members}", leader=postgres.leader, members=away),
            subject=Ref("Pod", pod.namespace, pod.name),
            evidence=[f"{name}: {state}" for name, (state, _) in postgres.standbys.items()],
        )
    assert streaming == set(postgres.replicas)


@pytest.mark.means("NOT_SYNCHRONOUS")
def test_postgres_replicates_synchronously(postgres: Postgres, logins: Logins) -> None:
    """An acknowledged commit is on a second member already."""
    synchrony = [synchrony for _, synchrony in postgres.standbys.values()]

    if not synchrony:
        followers_are_let_in(postgres, logins)
    assert "sync" in synchrony or "quorum" in synchrony


@pytest.mark.patroni
@pytest.mark.means("TWO_LEADERS", "NO_LEADER")
def test_patroni_agrees_on_the_leader(postgres: Postgres, patroni: Patroni) -> None:
    """Every member's Patroni names the member that PostgreSQL itself says leads."""
    leaders = {name: view.leader for name, view in patroni.views.items()}

    if not any(leaders.values()):
        raise broken("NO_LEADER", Phrase("no member's Patroni names a leader"))
    assert leaders == dict.fromkeys(postgres.members, postgres.leader)


@pytest.mark.patroni
@pytest.mark.means("REPLICA_NOT_STREAMING")
def test_patroni_agrees_on_the_replicas(
    postgres: Postgres, patroni: Patroni, logins: Logins
) -> None:
    """Every member's Patroni counts the others as replicas that follow."""
    replicas = {name: view.replicas for name, view in patroni.views.items()}

    if not all(replicas.values()):
        followers_are_let_in(postgres, logins)
    assert replicas == dict.fromkeys(postgres.members, frozenset(postgres.replicas))


@pytest.mark.patroni
@pytest.mark.means("TIMELINE_DIVERGED")
def test_patroni_members_are_on_one_timeline(patroni: Patroni) -> None:
    """No member follows a history of its own."""
    timelines = {name: len(view.timelines) for name, view in patroni.views.items()}

    assert timelines == dict.fromkeys(timelines, 1)


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY", "SERVICE_WITHOUT_ENDPOINTS")
def test_postgres_primary_leads_to_the_leader(
    fresh_objects: Objects, postgres: Postgres, system: System
) -> None:
    """Behind `postgres-primary` is the leader's pod and nothing else."""
    leads_to(system.postgres.primary, {postgres.leader}, fresh_objects, system)


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY", "SERVICE_WITHOUT_ENDPOINTS")
def test_postgres_replicas_leads_to_the_replicas(
    fresh_objects: Objects, postgres: Postgres, system: System
) -> None:
    """Behind `postgres-replicas` are the replicas' pods and nothing else."""
    leads_to(system.postgres.replicas, set(postgres.replicas), fresh_objects, system)


@pytest.mark.means("PRIMARY_READ_ONLY")
def test_postgres_primary_accepts_writes(
    primary: Route, logins: Logins, witness: Witness, table: str
) -> None:
    """app_user writes through `postgres-primary`, and reads it back."""
    with connect(primary, logins("app_user", DATABASE), witness) as session:
        session.rows(identifiers("INSERT INTO {} VALUES ('kept')", table))

        assert session.column(identifiers("SELECT word FROM {}", table)) == {"kept"}


@pytest.mark.means("REPLICA_LAGS", "REPLICA_NOT_STREAMING", "PRIMARY_SERVICE_ASTRAY")
def test_row_written_on_the_primary_is_read_on_a_replica(
    *,
    primary: Route,
    replica: Route,
    postgres: Postgres,
    logins: Logins,
    witness: Witness,
    table: str,
) -> None:
    """A row written through `postgres-primary` is soon read through `postgres-replicas`."""
    login = logins("app_user", DATABASE)
    with connect(primary, login, witness) as writing:
        writing.rows(identifiers("INSERT INTO {} VALUES ('sent')", table))

    with connect(replica, login, witness) as reading:
        arrived = until(
            lambda: reading.column(identifiers("SELECT word FROM {}", table)) == {"sent"},
            within=timeouts.REPLAY,
            ignoring=psycopg.errors.UndefinedTable,  # the table itself is still on its way
        )
        if arrived > timeouts.REPLAY:
            raise late(postgres, logins)
        follows = reading.value("SELECT pg_is_in_recovery()")
        otherwise = Phrase("postgres-replicas leads to a member that does not follow the leader")
        holds(follows, "PRIMARY_SERVICE_ASTRAY", otherwise)


@pytest.mark.means("REPLICA_LAGS", "REPLICA_NOT_STREAMING")
def test_row_written_on_the_primary_is_read_on_every_replica(
    postgres: Postgres, logins: Logins, table: str
) -> None:
    """A row written on the leader is soon on each of the replicas."""
    postgres.admin(DATABASE).rows(identifiers("INSERT INTO {} VALUES ('sent')", table))

    for name in postgres.replicas:
        with postgres.member(name, DATABASE) as member:
            arrived = until(
                lambda: member.column(identifiers("SELECT word FROM {}", table)) == {"sent"},
                within=timeouts.REPLAY,
                ignoring=psycopg.errors.UndefinedTable,
            )
            if arrived > timeouts.REPLAY:
                raise late(postgres, logins)


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY", "PRIVILEGE_MISSING")
def test_replicas_refuse_writes(replica: Route, logins: Logins, witness: Witness) -> None:
    """app_user reads through `postgres-replicas`, and is refused a write for being read-only."""
    with connect(replica, logins("app_user", DATABASE), witness) as session:
        may = session.value("SELECT has_table_privilege('messaging.messages', 'DELETE')")
        otherwise = Phrase("app_user may not DELETE from messaging.messages")
        holds(may, "PRIVILEGE_MISSING", otherwise)

        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.rows("DELETE FROM messaging.messages WHERE false")
