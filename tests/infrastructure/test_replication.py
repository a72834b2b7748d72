"""One leader, two streaming replicas, and the Services that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from uuid import uuid4

import psycopg
import pytest

from nova_acceptance.claims import BrokenClaimError, broken, holds
from nova_acceptance.components.kubernetes.seen import Seen, ref
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.patroni.client import Patroni
from nova_acceptance.components.postgres.client import LeadershipError, Postgres
from nova_acceptance.components.postgres.logins import Logins
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.spec import Role
from nova_acceptance.components.postgres.sql import connect, identifiers
from nova_acceptance.findings import Ref
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.until import until
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.access import RunAccess

pytestmark = pytest.mark.postgres


@pytest.fixture
def primary(access: RunAccess, postgres_spec: Spec) -> Route:
    """The way to the leader through its Service, from a pod that uses it."""
    return access.to_service(postgres_spec)


@pytest.fixture
def replica(access: RunAccess, postgres_spec: Spec) -> Route:
    """The way to a replica through their Service, from a pod that uses PostgreSQL."""
    return access.to_role(postgres_spec, "replica")


def follower_of(spec: Spec) -> Role | None:
    """Return the role as which members follow the leader; None where nova.yaml names none."""
    return next((role for role in spec.roles if role.replicates), None)


def followers_are_let_in(postgres: Postgres, logins: Logins, spec: Spec) -> None:
    """Claim that the leader lets its followers in: where it does not, that is why none streams."""
    follower = follower_of(spec)
    if follower and (shown := postgres.refusal_of_followers(logins.of(postgres, follower.name))):
        raise BrokenClaimError(shown)


def late(postgres: Postgres, logins: Logins, spec: Spec) -> BrokenClaimError:
    """Return what a row shows that has not arrived: a replica that is cut off, or that lags."""
    states = {name: postgres.standbys.get(name, ("absent", ""))[0] for name in postgres.replicas}
    away = [name for name, state in states.items() if state != "streaming"]
    evidence = [f"{name}: {state}" for name, state in states.items()]
    if away:
        followers_are_let_in(postgres, logins, spec)
        sentence = Phrase("{members} does not stream", members=away)
        return broken("REPLICA_NOT_STREAMING", sentence, evidence=evidence)
    sentence = Phrase(
        "a committed row is not on a replica within {seconds:.0f} s", seconds=spec.replay
    )
    return broken("REPLICA_LAGS", sentence, evidence=evidence)


def leads_to(role: str, wanted: set[str], objects: Seen, spec: Spec) -> None:
    """Claim that behind the Service for a role are exactly these members.

    The cluster leaves out a member that is not ready, whatever its role: where that is all, it is
    the pod that something is wrong with, not what the Service selects.
    """
    workload = spec.workload
    service = next(each.name for each in spec.services if each.role == role)
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
def table(postgres: Postgres, postgres_spec: Spec, writer_role: Reach) -> Iterator[str]:
    """A table that the role may write to, gone when the test ends."""
    database, schema = writer_role.grant.database, writer_role.grant.schemas[0]
    owner = next(it.schemas[schema] for it in postgres_spec.databases if it.name == database)
    name = f"{schema}.nova_acceptance_{uuid4().hex[:8]}"
    admin = postgres.admin(database)
    try:
        with admin.whole():
            admin.rows(identifiers("SET LOCAL ROLE {}", owner))
            admin.rows(identifiers("CREATE TABLE {} (word text PRIMARY KEY)", name))
        yield name
    finally:
        postgres.admin(database).rows(identifiers("DROP TABLE IF EXISTS {}", name))


@pytest.mark.means("NO_LEADER", "TWO_LEADERS")
def test_postgres_has_one_leader(postgres: Postgres, postgres_spec: Spec) -> None:
    """Exactly one member is not in recovery."""
    members, failures = postgres.roll_call()
    leaders = [name for name, follows in members.items() if not follows]

    if len(leaders) != 1 and not (failures and not leaders):
        raise LeadershipError(leaders, members)
    for error in failures.values():
        raise error
    assert len(members) == postgres_spec.runs.replicas


@pytest.mark.means("REPLICA_NOT_STREAMING")
def test_postgres_replicas_stream(
    postgres: Postgres, logins: Logins, replicated_spec: Spec
) -> None:
    """The leader streams to every other member."""
    streaming = {name for name, (state, _) in postgres.standbys.items() if state == "streaming"}
    away = sorted(set(postgres.replicas) - streaming)

    if away:
        followers_are_let_in(postgres, logins, replicated_spec)
        pod = postgres.members[away[0]]
        raise broken(
            "REPLICA_NOT_STREAMING",
            Phrase("{leader} does not stream to {members}", leader=postgres.leader, members=away),
            subject=Ref("Pod", pod.namespace, pod.name),
            evidence=[f"{name}: {state}" for name, (state, _) in postgres.standbys.items()],
        )
    assert streaming == set(postgres.replicas)


@pytest.mark.means("NOT_SYNCHRONOUS")
def test_postgres_replicates_synchronously(
    postgres: Postgres, logins: Logins, synchronous_spec: Spec
) -> None:
    """An acknowledged commit is on a second member already."""
    synchrony = [synchrony for _, synchrony in postgres.standbys.values()]

    if not synchrony:
        followers_are_let_in(postgres, logins, synchronous_spec)
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
    postgres: Postgres, patroni: Patroni, logins: Logins, patroni_spec: Spec
) -> None:
    """Every member's Patroni counts the others as replicas that follow."""
    replicas = {name: view.replicas for name, view in patroni.views.items()}

    if not all(replicas.values()):
        followers_are_let_in(postgres, logins, patroni_spec)
    assert replicas == dict.fromkeys(postgres.members, frozenset(postgres.replicas))


@pytest.mark.patroni
@pytest.mark.means("TIMELINE_DIVERGED")
def test_patroni_members_are_on_one_timeline(patroni: Patroni) -> None:
    """No member follows a history of its own."""
    timelines = {name: len(view.timelines) for name, view in patroni.views.items()}

    assert timelines == dict.fromkeys(timelines, 1)


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY", "SERVICE_WITHOUT_ENDPOINTS")
def test_primary_service_leads_to_the_leader(
    fresh_objects: Seen, postgres: Postgres, served_spec: Spec
) -> None:
    """Behind the Service for the primary is the leader's pod and nothing else."""
    leads_to("primary", {postgres.leader}, fresh_objects, served_spec)


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY", "SERVICE_WITHOUT_ENDPOINTS")
def test_replica_service_leads_to_the_replicas(
    fresh_objects: Seen, postgres: Postgres, read_spec: Spec
) -> None:
    """Behind the Service for replicas are the replicas' pods and nothing else."""
    leads_to("replica", set(postgres.replicas), fresh_objects, read_spec)


@pytest.mark.means("PRIMARY_READ_ONLY")
def test_primary_accepts_writes(
    *,
    primary: Route,
    logins: Logins,
    postgres: Postgres,
    writer_role: Reach,
    witness: Witness,
    table: str,
) -> None:
    """A role writes through the Service by which clients connect, and reads it back."""
    login = logins.of(postgres, writer_role.role.name, writer_role.grant.database)
    with connect(primary, login, witness) as session:
        session.rows(identifiers("INSERT INTO {} VALUES ('kept')", table))

        assert session.column(identifiers("SELECT word FROM {}", table)) == {"kept"}


@pytest.mark.means("REPLICA_LAGS", "REPLICA_NOT_STREAMING", "PRIMARY_SERVICE_ASTRAY")
def test_row_written_on_the_primary_is_read_on_a_replica(
    *,
    primary: Route,
    replica: Route,
    postgres: Postgres,
    read_spec: Spec,
    logins: Logins,
    writer_role: Reach,
    witness: Witness,
    table: str,
) -> None:
    """A row written through the Service for the primary is soon read through that for replicas."""
    login = logins.of(postgres, writer_role.role.name, writer_role.grant.database)
    with connect(primary, login, witness) as writing:
        writing.rows(identifiers("INSERT INTO {} VALUES ('sent')", table))

    with connect(replica, login, witness) as reading:
        arrived = until(
            lambda: reading.column(identifiers("SELECT word FROM {}", table)) == {"sent"},
            within=read_spec.replay,
            ignoring=psycopg.errors.UndefinedTable,  # the table itself is still on its way
        )
        if arrived > read_spec.replay:
            raise late(postgres, logins, read_spec)
        follows = reading.value("SELECT pg_is_in_recovery()")
        otherwise = Phrase("the Service for replicas leads to a member that does not follow")
        holds(follows, "PRIMARY_SERVICE_ASTRAY", otherwise)


@pytest.mark.means("REPLICA_LAGS", "REPLICA_NOT_STREAMING")
def test_row_written_on_the_primary_is_read_on_every_replica(
    *,
    postgres: Postgres,
    replicated_spec: Spec,
    logins: Logins,
    writer_role: Reach,
    table: str,
) -> None:
    """A row written on the leader is soon on each of the replicas."""
    database = writer_role.grant.database
    postgres.admin(database).rows(identifiers("INSERT INTO {} VALUES ('sent')", table))

    assert postgres.replicas
    for name in postgres.replicas:
        with postgres.member(name, database) as member:
            arrived = until(
                lambda: member.column(identifiers("SELECT word FROM {}", table)) == {"sent"},
                within=replicated_spec.replay,
                ignoring=psycopg.errors.UndefinedTable,
            )
            if arrived > replicated_spec.replay:
                raise late(postgres, logins, replicated_spec)


@pytest.mark.means("PRIMARY_SERVICE_ASTRAY", "PRIVILEGE_MISSING")
def test_replicas_refuse_writes(
    *,
    replica: Route,
    logins: Logins,
    postgres: Postgres,
    read_spec: Spec,
    writer_role: Reach,
    witness: Witness,
    table: str,
) -> None:
    """A role reads through the Service for replicas, and is refused a write for being read-only."""
    login = logins.of(postgres, writer_role.role.name, writer_role.grant.database)
    with connect(replica, login, witness) as session:
        arrived = until(
            lambda: session.value("SELECT has_table_privilege(%s, 'DELETE')", table) is not None,
            within=read_spec.replay,
            ignoring=psycopg.errors.UndefinedTable,
        )
        if arrived > read_spec.replay:
            raise late(postgres, logins, read_spec)
        may = session.value("SELECT has_table_privilege(%s, 'DELETE')", table)
        otherwise = Phrase("{role} may not DELETE from {table}", role=login.user, table=table)
        holds(may, "PRIVILEGE_MISSING", otherwise)

        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.rows(identifiers("DELETE FROM {} WHERE false", table))
