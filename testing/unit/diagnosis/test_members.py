"""etcd, PostgreSQL and Redis: what their pods and their logs show."""

from __future__ import annotations

import pytest

from nova_acceptance.components.etcd import rules as etcd
from nova_acceptance.components.postgres import rules as postgres
from nova_acceptance.components.redis import rules as redis
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log, Snapshot
from testing.unit.diagnosis import recorded
from testing.unit.diagnosis.members import DATABASE, REDIS, member, snapshot, stateful_set

LABEL = "nova/role"


def found(family: object, seen: Snapshot) -> list[str]:
    return [each.cause for rule in family.LIVE for each in rule(seen)]  # type: ignore[attr-defined]


def members(name: str, *ready: bool) -> tuple[Object, list[Object]]:
    owner = stateful_set(name, DATABASE, 3, ready=sum(ready))
    return owner, [member(owner, number, ready=each) for number, each in enumerate(ready)]


@pytest.mark.parametrize(
    ("ready", "causes"),
    [
        ((True, True, True), []),
        ((True, True, False), ["ETCD_MEMBER_LOST"]),
        ((True, False, False), ["ETCD_QUORUM_LOST"]),
        ((False, False, False), ["ETCD_QUORUM_LOST"]),
        ((True,), ["ETCD_QUORUM_LOST"]),
    ],
)
def test_etcd_is_judged_by_its_majority(ready: tuple[bool, ...], causes: list[str]) -> None:
    owner, pods = members("etcd", *ready)

    assert found(etcd, snapshot(owner, *pods)) == causes


def test_etcd_members_that_cannot_run_are_not_its_own_cause() -> None:
    owner, pods = members("etcd", True, False, False)
    for pod in pods[1:]:
        pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}

    assert found(etcd, snapshot(owner, *pods)) == []


@pytest.mark.parametrize(("hindered", "causes"), [(2, []), (1, ["ETCD_QUORUM_LOST"])])
def test_etcd_member_that_only_waits_for_a_quorum_is_no_cause(
    hindered: int, causes: list[str]
) -> None:
    owner, pods = members("etcd", False, False, False)
    for pod in pods[3 - hindered :]:
        pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}

    assert found(etcd, snapshot(owner, *pods)) == causes


def test_etcd_members_on_a_lost_node_are_not_its_own_cause() -> None:
    owner, pods = members("etcd", True, True, False)
    seen = snapshot(owner, *pods)
    seen.update("MODIFIED", recorded.node(ready="Unknown"))

    assert found(etcd, seen) == []


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("request cluster ID mismatch (got 1 want 2)", "ETCD_STRANGER"),
        (
            '{"msg":"request sent was ignored by remote peer due to cluster ID mismatch"}',
            "ETCD_STRANGER",
        ),
        ("etcdmain: member etcd-1 has already been bootstrapped", "ETCD_DATA_LOST"),
        ("the member has been permanently removed from the cluster", "ETCD_STRANGER"),
        ("etcdserver: mvcc: database space exceeded", "ETCD_NO_SPACE"),
    ],
)
def test_etcd_member_that_says_why(line: str, cause: str) -> None:
    owner, pods = members("etcd", True, True, False)
    seen = snapshot(owner, *pods, logs={(DATABASE, "etcd-2", "etcd"): [Log(f"start\n{line}")]})

    assert cause in found(etcd, seen)


@pytest.mark.parametrize(
    ("lines", "causes"),
    [
        (["alarm raised NOSPACE"], ["ETCD_NO_SPACE"]),
        (["alarm raised NOSPACE", '"msg":"alarm disarmed","alarm":"NOSPACE"'], []),
        (['"msg":"alarm disarmed","alarm":"NOSPACE"', "alarm raised NOSPACE"], ["ETCD_NO_SPACE"]),
    ],
)
def test_alarm_that_was_disarmed_is_over(lines: list[str], causes: list[str]) -> None:
    owner, pods = members("etcd", True, True, False)
    seen = snapshot(owner, *pods, logs={(DATABASE, "etcd-2", "etcd"): [Log("\n".join(lines))]})

    assert [cause for cause in found(etcd, seen) if cause != "ETCD_MEMBER_LOST"] == causes


def test_log_of_a_member_that_is_ready_is_over() -> None:
    owner, pods = members("etcd", True, True, True)
    logs = {(DATABASE, "etcd-2", "etcd"): [Log("cluster ID mismatch")]}

    assert found(etcd, snapshot(owner, *pods, logs=logs)) == []


def labelled(*roles: str) -> Snapshot:
    owner, pods = members("postgres", *(True for _ in roles))
    for pod, role in zip(pods, roles, strict=True):
        pod["metadata"]["labels"] = {LABEL: role}
    return snapshot(owner, *pods)


@pytest.mark.parametrize(
    ("roles", "causes"),
    [
        (("primary", "replica", "replica"), []),
        (("replica", "master", "replica"), []),
        (("primary", "primary", "replica"), ["TWO_LEADERS"]),
        (("replica", "replica", "replica"), ["NO_LEADER"]),
        (("", "replica", "replica"), ["NO_LEADER"]),
    ],
)
def test_leaders_are_counted_by_their_label(roles: tuple[str, ...], causes: list[str]) -> None:
    assert found(postgres, labelled(*roles)) == causes


def test_leader_that_is_not_ready_does_not_count() -> None:
    owner, pods = members("postgres", False, True, True)
    for pod, role in zip(pods, ("primary", "primary", "replica"), strict=True):
        pod["metadata"]["labels"] = {LABEL: role}

    assert found(postgres, snapshot(owner, *pods)) == []


def test_nothing_is_said_of_a_system_without_postgres() -> None:
    assert found(postgres, snapshot()) == []


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('FATAL:  could not write to file "pg_wal/x": No space left on device', "DISK_FULL"),
        (
            "CRITICAL: system ID mismatch, node postgres-1 belongs to a different cluster",
            "POSTGRES_STRANGER",
        ),
        (
            "FATAL:  requested timeline 3 is not a child of this server's history",
            "TIMELINE_DIVERGED",
        ),
        (
            'FATAL:  could not connect to the primary server: connection to server at "10.0.0.1" '
            'failed: FATAL:  password authentication failed for user "replication_user"',
            "PASSWORD_REFUSED",
        ),
        ("FATAL:  sorry, too many clients already", "CONNECTIONS_EXHAUSTED"),
    ],
)
def test_postgres_member_that_says_why(line: str, cause: str) -> None:
    owner, pods = members("postgres", True, True, False)
    pods[0]["metadata"]["labels"] = {LABEL: "primary"}
    logs = {(DATABASE, "postgres-2", "postgres"): [Log(line)]}

    assert found(postgres, snapshot(owner, *pods, logs=logs)) == [cause]


@pytest.mark.parametrize("prefix", ["", "app_user@nova_messaging "])
def test_client_that_postgres_turned_away_says_nothing_of_the_member(prefix: str) -> None:
    owner, pods = members("postgres", True, True, False)
    pods[0]["metadata"]["labels"] = {LABEL: "primary"}
    line = f'2030-01-01 [6] {prefix}FATAL:  password authentication failed for user "app_user"'
    logs = {(DATABASE, "postgres-2", "postgres"): [Log(line)]}

    assert found(postgres, snapshot(owner, *pods, logs=logs)) == []


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Readiness probe failed: MISCONF Errors writing to the AOF file", "REDIS_WRITE_FAILS"),
        (
            "Readiness probe failed: AUTH failed: WRONGPASS invalid username-password pair",
            "REDIS_WRONG_PASSWORD",
        ),
        (
            "Bad file format reading the append only file: make a backup",
            "REDIS_APPEND_FILE_DAMAGED",
        ),
    ],
)
def test_redis_says_why_by_its_probe(message: str, cause: str) -> None:
    owner = stateful_set("redis", REDIS, 1, ready=0)
    pod = member(owner, 0, ready=False)
    event = recorded.event(pod, "Unhealthy", message)

    assert found(redis, snapshot(owner, pod, event)) == [cause]
