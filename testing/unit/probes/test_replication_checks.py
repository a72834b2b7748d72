"""What checks find of who leads and follows, of the Services, and of a failover."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import psycopg
import pytest

from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.components.patroni import checks as patroni_checks
from nova_acceptance.components.patroni.client import View
from nova_acceptance.components.postgres.checks import failover, replication
from nova_acceptance.components.postgres.failover import Failover
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Finding
from testing.unit.probes.a_postgres import (
    CLIENT,
    SPEC,
    APostgres,
    AServer,
    ASession,
    Connections,
    on,
)
from testing.unit.probes.seen import Seen

HASTY: Final = SPEC.model_copy(
    update={
        "replay": 0.05,
        "patroni": SPEC.patroni and SPEC.patroni.model_copy(update={"rejoin": 0.05}),
    }
)
"""As nova.yaml says, without waiting for long."""
REFUSED: Final = 'role "replication_user" is not permitted to log in'
MISSING: Final = psycopg.errors.UndefinedTable("no such table")
NEVER: dict[str, tuple[str, str]] = {}
AGREE: Final = View("postgres-0", frozenset({"postgres-1", "postgres-2"}), frozenset({3}))
KILLED: Final = Failover(
    killed="postgres-1",
    seconds=4.0,
    budget=30.0,
    took_over="postgres-0",
    acknowledged=frozenset({1, 2}),
    evidence=Evidence("", "", "", "", 0.0),
)


def causes(found: list[Finding]) -> list[str]:
    return [each.cause for each in found]


def members(*, refuses: str = "", **changes: Any) -> Any:
    return APostgres(server=AServer(replication_refusal=lambda _login: refuses), **changes)


def test_one_leader_and_its_followers_are_as_they_should_be() -> None:
    assert replication.wrong_leaders(members(), SPEC) == []
    assert replication.absent_streams(members(), SPEC) == []
    assert replication.asynchrony(members(), SPEC) == []


@pytest.mark.parametrize(
    ("follows", "cause"),
    [
        ({"postgres-0": True, "postgres-1": True, "postgres-2": True}, "NO_LEADER"),
        ({"postgres-0": False, "postgres-1": False, "postgres-2": True}, "TWO_LEADERS"),
        ({"postgres-0": False, "postgres-1": True}, "REPLICAS_WRONG"),
        ({}, "NO_LEADER"),
    ],
)
def test_leaders_that_are_wrong(follows: dict[str, bool], cause: str) -> None:
    assert causes(replication.wrong_leaders(members(follows=follows), SPEC)) == [cause]


@pytest.mark.parametrize(
    "follows", [{"postgres-0": False, "postgres-1": True}, {"postgres-1": True}]
)
def test_member_that_cannot_be_asked_is_no_finding(follows: dict[str, bool]) -> None:
    away = {"postgres-2": psycopg.OperationalError("connection refused")}

    with pytest.raises(psycopg.OperationalError):
        replication.wrong_leaders(members(follows=follows, failures=away), SPEC)


def test_replica_that_does_not_stream_is_named() -> None:
    postgres = members(standbys={"postgres-1": ("streaming", "sync")})

    (found,) = replication.absent_streams(postgres, SPEC)

    assert found.cause == "REPLICA_NOT_STREAMING"
    assert found.summary == "postgres-0 does not stream to postgres-2"
    assert found.subject.name == "postgres-2"
    assert found.evidence == ("postgres-1: streaming sync", "postgres-2: absent")


@pytest.mark.parametrize("standbys", [NEVER, {"postgres-1": ("catchup", "async")}])
def test_replicas_that_are_refused_are_absent_for_that(standbys: dict[str, Any]) -> None:
    postgres = members(standbys=standbys, refuses=REFUSED)

    assert causes(replication.absent_streams(postgres, SPEC)) == ["ROLE_ATTRIBUTES_WRONG"]


def test_leader_without_replicas_streams_to_nobody() -> None:
    alone = members(follows={"postgres-0": False}, standbys={})

    assert causes(replication.absent_streams(alone, SPEC)) == ["REPLICA_NOT_STREAMING"]
    assert causes(replication.late_rows(alone, HASTY, CLIENT, "auth.t")) == [
        "REPLICA_NOT_STREAMING"
    ]


@pytest.mark.parametrize(
    ("standbys", "refused", "cause"),
    [
        ({"postgres-1": ("streaming", "async")}, "", "NOT_SYNCHRONOUS"),
        ({"postgres-1": ("streaming", "async")}, REFUSED, "NOT_SYNCHRONOUS"),
        (NEVER, "", "NOT_SYNCHRONOUS"),
        (NEVER, REFUSED, "ROLE_ATTRIBUTES_WRONG"),
        ({"postgres-1": ("streaming", "quorum")}, "", None),
    ],
)
def test_synchrony(standbys: dict[str, Any], refused: str, cause: str | None) -> None:
    postgres = members(standbys=standbys, refuses=refused)

    assert causes(replication.asynchrony(postgres, SPEC)) == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("behind", "wanted", "cause"),
    [
        (["postgres-0"], ["postgres-0"], None),
        (["postgres-1"], ["postgres-0"], "PRIMARY_SERVICE_ASTRAY"),
        (["postgres-0", "postgres-1"], ["postgres-0"], "PRIMARY_SERVICE_ASTRAY"),
        ([], ["postgres-0"], "SERVICE_WITHOUT_ENDPOINTS"),
        ([], [], "SERVICE_WITHOUT_ENDPOINTS"),
    ],
)
def test_service_for_a_role(behind: list[str], wanted: list[str], cause: str | None) -> None:
    seen: Any = Seen()
    seen.behind["nova-database/postgres-primary"] = [
        Endpoint("10.0.0.1", pod=pod) for pod in behind
    ]

    found = replication.astray_services(seen, SPEC, "primary", wanted)

    assert causes(found) == ([cause] if cause else [])
    assert [each.subject.name for each in found] == (["postgres-primary"] if cause else [])


def test_service_lacks_only_a_member_that_is_not_ready() -> None:
    unready = {"kind": "Pod", "metadata": {"namespace": "nova-database", "name": "postgres-2"}}
    seen: Any = SimpleNamespace(
        endpoints=lambda *_: [Endpoint("10.0.0.1", pod="postgres-1")],
        pods_of=lambda _workload: [unready],
    )

    (found,) = replication.astray_services(seen, SPEC, "replica", ["postgres-1", "postgres-2"])

    assert found.cause == "SERVICE_WITHOUT_ENDPOINTS"
    assert found.summary == (
        "behind postgres-replicas: postgres-1; wanted: postgres-1, postgres-2;"
        " not ready: postgres-2"
    )


def through(**answers: Any) -> Any:
    """Connections through a Service, without waiting for long."""
    return Connections(spec=HASTY, server=AServer(opened=ASession(**answers)))


@pytest.mark.parametrize(("read", "cause"), [(on("kept"), None), ([], "COMMITS_LOST")])
def test_what_is_written_is_read_back(read: Any, cause: str | None) -> None:
    found = replication.lost_write(through(SELECT=read), CLIENT, "auth.t")

    assert causes(found) == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("read", "follows", "cause"),
    [
        (on("sent"), True, None),
        (on("sent"), False, "PRIMARY_SERVICE_ASTRAY"),
        ([], True, "REPLICA_LAGS"),
        (MISSING, True, "REPLICA_LAGS"),
    ],
)
def test_row_is_soon_read_through_the_service_for_replicas(
    read: Any, follows: bool, cause: str | None
) -> None:
    replica = through(word=read, pg_is_in_recovery=on(follows))

    found = replication.late_row(through(), replica, CLIENT, "auth.t")

    assert causes(found) == ([cause] if cause else [])


def test_row_is_late_for_want_of_a_stream() -> None:
    replica = replace(through(word=[]), postgres=members(standbys={}))
    refused = replace(replica, postgres=members(standbys={}, refuses=REFUSED))

    assert causes(replication.late_row(through(), replica, CLIENT, "auth.t")) == [
        "REPLICA_NOT_STREAMING"
    ]
    assert causes(replication.late_row(through(), refused, CLIENT, "auth.t")) == [
        "ROLE_ATTRIBUTES_WRONG"
    ]


@pytest.mark.parametrize(("read", "cause"), [(on("sent"), None), ([], "REPLICA_LAGS")])
def test_row_is_soon_on_every_replica(read: Any, cause: str | None) -> None:
    postgres = members(session=ASession(word=read))

    found = replication.late_rows(postgres, HASTY, CLIENT, "auth.t")

    assert causes(found) == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("known", "answer", "cause"),
    [
        (True, psycopg.errors.ReadOnlySqlTransaction("read-only"), None),
        (True, [], "PRIMARY_SERVICE_ASTRAY"),
        (False, [], "REPLICA_LAGS"),
    ],
)
def test_replica_refuses_a_write_for_being_one(known: bool, answer: Any, cause: str | None) -> None:
    replica = through(to_regclass=on(known), **{"DELETE FROM": answer})

    found = replication.accepted_write(replica, CLIENT, "auth.t")

    assert causes(found) == ([cause] if cause else [])


def patroni(**views: View) -> Any:
    """The Patronis of members, of which these differ."""
    usual = dict.fromkeys(("postgres_0", "postgres_1", "postgres_2"), AGREE)
    said = {name.replace("_", "-"): view for name, view in {**usual, **views}.items()}
    return SimpleNamespace(views=said)


def test_patronis_agree() -> None:
    assert patroni_checks.other_leader(patroni(), "postgres-0") == []
    assert patroni_checks.other_replicas(patroni(), members(), SPEC) == []
    assert patroni_checks.diverged_timelines(patroni()) == []


def test_patroni_that_takes_another_for_the_leader() -> None:
    said = patroni(postgres_2=replace(AGREE, leader="postgres-1"))

    (found,) = patroni_checks.other_leader(said, "postgres-0")

    assert found.cause == "TWO_LEADERS"
    assert found.summary.endswith("Patroni says otherwise in postgres-2")


@pytest.mark.parametrize("views", [{}, {"postgres-0": replace(AGREE, leader="")}])
def test_patroni_that_names_no_leader(views: dict[str, View]) -> None:
    said: Any = SimpleNamespace(views=views)

    assert causes(patroni_checks.other_leader(said, "postgres-0")) == ["NO_LEADER"]


@pytest.mark.parametrize(
    ("counted", "refused", "cause"),
    [
        (frozenset({"postgres-1"}), "", "REPLICA_NOT_STREAMING"),
        (frozenset({"postgres-1"}), REFUSED, "REPLICA_NOT_STREAMING"),
        (frozenset[str](), "", "REPLICA_NOT_STREAMING"),
        (frozenset[str](), REFUSED, "ROLE_ATTRIBUTES_WRONG"),
    ],
)
def test_patroni_that_counts_other_replicas(
    counted: frozenset[str], refused: str, cause: str
) -> None:
    said = patroni(postgres_1=replace(AGREE, replicas=counted))

    found = patroni_checks.other_replicas(said, members(refuses=refused), SPEC)

    assert causes(found) == [cause]


def test_patroni_that_says_nothing_counts_nobody() -> None:
    said: Any = SimpleNamespace(views={"postgres-0": AGREE, "postgres-1": AGREE})

    (found,) = patroni_checks.other_replicas(said, members(), SPEC)

    assert found.summary.endswith("Patroni says otherwise in postgres-2")


@pytest.mark.parametrize("timelines", [frozenset({3, 4}), frozenset[int]()])
def test_members_on_several_timelines(timelines: frozenset[int]) -> None:
    said = patroni(postgres_1=replace(AGREE, timelines=timelines))

    assert causes(patroni_checks.diverged_timelines(said)) == ["TIMELINE_DIVERGED"]


def test_no_member_is_on_no_timeline() -> None:
    nobody: Any = SimpleNamespace(views={})

    assert causes(patroni_checks.diverged_timelines(nobody)) == ["NO_LEADER"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({}, None),
        ({"seconds": 30.1}, "FAILOVER_SLOW"),
        ({"seconds": float("inf")}, "FAILOVER_SLOW"),
        ({"took_over": "postgres-1"}, "FAILOVER_SLOW"),
    ],
)
def test_takeover(change: dict[str, Any], cause: str | None) -> None:
    found = failover.slow_takeover(replace(KILLED, **change))

    assert causes(found) == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("acknowledged", "kept", "cause"),
    [
        ({1, 2}, [(1,), (2,), (3,)], None),
        ({1, 2}, [(1,)], "COMMITS_LOST"),
        (set[int](), [], "FAILOVER_SLOW"),
    ],
)
def test_commits_that_were_acknowledged(
    acknowledged: set[int], kept: list[tuple[int]], cause: str | None
) -> None:
    seen = replace(KILLED, acknowledged=frozenset(acknowledged))
    postgres = members(session=ASession(number=kept))

    found = failover.lost_commits(seen, postgres, CLIENT, "auth.t")

    assert causes(found) == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        ({}, False),
        ({"standbys": NEVER}, True),
        ({"standbys": {"postgres-1": ("catchup", "async")}}, True),
        ({"follows": {"postgres-0": False, "postgres-1": False}}, True),
    ],
)
def test_member_that_was_killed_follows_again(change: dict[str, Any], is_found: bool) -> None:
    found = failover.lasting_absence(KILLED, members(**change), HASTY)

    assert causes(found) == (["REPLICA_NOT_STREAMING"] if is_found else [])
    assert [each.subject.name for each in found] == (["postgres-1"] if is_found else [])


@pytest.mark.parametrize(
    ("kept", "is_found"), [([(1,), (2,)], False), ([(2,)], True), (MISSING, True)]
)
def test_member_that_was_killed_has_every_commit(kept: Any, is_found: bool) -> None:
    postgres = members(session=ASession(number=kept))

    found = failover.lacking_commits(KILLED, postgres, HASTY, CLIENT, "auth.t")

    assert causes(found) == (["REPLICA_LAGS"] if is_found else [])
