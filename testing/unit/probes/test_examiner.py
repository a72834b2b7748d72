"""From a failure to the deepest cause, by few looks."""

from __future__ import annotations

import pytest

from nova_acceptance import timeouts
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.kube import ApiUnreachableError, Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system.parts import passages, urls
from nova_acceptance.verification.examiner import MOST_LOOKS, Examiner
from nova_acceptance.verification.scope import Scope, home_of, scope_of
from testing.unit.diagnosis.members import DATABASE, REDIS, member, snapshot, stateful_set, system

ETCD = Ref("StatefulSet", DATABASE, "etcd")
REDIS_SET = Ref("StatefulSet", REDIS, "redis")


class Looks:
    """Snapshots in their order, the last one again and again; an error is raised."""

    def __init__(self, *snapshots: Snapshot | NovaError) -> None:
        self.snapshots = list(snapshots)
        self.count = 0
        self.now = 0.0

    def __call__(self) -> Snapshot:
        self.count += 1
        found = self.snapshots.pop(0) if len(self.snapshots) > 1 else self.snapshots[0]
        if isinstance(found, NovaError):
            raise found
        return found

    def clock(self) -> float:
        return self.now

    def examiner(self) -> Examiner:
        return Examiner(self, system(), self.clock, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def lost_quorum() -> Snapshot:
    etcd = stateful_set("etcd", DATABASE, 3, ready=1)
    postgres = stateful_set("postgres", DATABASE, 3)
    pods = [member(etcd, number, ready=not number) for number in range(3)]
    followers = [member(postgres, number) for number in range(3)]
    return snapshot(etcd, postgres, *pods, *followers)


def pulling() -> Snapshot:
    redis = stateful_set("redis", REDIS, 1, ready=0)
    pod = member(redis, 0, ready=False, phase="Pending")
    message = 'rpc error: code = NotFound desc = manifest for "redis:nope" not found'
    pod["status"]["containerStatuses"][0]["state"] = {
        "waiting": {"reason": "ImagePullBackOff", "message": message}
    }
    return snapshot(redis, pod)


def member_of(name: str) -> Object:
    return member(stateful_set(name, REDIS, 1), 0)


def test_answer_that_is_plain_explains_itself() -> None:
    shown = Finding("REDIS_PERSISTENCE_OFF", NOWHERE, Phrase("appendonly is no"))

    found = Looks(snapshot()).examiner().explain(Scope((REDIS_SET,)), shown, "…")

    assert found.headline.startswith("REDIS_PERSISTENCE_OFF: appendonly is no → ")
    assert found.as_dict()["subject"] == str(REDIS_SET)


def test_what_a_pod_shows_is_told_at_its_workload_where_objects_show_the_same() -> None:
    redis = stateful_set("redis", REDIS, 1)
    redis["spec"]["template"]["spec"]["dnsPolicy"] = "Default"
    there = snapshot(redis, member(redis, 0))
    pod = Ref("Pod", REDIS, "redis-0")
    shown = Finding("SEARCH_PATH_LOST", pod, Phrase("redis-0 asks another server"))
    service = Ref("Service", DATABASE, "postgres-primary")

    found = Looks(there).examiner().explain(Scope((service,)), shown, "…")
    alone = Looks(snapshot()).examiner().explain(Scope((service,)), shown, "…")

    assert found.root is not None
    assert (found.root.cause, found.root.subject) == ("SEARCH_PATH_LOST", REDIS_SET)
    assert alone.root is not None
    assert alone.root.subject == pod


@pytest.mark.parametrize("is_missing", [True, False])
def test_plain_answer_that_only_follows_is_under_its_cause(*, is_missing: bool) -> None:
    there = [] if is_missing else [stateful_set("redis", REDIS, 1), member_of("redis")]
    service = Ref("Service", REDIS, "redis-service")
    shown = Finding("SELECTOR_MATCHES_NOTHING", service, Phrase("it selects nothing"))

    found = Looks(snapshot(*there)).examiner().explain(Scope((service,)), shown, "…")

    assert found.root is not None
    wanted = "WORKLOAD_MISSING" if is_missing else "SELECTOR_MATCHES_NOTHING"
    assert found.root.cause == wanted
    assert [each.cause for each in found.causes[0].symptoms] == [shown.cause] * is_missing


def test_silence_is_explained_by_what_is_behind_it() -> None:
    service = Ref("Service", REDIS, "redis-service")
    shown = Finding("PORT_CLOSED", service, Phrase("redis-service refuses"))

    found = Looks(pulling()).examiner().explain(Scope((service, REDIS_SET)), shown, "…")

    assert found.root is not None
    assert found.root.cause == "IMAGE_PULL"


def test_quorum_that_is_lost_explains_a_database_without_a_leader() -> None:
    postgres = Ref("StatefulSet", DATABASE, "postgres")
    shown = Finding("NO_LEADER", NOWHERE, Phrase("no member leads"))

    found = Looks(lost_quorum()).examiner().explain(Scope((postgres,)), shown, "…")

    assert found.root is not None
    assert (found.root.cause, found.root.subject) == ("ETCD_QUORUM_LOST", ETCD)


def test_silence_of_a_database_that_runs_is_explained_by_what_it_stands_on() -> None:
    postgres = Ref("StatefulSet", DATABASE, "postgres")
    looks = Looks(lost_quorum())
    for pod in looks.snapshots[0].of_kind("Pod", DATABASE):  # type: ignore[union-attr]
        if pod["metadata"]["name"] == "postgres-0":
            pod["metadata"]["labels"] = {"nova/role": "primary"}

    found = looks.examiner().explain(Scope((postgres,)), None, "Patroni gave no list")

    assert found.root is not None
    assert found.root.cause == "ETCD_QUORUM_LOST"


def test_asker_is_looked_at_only_where_the_target_is_well() -> None:
    target = Ref("StatefulSet", DATABASE, "postgres")
    shown = Finding("PORT_SILENT", target, Phrase("silent"))
    seen = pulling()
    seen.update("ADDED", stateful_set("postgres", DATABASE, 3))

    found = Looks(seen).examiner().explain(Scope((target,), (REDIS_SET,)), shown, "…")

    assert found.root is not None
    assert found.root.cause == "IMAGE_PULL"


def test_nothing_known_says_so_and_shows_what_was_seen() -> None:
    redis = stateful_set("redis", REDIS, 1)

    found = Looks(snapshot(redis)).examiner().explain(Scope((REDIS_SET,)), None, "ValueError: odd")

    assert found.root is None
    assert found.headline.startswith("UNKNOWN: ValueError: odd → ")
    assert found.as_dict()["evidence"] == [f"{REDIS_SET}: current"]


def test_api_that_is_away_is_the_cause() -> None:
    looks = Looks(ApiUnreachableError("GET", "https://api", OSError("refused")))

    found = looks.examiner().explain(Scope((REDIS_SET,)), None, "…")

    assert found.root is not None
    assert found.root.cause == "API_UNREACHABLE"


def test_look_serves_a_while_and_looks_are_few() -> None:
    looks = Looks(snapshot())
    examiner = looks.examiner()
    for _ in range(3):
        examiner.explain(Scope((REDIS_SET,)), None, "…")
    assert looks.count == 1

    for _ in range(2 * MOST_LOOKS):
        looks.now += 60
        examiner.explain(Scope((REDIS_SET,)), None, "…")
    assert looks.count == MOST_LOOKS


def making(**state: object) -> Snapshot:
    redis = stateful_set("redis", REDIS, 1, ready=0)
    pod = member(redis, 0, ready=False, phase="Pending")
    pod["status"]["containerStatuses"][0]["state"] = state or {
        "waiting": {"reason": "ContainerCreating"}
    }
    return snapshot(redis, pod)


def test_pod_that_is_just_made_is_given_time_to_show_what_hinders_it() -> None:
    looks = Looks(making(), making(), pulling())

    found = looks.examiner().explain(Scope((REDIS_SET,)), None, "…")

    assert found.headline.startswith("IMAGE_PULL: ")
    assert looks.count == 3


def test_pod_that_never_shows_more_is_waited_for_once_in_a_run() -> None:
    looks = Looks(making())
    examiner = looks.examiner()

    found = examiner.explain(Scope((REDIS_SET,)), None, "…")

    assert found.headline.startswith("WORKLOAD_NOT_READY: ")
    assert looks.now == pytest.approx(timeouts.STARTS_SHOW)
    examiner.explain(Scope((REDIS_SET,)), None, "…")
    assert looks.now == pytest.approx(timeouts.STARTS_SHOW)


def test_pod_that_is_ready_after_all_leaves_what_was_seen() -> None:
    redis = stateful_set("redis", REDIS, 1)
    looks = Looks(making(), snapshot(redis, member(redis, 0)))

    found = looks.examiner().explain(Scope((REDIS_SET,)), None, "…")

    assert found.headline.startswith("WORKLOAD_NOT_READY: ")
    assert looks.count == 2


def test_program_that_has_ended_is_not_waited_for() -> None:
    looks = Looks(making(terminated={"exitCode": 1}))

    looks.examiner().explain(Scope((REDIS_SET,)), None, "…")

    assert looks.count == 1


def test_passage_asks_its_door_before_its_source() -> None:
    passage = next(each for each in passages(system()) if each.door.name == "redis-service:6379")

    found = scope_of(system(), [passage])

    assert found.targets == (Ref("Service", REDIS, "redis-service"), REDIS_SET)
    assert found.sources[0] == Ref("Deployment", "nova-services", passage.source.name)


def test_use_is_about_the_secret_and_what_it_should_lead_to() -> None:
    use = next(each for each in urls(system(), inside=True) if each.target == "redis")

    found = scope_of(system(), [use])

    secret, service, *_ = found.targets
    assert secret == Ref("Secret", "nova-services", use.holder[2])
    assert service == Ref("Service", REDIS, "redis-service")


def test_test_of_names_is_about_the_dns_and_asked_from_everywhere() -> None:
    found = scope_of(system(), [], fixtures=[object.__new__(Lookups), "odd"])

    assert found.targets == (DNS,)
    assert {REDIS_SET, ETCD} <= set(found.sources)


def test_test_of_connections_is_asked_from_those_that_use_something() -> None:
    found = scope_of(system(), [], fixtures=[object.__new__(Connections)])

    assert found.targets == ()
    assert Ref("Deployment", "nova-services", "auth-service") in found.sources
    assert REDIS_SET not in found.sources


def test_cause_of_the_data_layer_is_at_its_workload() -> None:
    assert home_of("ETCD_NO_SPACE", system()) == ETCD
    assert home_of("REDIS_DATA_LOST", system()) == REDIS_SET
    assert home_of("DNS_DOWN", system()) == Ref("Service", "kube-system", "kube-dns")
    assert home_of("IMAGE_PULL", system()) is None
