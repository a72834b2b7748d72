"""Whether the loss of a pod is borne, by the word of Redis, PostgreSQL, Patroni and etcd."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from nova_acceptance.components.etcd import survival as of_etcd
from nova_acceptance.components.etcd.client import Status
from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.kind import Kind
from nova_acceptance.components.patroni import survival as of_patroni
from nova_acceptance.components.peril import Holding, Peril
from nova_acceptance.components.postgres import survival as of_postgres
from nova_acceptance.components.redis import survival as of_redis
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.findings import Ref
from nova_acceptance.kube import ApiError, Object, PodRef
from nova_acceptance.kube.objects import Object as AnObject
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import KubeService, System
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification import survival
from nova_acceptance.verification.survival import Survival, require_permission
from testing.unit.kubernetes.test_survival import Objects, at, whole
from testing.unit.kubernetes.there import SHOP, STORE

WHERE = Ref("Pod", "data", "db-0")
OK = {"loading": 0, "rdb_changes_since_last_save": 0, "rdb_last_bgsave_status": "ok"}
KEEPS = {"appendonly": "yes", "save": ""}
SAVES = {"appendonly": "no", "save": "900 1"}


def said(perils: Iterable[Peril]) -> str:
    return "; ".join(str(each.said) for each in perils)


@pytest.mark.parametrize(
    ("configured", "persistence", "words"),
    [
        (KEEPS, {}, ""),
        (KEEPS, {"rdb_changes_since_last_save": 7}, ""),
        (SAVES, {}, ""),
        (SAVES, {"rdb_changes_since_last_save": 7}, "7 changes are not saved yet"),
        ({"appendonly": "no", "save": ""}, {}, "neither appends its writes nor saves"),
        (KEEPS, {"rdb_last_bgsave_status": "err"}, "rdb_last_bgsave_status err"),
        (KEEPS, {"aof_last_write_status": "err"}, "aof_last_write_status err"),
        (KEEPS, {"loading": 1}, "still reading its data"),
    ],
)
def test_redis_says_what_it_would_lose(
    configured: dict[str, str], persistence: dict[str, Any], words: str
) -> None:
    found = said(of_redis.perils(WHERE, configured, {**OK, **persistence}))

    assert words in found
    assert bool(found) is bool(words)


STREAMS = ("db-1", "streaming", "sync", 0)


@pytest.mark.parametrize(
    ("rows", "is_synchronous", "words"),
    [
        ([STREAMS], True, ""),
        ([("db-1", "streaming", "async", 4096)], False, ""),
        ([("db-1", "streaming", "quorum", 0)], True, ""),
        ([], False, "no replica streams closely enough"),
        ([("db-1", "catchup", "async", 0)], False, "no replica streams closely enough"),
        ([("db-1", "streaming", "async", 16 * 1024 * 1024)], False, "no replica streams"),
        ([("db-1", "streaming", "async", float("inf"))], False, "no replica streams"),
        ([("db-1", "streaming", "async", 0)], True, "wait for nobody"),
    ],
)
def test_postgres_says_whether_somebody_follows(
    rows: Sequence[tuple[Any, ...]], *, is_synchronous: bool, words: str
) -> None:
    found = said(of_postgres.perils(WHERE, rows, is_synchronous=is_synchronous))

    assert words in found
    assert bool(found) is bool(words)


CLUSTER: dict[str, Any] = {
    "members": [
        {"name": "db-0", "role": "leader", "state": "running", "timeline": 1},
        {"name": "db-1", "role": "sync_standby", "state": "streaming", "lag": 0},
        {"name": "db-2", "role": "replica", "state": "streaming", "lag": 0},
    ]
}
CONFIG: dict[str, Any] = {"synchronous_mode": True, "maximum_lag_on_failover": 1048576}


def members(**more: Any) -> dict[str, Any]:
    """Return what `/cluster` says where the same is true of every follower."""
    changed = copy.deepcopy(CLUSTER)
    changed["members"][1:] = [{**each, **more} for each in changed["members"][1:]]
    return changed


@pytest.mark.parametrize(
    ("cluster", "config", "words"),
    [
        (CLUSTER, CONFIG, ""),
        (CLUSTER, {}, ""),
        (members(role="replica"), {}, ""),
        (members(state="running"), CONFIG, ""),  # before 3.0.4
        ({**CLUSTER, "pause": True}, CONFIG, "Patroni is paused"),
        (CLUSTER, {**CONFIG, "pause": True}, "Patroni is paused"),
        (members(tags={"nofailover": True}), CONFIG, "no member may take over"),
        (members(tags={"failover_priority": 0}), CONFIG, "no member may take over"),
        (members(state="stopped"), CONFIG, "no member may take over"),
        (members(lag=1048577), CONFIG, "no member may take over"),
        (members(lag="unknown"), CONFIG, "no member may take over"),
        ({"members": CLUSTER["members"][:1]}, CONFIG, "no member may take over"),
        (members(role="replica"), CONFIG, "no synchronous standby"),
    ],
)
def test_patroni_says_whether_somebody_takes_over(
    cluster: dict[str, Any], config: dict[str, Any], words: str
) -> None:
    found = said(of_patroni.perils(WHERE, cluster, config))

    assert words in found
    assert bool(found) is bool(words)


@pytest.mark.parametrize(
    ("wanted", "there", "away", "is_borne"),
    [(3, 3, 0, True), (3, 2, 1, False), (5, 4, 1, True), (5, 3, 2, False), (1, 1, 0, True)],
)
def test_etcd_has_to_keep_its_quorum_after_a_loss(
    wanted: int, there: int, away: int, *, is_borne: bool
) -> None:
    spec = Etcd.model_validate(
        {"name": "etcd", "namespace": "data", "workload": {"replicas": wanted}}
    )
    answers: dict[str, Status | ProbeError] = {
        **{f"etcd-{number}": Status(str(number), "1") for number in range(there)},
        **{f"gone-{number}": ProbeError("away") for number in range(away)},
    }

    assert (of_etcd.perils(spec, answers) == []) is is_borne


def test_member_with_an_alarm_does_not_count() -> None:
    spec = Etcd.model_validate({"name": "etcd", "namespace": "data", "workload": {"replicas": 3}})
    answers = {
        "etcd-0": Status("0", "1", errors=("NOSPACE",)),
        **{f"etcd-{number}": Status(str(number), "1") for number in (1, 2)},
    }

    assert len(of_etcd.perils(spec, answers)) == 1


class Api:
    """A stand-in for the API that holds these objects, and notes what it is asked to change."""

    is_local = False

    def __init__(self, objects: Objects) -> None:
        self.objects = list(objects.values())
        self.forbidden: set[str] = set()
        self.lacking: set[tuple[str, str]] = set()
        self.refusal = ""
        self.asked_to_evict: list[tuple[PodRef, str]] = []

    def serves(self, *_: str) -> bool:
        return True

    def plural(self, _version: str, kind: str) -> str:
        return f"{kind.lower()}s"

    def can_i(self, verb: str, _group: str, resource: str, _namespace: str) -> bool:
        return (verb, resource) not in self.lacking

    def list(self, version: str, kind: str, **_: Any) -> list[Object]:
        if kind in self.forbidden:
            raise ApiError(f"GET /api/v1/{kind}", 403, b"")
        found = [each for each in self.objects if each["kind"] == kind]
        return [{"apiVersion": version, **each} for each in found]

    def get(self, _version: str, kind: str, name: str) -> AnObject | None:
        is_it = (kind, name)
        named = ((each["kind"], each["metadata"]["name"]) for each in self.objects)
        return dict(zip(named, self.objects, strict=True)).get(is_it)

    def refuses_eviction(self, pod: PodRef, uid: str) -> str:
        self.asked_to_evict.append((pod, uid))
        return self.refusal


class TheAccess:
    """A stand-in for the way to components."""

    def __init__(self, api: Api) -> None:
        self.kube = api
        self.transcript = Transcript()


COMPONENT: Any = Etcd(
    name="store", namespace=SHOP, services=(KubeService(name="store", ports={"http": 8080}),)
)
POD = PodRef(SHOP, "store-0")


class Judging:
    """A survival over a stand-in for the API, and what the component says for itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.objects = whole()
        self.held = Holding("/data")
        self.asked = 0
        kind = Kind("store", Etcd, holding=self.holding)
        monkeypatch.setattr(survival, "kind_of", lambda _component: kind)

    def holding(self, *_: Any) -> Holding:
        self.asked += 1
        return self.held

    def judge(self, **api: Any) -> str:
        self.api: Any = Api(self.objects)
        for name, value in api.items():
            setattr(self.api, name, value)
        access: Any = TheAccess(self.api)
        clients: Any = type("Clients", (), {"of": lambda _self, component: component})()
        return Survival(access, clients, System(components=())).require(COMPONENT, POD)


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> Judging:
    return Judging(monkeypatch)


def test_pod_that_may_go_is_told_by_its_uid(judging: Judging) -> None:
    assert STORE.name == COMPONENT.workload.name
    assert judging.judge() == "uid-store-0"
    assert judging.api.asked_to_evict == [(POD, "uid-store-0")]


def test_reason_says_object_and_cure_and_asks_nobody_else(judging: Judging) -> None:
    at("claim.metadata.deletionTimestamp", "2026-01-01T00:00:00Z")(judging.objects)

    with pytest.raises(UnaskedError) as caught:
        judging.judge()

    assert "PersistentVolumeClaim shop/data-store-0 is being deleted" in caught.value.message
    assert "save its data" in caught.value.hint
    assert len(caught.value.evidence) == 1
    assert judging.asked == 0
    assert judging.api.asked_to_evict == []


def test_every_reason_is_evidence(judging: Judging) -> None:
    at("claim.status.phase", "Lost")(judging.objects)
    at("node.spec.unschedulable", True)(judging.objects)

    with pytest.raises(UnaskedError) as caught:
        judging.judge()

    assert len(caught.value.evidence) == 2


def test_component_has_its_own_word(judging: Judging) -> None:
    said = Phrase("it is paused")
    judging.held = Holding(perils=(Peril(WHERE, said, Phrase("resume it")),))

    with pytest.raises(UnaskedError, match="it is paused"):
        judging.judge()
    assert judging.api.asked_to_evict == []


def test_directory_of_data_is_looked_up_where_the_component_says_it_is(judging: Judging) -> None:
    judging.held = Holding("/elsewhere")

    with pytest.raises(UnaskedError, match="own file system"):
        judging.judge()


def test_eviction_that_the_api_refuses_is_a_reason(judging: Judging) -> None:
    with pytest.raises(UnaskedError, match=r"would not evict .*: Cannot evict pod"):
        judging.judge(refusal="Cannot evict pod")


def test_eviction_is_not_tried_where_that_may_not_be_asked(judging: Judging) -> None:
    assert judging.judge(lacking={("create", "pods/eviction")}, refusal="no") == "uid-store-0"
    assert judging.api.asked_to_evict == []


@pytest.mark.parametrize("verb", ["delete", "watch"])
def test_pod_that_may_not_be_deleted_or_followed_is_not_judged(judging: Judging, verb: str) -> None:
    with pytest.raises(UnaskedError, match=f"may not {verb} pods"):
        judging.judge(lacking={(verb, "pods")})
    assert judging.asked == 0


def test_what_may_not_be_read_is_no_guess_and_said_once(judging: Judging) -> None:
    with pytest.raises(UnaskedError, match="may not list nodes, persistentvolumes"):
        judging.judge(forbidden={"Node", "PersistentVolume"})
    assert judging.asked == 0


@pytest.mark.parametrize(
    ("local", "allowed", "runs"),
    [(True, False, True), (False, True, True), (True, True, True), (False, False, False)],
)
def test_disruption_needs_a_local_cluster_or_permission(
    *, local: bool, allowed: bool, runs: bool
) -> None:
    if runs:
        require_permission(is_local=local, is_allowed=allowed, context="staging")
        return
    with pytest.raises(UnaskedError, match="staging is no local cluster") as caught:
        require_permission(is_local=local, is_allowed=allowed, context="staging")
    assert "--allow-disruptive" in caught.value.hint
