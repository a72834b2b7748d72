"""What is wrong with how members get over the loss of their leader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.failover import Failover
from nova_acceptance.components.postgres.parts import Reach
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Session, identifiers
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.until import until


@check
def slow_takeover(failover: Failover) -> Iterator[Finding]:
    """Find that nobody else acknowledged writes in time, or that the one that was killed leads."""
    is_slow = failover.seconds > failover.budget
    if is_slow or failover.took_over == failover.killed:
        sentence = Phrase(
            "no other member acknowledged a commit within {seconds:.0f} s after {killed} was killed"
            if is_slow
            else "{killed} was killed and leads again",
            seconds=failover.budget,
            killed=failover.killed,
        )
        yield Finding.here("FAILOVER_SLOW", sentence)


@check
def lost_commits(
    failover: Failover, postgres: Postgres, writer: Reach, table: str
) -> Iterator[Finding]:
    """Find that the new leader lacks commits that were acknowledged, or that none were."""
    kept = _numbers(postgres.admin(writer.grant.database), table)
    if lost := sorted(failover.acknowledged - kept):
        sentence = Phrase(
            "{count} of {acknowledged} acknowledged commits are not on {leader}",
            count=len(lost),
            acknowledged=len(failover.acknowledged),
            leader=failover.took_over,
        )
        numbers = f"lost: {', '.join(map(str, lost[:20]))}"
        yield Finding.here("COMMITS_LOST", sentence, numbers)
    elif not failover.acknowledged:
        sentence = Phrase("no commit was acknowledged, so nothing is shown")
        yield Finding.here("FAILOVER_SLOW", sentence)


@check
def lasting_absence(failover: Failover, postgres: Postgres, spec: Spec) -> Iterable[Finding]:
    """Find that the member that was killed does not follow the new leader in time, by itself."""
    within = spec.patroni.rejoin if spec.patroni else spec.replay
    took = until(lambda: _state(postgres, failover.killed) == "streaming", within=within)
    follows, _ = postgres.roll_call()
    if took <= within and follows.get(failover.killed):
        return []
    pod = postgres.members[failover.killed]
    sentence = Phrase(
        "{killed} does not stream from {leader} within {seconds:.0f} s after it was killed",
        killed=failover.killed,
        leader=failover.took_over,
        seconds=within,
    )
    subject = Ref("Pod", pod.namespace, pod.name)
    return [Finding("REPLICA_NOT_STREAMING", subject, sentence)]


@check
def lacking_commits(
    failover: Failover, postgres: Postgres, spec: Spec, writer: Reach, table: str
) -> Iterator[Finding]:
    """Find that the member that came back lacks commits that were acknowledged without it."""
    with postgres.member(failover.killed, writer.grant.database) as member:
        caught_up = until(
            lambda: failover.acknowledged <= _numbers(member, table),
            within=spec.replay,
            ignoring=psycopg.errors.UndefinedTable,
        )
    if caught_up > spec.replay:
        sentence = Phrase(
            "{killed} is back and lacks acknowledged commits after {seconds:.0f} s",
            killed=failover.killed,
            seconds=spec.replay,
        )
        yield Finding.here("REPLICA_LAGS", sentence)


def _state(postgres: Postgres, member: str) -> str:
    return postgres.standbys.get(member, ("", ""))[0]


def _numbers(session: Session, table: str) -> frozenset[int]:
    return session.column(identifiers("SELECT number FROM {}", table))
