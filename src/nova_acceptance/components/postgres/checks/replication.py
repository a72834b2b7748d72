"""What is wrong with who leads, who follows, and with the Services that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.seen import Seen, ref
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.postgres.checks.admission import refused_followers
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.replay import lagging
from nova_acceptance.components.postgres.shown import leadership
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Session, identifiers
from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.until import until

STREAMS = "streaming"
_ABSENT = ("absent", "")


@check
def wrong_leaders(postgres: Postgres, spec: Spec) -> Iterator[Finding]:
    """Find that none leads or several do, or that there are fewer or more members than wanted."""
    answers, failures = postgres.roll_call()
    leaders = sorted(name for name, follows in answers.items() if not follows)
    if len(leaders) != 1 and not (failures and not leaders):
        yield leadership(leaders, answers)
        return
    for error in failures.values():
        raise error
    if len(answers) != spec.runs.replicas:
        sentence = Phrase(
            "PostgreSQL has {count} members, where nova.yaml says {wanted}",
            count=len(answers),
            wanted=spec.runs.replicas,
        )
        yield Finding.here("REPLICAS_WRONG", sentence)


@check
def absent_streams(postgres: Postgres, spec: Spec) -> Iterable[Finding]:
    """Find members that the leader does not stream to, or that it is alone."""
    away = _away(postgres)
    return (away and refused_followers(postgres, spec)) or away


@check
def asynchrony(postgres: Postgres, spec: Spec) -> Iterable[Finding]:
    """Find that no follower holds a commit before it is acknowledged."""
    synchronies = [synchrony for _, synchrony in postgres.standbys.values()]
    if {"sync", "quorum"} & set(synchronies):
        return []
    sentence = Phrase("no follower of {leader} is synchronous", leader=postgres.leader)
    return (not synchronies and refused_followers(postgres, spec)) or [
        Finding.here("NOT_SYNCHRONOUS", sentence, *_states(postgres))
    ]


@check
def astray_services(
    objects: Seen, spec: Spec, role: str, wanted: Iterable[str]
) -> Iterator[Finding]:
    """Find Services for a role behind which are others than these members.

    The cluster leaves out a member that is not ready, whatever its role: where that is all, it is
    the pod that something is wrong with, not what the Service selects.
    """
    workload, members = spec.workload, set(wanted)
    for service in (each.name for each in spec.services if each.role == role):
        behind = {endpoint.pod for endpoint in objects.endpoints(service, workload.namespace)}
        if behind == members and members:
            continue
        unready = {ref(pod).name for pod in objects.pods_of(workload) if not is_ready(pod)}
        is_of_the_pods = not behind or behind == members - unready
        sentence = Phrase(
            "behind {service}: {found}; wanted: {wanted}; not ready: {unready}",
            service=service,
            found=sorted(behind) or Phrase("no member"),
            wanted=sorted(members) or Phrase("no member"),
            unready=sorted(unready) or Phrase("no member"),
        )
        cause = "SERVICE_WITHOUT_ENDPOINTS" if is_of_the_pods else "PRIMARY_SERVICE_ASTRAY"
        subject = Ref("Service", workload.namespace, service)
        yield Finding(cause, subject, sentence)


@check
def lost_write(primary: RoleConnections, writer: Reach, table: str) -> Iterator[Finding]:
    """Find that what is written through the Service for clients is not read back through it."""
    with primary.session(writer) as session:
        session.rows(identifiers("INSERT INTO {} VALUES ('kept')", table))
        found = _words(session, table)
    if found != {"kept"}:
        sentence = Phrase(
            "{role} wrote a row into {table} and reads {found}",
            role=writer.role.name,
            table=table,
            found=sorted(found) or Phrase("none"),
        )
        yield Finding.here("COMMITS_LOST", sentence)


@check
def late_row(
    primary: RoleConnections, replica: RoleConnections, writer: Reach, table: str
) -> Iterable[Finding]:
    """Find that a row written through one Service is not soon read through that for replicas."""
    with primary.session(writer) as writing:
        writing.rows(identifiers("INSERT INTO {} VALUES ('sent')", table))
    with replica.session(writer) as reading:
        if not _arrives(reading, table, within=replica.spec.replay):
            return _late(replica.postgres, replica.spec)
        follows = reading.value("SELECT pg_is_in_recovery()")
    sentence = Phrase("the Service for replicas leads to a member that does not follow")
    return [] if follows else [Finding.here("PRIMARY_SERVICE_ASTRAY", sentence)]


@check
def late_rows(postgres: Postgres, spec: Spec, writer: Reach, table: str) -> Iterable[Finding]:
    """Find that a row written on the leader is not soon on each of the replicas, or on none."""
    database = writer.grant.database
    with postgres.opened(postgres.replicas, database) as replicas:
        postgres.admin(database).rows(identifiers("INSERT INTO {} VALUES ('sent')", table))
        for each in replicas:
            if not _arrives(each, table, within=spec.replay):
                return _late(postgres, spec)
    return [] if replicas else _away(postgres)


@check
def accepted_write(replica: RoleConnections, writer: Reach, table: str) -> Iterable[Finding]:
    """Find that a write through the Service for replicas is not refused for being one."""
    role = writer.role.name
    with replica.session(writer) as session:
        if not _is_known(session, table, within=replica.spec.replay):
            return _late(replica.postgres, replica.spec)
        try:
            session.rows(identifiers("DELETE FROM {} WHERE false", table))
        except psycopg.errors.ReadOnlySqlTransaction:
            return []
    sentence = Phrase("{role} writes through the Service for replicas", role=role)
    return [Finding.here("PRIMARY_SERVICE_ASTRAY", sentence)]


def _away(postgres: Postgres) -> list[Finding]:
    """Return that members do not stream, or that there are none which could."""
    standbys = postgres.standbys
    away = [name for name in postgres.replicas if standbys.get(name, _ABSENT)[0] != STREAMS]
    if postgres.replicas and not away:
        return []
    sentence = Phrase(
        "{leader} does not stream to {members}" if away else "no member follows {leader}",
        leader=postgres.leader,
        members=away,
    )
    pod = postgres.members[away[0]] if away else None
    subject = Ref("Pod", pod.namespace, pod.name) if pod else NOWHERE
    found = Finding("REPLICA_NOT_STREAMING", subject, sentence, evidence=_states(postgres))
    return [found]


def _late(postgres: Postgres, spec: Spec) -> list[Finding]:
    """Return what a row shows that has not arrived: a replica that is cut off, or that lags."""
    if away := absent_streams(postgres, spec):
        return away
    if found := lagging(postgres):
        return [found]
    sentence = Phrase(
        "a committed row is not on a replica within {seconds:.0f} s", seconds=spec.replay
    )
    return [Finding.here("REPLICA_LAGS", sentence, *_states(postgres))]


def _arrives(session: Session, table: str, *, within: float) -> bool:
    """Whether a row is soon there; the table itself may still be on its way."""
    arrived = until(
        lambda: _words(session, table) == {"sent"},
        within=within,
        ignoring=psycopg.errors.UndefinedTable,
    )
    return arrived <= within


def _is_known(session: Session, table: str, *, within: float) -> bool:
    known = until(lambda: session.value("SELECT to_regclass(%s) IS NOT NULL", table), within=within)
    return known <= within


def _words(session: Session, table: str) -> frozenset[str]:
    return session.column(identifiers("SELECT word FROM {}", table))


def _states(postgres: Postgres) -> tuple[str, ...]:
    standbys = postgres.standbys
    names = dict.fromkeys((*postgres.replicas, *standbys))
    return tuple(f"{name}: {' '.join(filter(None, standbys.get(name, _ABSENT)))}" for name in names)
