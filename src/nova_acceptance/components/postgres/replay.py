"""How far each replica is behind its leader, and what holds its replay up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Finding, FindingError, Ref
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import NOTHING, Phrase

if TYPE_CHECKING:
    from nova_acceptance.components.postgres.client import Postgres

_WRITTEN: Final = "SELECT pg_current_wal_lsn()::text"
_REPLAYED: Final = (
    "SELECT pg_is_wal_replay_paused(),"
    " pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())::bigint,"
    " coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp())::bigint, -1),"
    " to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
    " current_setting('recovery_min_apply_delay')"
)
_NO_DELAY: Final = ("", "0")


@dataclass(frozen=True, slots=True)
class Replay:
    """How a replica replays what the leader has written.

    Attributes:
        member: its name.
        is_paused: whether somebody has paused it.
        behind: bytes of the log that it has not replayed.
        seconds: the age of the last commit that it replayed; below 0 where there was none.
        at: when that was committed, in UTC.
        delay: by how much it is told to be late; `0` where it is not.
    """

    member: str
    is_paused: bool
    behind: int
    seconds: int
    at: str
    delay: str

    @property
    def is_late(self) -> bool:
        """Whether it has not replayed all, or is kept from it."""
        return self.is_paused or self.behind > 0 or self.delay not in _NO_DELAY


def lagging(postgres: Postgres) -> Finding | None:
    """Return which replica is behind most, by how much and since when; None where none says so.

    Args:
        postgres: asked as its superuser, member by member.
    """
    late = [each for each in _replays(postgres) if each.is_late]
    if not late:
        return None
    # one that is held up says more than one that is merely slow
    worst = max(late, key=lambda it: (it.is_paused, it.delay not in _NO_DELAY, it.behind))
    pod = postgres.members[worst.member]
    return Finding(
        "REPLICA_LAGS",
        Ref("Pod", pod.namespace, pod.name),
        Phrase("{what}: {lag}", what=_why(worst), lag=_lag(worst, postgres.leader)),
        _cure(worst),
        evidence=tuple(f"{each.member}: {_lag(each, postgres.leader)}" for each in late),
    )


def _replays(postgres: Postgres) -> Iterator[Replay]:
    try:
        written = postgres.admin().value(_WRITTEN)
    except (psycopg.Error, NovaError, FindingError, ValueError):
        return
    for name in postgres.replicas:
        try:
            with postgres.member(name) as member:
                ((paused, behind, seconds, at, delay),) = member.rows(_REPLAYED, written)
        except (psycopg.Error, NovaError, FindingError, ValueError):
            continue  # what it does not say is told of it elsewhere
        yield Replay(name, bool(paused), int(behind or 0), int(seconds), str(at or ""), str(delay))


def _why(replay: Replay) -> Phrase:
    if replay.is_paused:
        return Phrase("the replay of {member} is paused", member=replay.member)
    if replay.delay not in _NO_DELAY:
        return Phrase(
            "{member} is told to replay {delay} late by recovery_min_apply_delay",
            member=replay.member,
            delay=replay.delay,
        )
    return Phrase("{member} lags", member=replay.member)


def _lag(replay: Replay, leader: str) -> Phrase:
    if replay.seconds < 0:
        return Phrase(
            "it is {behind} bytes behind {leader}, and has replayed no commit since its start",
            behind=replay.behind,
            leader=leader,
        )
    return Phrase(
        "it is {behind} bytes behind {leader}, and the last commit that it replayed is of {at} "
        "UTC, {seconds} s ago",
        behind=replay.behind,
        leader=leader,
        at=replay.at,
        seconds=replay.seconds,
    )


def _cure(replay: Replay) -> Phrase:
    if replay.is_paused:
        return Phrase("`SELECT pg_wal_replay_resume()` on {member}", member=replay.member)
    if replay.delay not in _NO_DELAY:
        return Phrase(
            "take recovery_min_apply_delay out of Patroni's configuration, or "
            "`ALTER SYSTEM RESET recovery_min_apply_delay` on {member} and reload it",
            member=replay.member,
        )
    return NOTHING
