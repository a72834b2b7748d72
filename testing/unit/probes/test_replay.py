"""Which replica is behind, by how much, since when, and what holds it up."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from nova_acceptance.components.postgres.checks import replication
from nova_acceptance.components.postgres.replay import lagging
from nova_acceptance.findings import Finding
from testing.unit.probes.a_postgres import CLIENT, APostgres, ASession, on
from testing.unit.probes.test_replication_checks import HASTY

AT = "2026-11-28 20:15:01"
WELL = (False, 0, 4, AT, "0")


class Members(APostgres):
    """Members whose replicas say each how they replay."""

    def __init__(self, **replays: Any) -> None:
        super().__init__(session=ASession(pg_current_wal_lsn=on("0/3000060"), word=[]))
        self.replays = {name.replace("_", "-"): it for name, it in replays.items()}

    def member(self, name: str, _database: str = "postgres") -> ASession:
        its = self.replays.get(name, WELL)
        return ASession(pg_is_wal_replay_paused=its if isinstance(its, Exception) else [its])


def found(**replays: Any) -> Finding | None:
    postgres: Any = Members(**replays)
    return lagging(postgres)


def test_replicas_that_have_replayed_all_are_not_told() -> None:
    assert found() is None


def test_replica_that_lags_is_named_with_how_much_and_since_when() -> None:
    each = found(postgres_2=(False, 52_428_800, 93, AT, "0"), postgres_1=(False, 8, 4, AT, "0"))

    assert each is not None
    assert (each.cause, str(each.subject)) == ("REPLICA_LAGS", "Pod nova-database/postgres-2")
    assert each.summary == (
        "postgres-2 lags: it is 52428800 bytes behind postgres-0, and the last commit that it "
        f"replayed is of {AT} UTC, 93 s ago"
    )
    assert [line.partition(":")[0] for line in each.evidence] == ["postgres-1", "postgres-2"]


def test_replica_whose_replay_is_paused_goes_before_one_that_is_slower() -> None:
    each = found(postgres_1=(True, 64, 30, AT, "0"), postgres_2=(False, 4096, 5, AT, "0"))

    assert each is not None
    assert each.summary.startswith("the replay of postgres-1 is paused: it is 64 bytes behind")
    assert each.cure == "`SELECT pg_wal_replay_resume()` on postgres-1"


def test_replica_that_is_told_to_be_late() -> None:
    each = found(postgres_2=(False, 0, 5, AT, "1h"))

    assert each is not None
    assert "postgres-2 is told to replay 1h late" in each.summary
    assert "postgres-2" in each.cure


def test_replica_that_has_replayed_nothing_since_its_start() -> None:
    each = found(postgres_1=(False, 512, -1, None, "0"))

    assert each is not None
    assert "has replayed no commit since its start" in each.summary


def test_replica_that_does_not_answer_leaves_the_others_to_be_told() -> None:
    each = found(postgres_1=psycopg.OperationalError("gone"), postgres_2=(False, 7, 9, AT, "0"))

    assert each is not None
    assert str(each.subject) == "Pod nova-database/postgres-2"


@pytest.mark.parametrize("paused", [True, False])
def test_row_that_does_not_arrive_is_told_by_the_replica_that_is_behind(*, paused: bool) -> None:
    postgres: Any = Members(postgres_1=(paused, 900, 60, AT, "0"))
    (each,) = replication.late_rows(postgres, HASTY, CLIENT, "auth.t")

    assert each.cause == "REPLICA_LAGS"
    assert "postgres-1" in each.summary
