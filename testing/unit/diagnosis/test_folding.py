"""What only follows is under what it follows from: of claims, ordered pods, quorum, Services."""

from __future__ import annotations

import pytest

from nova_acceptance.causes import causes, following
from nova_acceptance.diagnosis import Ranked
from nova_acceptance.diagnosis.account import account
from nova_acceptance.diagnosis.folding import Folding
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from testing.unit.diagnosis import members
from testing.unit.diagnosis.elsewhere import APP, cluster, made, pod, service, stateful_set
from testing.unit.diagnosis.members import DATABASE, REDIS

APART = (
    "0/3 nodes are available: 1 node(s) didn't match pod affinity/anti-affinity rules, "
    "2 node(s) were unschedulable."
)
STOCK = Ref("StatefulSet", APP, "stock")


def finding(cause: str, kind: str, name: str, namespace: str = APP, **fields: object) -> Finding:
    subject = Ref(kind, "" if kind in ("Node", "Namespace") else namespace, name)
    return Finding(cause, subject, Phrase("so"), **fields)  # type: ignore[arg-type]


def folded(seen: Snapshot, *found: Finding) -> dict[str, list[str]]:
    """Return the causes that stand by themselves, and those under each."""
    ends = Folding(seen).folded(Ranked(each) for each in found)
    return {each.root.cause: [below.cause for below in each.symptoms] for each in ends}


def stock(*, pods: int, claims: str = "data") -> Snapshot:
    """Return an ordered StatefulSet of three, the last of whose pods so far has no node."""
    entry = {"metadata": {"name": claims}, "spec": {"storageClassName": "quick"}}
    workload = stateful_set("stock", 0, replicas=3, volumeClaimTemplates=[entry])
    made_so_far: list[Object] = []
    for number in range(pods):
        its = pod(f"stock-{number}", workload["spec"]["template"], workload)
        its["spec"]["volumes"] = [
            {"name": "it", "persistentVolumeClaim": {"claimName": f"{claims}-stock-{number}"}}
        ]
        made_so_far.append(its)
    return cluster(workload, *made_so_far)


CLAIM = finding("CLAIM_MISSING", "PersistentVolumeClaim", "data-stock-2")
NO_PLACE = Finding("ANTI_AFFINITY_UNSATISFIABLE", STOCK, Phrase("so"))


@pytest.mark.parametrize(
    "why",
    ["ANTI_AFFINITY_UNSATISFIABLE", "CRASH_LOOP", "IMAGE_PULL", "STORAGE_CLASS_MISSING"],
)
def test_claim_of_a_pod_not_made_yet_follows_from_what_keeps_those_before_it(why: str) -> None:
    known = Finding(why, STOCK, Phrase("so"))

    assert folded(stock(pods=2), CLAIM, known) == {why: ["CLAIM_MISSING"]}


def test_claim_whose_pod_is_there_was_taken_away_and_stands_by_itself() -> None:
    assert folded(stock(pods=3), CLAIM, NO_PLACE) == {
        "CLAIM_MISSING": [],
        "ANTI_AFFINITY_UNSATISFIABLE": [],
    }


@pytest.mark.parametrize("name", ["data-stock-x", "uploads", "data-other-2", "data-stock-"])
def test_claim_of_no_template_stands_by_itself(name: str) -> None:
    claim = finding("CLAIM_MISSING", "PersistentVolumeClaim", name)

    assert set(folded(stock(pods=2), claim, NO_PLACE)) == {claim.cause, NO_PLACE.cause}


def test_same_cause_elsewhere_is_no_reason() -> None:
    other = finding("ANTI_AFFINITY_UNSATISFIABLE", "StatefulSet", "stock", "elsewhere")

    assert set(folded(stock(pods=2), CLAIM, other)) == {CLAIM.cause, other.cause}


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ("VALUE_IS_PLACEHOLDER", {"VALUE_IS_PLACEHOLDER", "STALE_ENDPOINT_URL"}),
        ("VALUE_IN_QUOTES", {"VALUE_IN_QUOTES"}),
    ],
)
def test_name_that_is_stale_follows_from_what_garbles_it_alone(beside: str, told: set[str]) -> None:
    stale = finding("STALE_ENDPOINT_URL", "Secret", "settings")
    found = Folding(cluster()).folded(map(Ranked, (stale, finding(beside, "Secret", "settings"))))

    assert {each.root.cause for each in found} == told


def test_all_that_goes_with_a_namespace_is_under_it() -> None:
    going = finding("NAMESPACE_TERMINATING", "Namespace", APP)
    lost = [
        finding("WORKLOAD_MISSING", "Deployment", "web"),
        finding("SERVICE_MISSING", "Service", "web"),
        finding("SECRET_MISSING", "Secret", "web"),
        finding("CLAIM_MISSING", "PersistentVolumeClaim", "uploads"),
        finding("POD_LEFT_OVER", "Pod", "web-x"),
        finding(
            "STALE_ENDPOINT_URL",
            "Secret",
            "settings",
            "kube-system",
            concerns=(Ref("Service", APP, "web"),),
        ),
    ]

    (only,) = Folding(cluster()).folded(map(Ranked, (*lost, going)))

    assert only.root is going
    assert {each.cause for each in only.symptoms} == {each.cause for each in lost}


def test_what_is_missing_in_a_namespace_that_stays_stands_by_itself() -> None:
    going = finding("NAMESPACE_TERMINATING", "Namespace", "other")
    lost = finding("SERVICE_MISSING", "Service", "web")

    assert folded(cluster(), lost, going) == {"NAMESPACE_TERMINATING": [], "SERVICE_MISSING": []}


def waiting_for(*names: str) -> Snapshot:
    """Return a StatefulSet whose second pod would go to nodes that are cordoned."""
    workload = stateful_set("stock", 1, replicas=2)
    stuck = pod("stock-1", workload["spec"]["template"], workload)
    del stuck["spec"]["nodeName"]
    unplaced = {"type": "PodScheduled", "status": "False", "message": APART}
    stuck["status"] = {"phase": "Pending", "conditions": [unplaced]}
    closed = [
        made(
            "Node",
            name,
            {"unschedulable": True},
            {"conditions": [{"type": "Ready", "status": "True"}]},
            namespace="",
        )
        for name in names
    ]
    for each in closed:
        each["status"]["allocatable"] = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    return cluster(workload, stuck, *closed)


def test_no_place_beside_cordoned_nodes_follows_from_the_first_of_them() -> None:
    names = ("far", "near")
    cordoned = [finding("NODE_CORDONED", "Node", name) for name in names]

    first, second = Folding(waiting_for(*names)).folded(map(Ranked, (NO_PLACE, *cordoned)))

    assert [each.root.subject.name for each in (first, second)] == ["far", "near"]
    assert [each.cause for each in first.symptoms] == [NO_PLACE.cause]


def test_no_place_that_no_cordoned_node_would_give_stands_by_itself() -> None:
    seen = waiting_for("far")
    node = seen.get("Node", "", "far")
    assert node is not None
    node["spec"]["taints"] = [{"key": "kept", "value": "free", "effect": "NoSchedule"}]
    cordoned = finding("NODE_CORDONED", "Node", "far")

    assert set(folded(seen, NO_PLACE, cordoned)) == {NO_PLACE.cause, cordoned.cause}


def test_pod_that_could_not_go_to_a_cordoned_node_stands_by_itself() -> None:
    seen = waiting_for("far")
    (stuck,) = seen.of_kind("Pod", APP)
    stuck["spec"]["nodeSelector"] = {"zone": "north"}
    unmatched = finding("NODE_SELECTOR_UNMATCHED", "StatefulSet", "stock")
    cordoned = finding("NODE_CORDONED", "Node", "far")

    assert folded(seen, unmatched, cordoned) == {cordoned.cause: [], unmatched.cause: []}


def test_database_without_a_leader_is_under_what_its_quorum_is_lost_for() -> None:
    etcd = members.stateful_set("etcd", DATABASE, 3, ready=1)
    postgres = members.stateful_set("postgres", DATABASE, 3)
    seen = members.snapshot(etcd, postgres)
    found = [
        finding("NO_LEADER", "StatefulSet", "postgres", DATABASE),
        finding("ETCD_QUORUM_LOST", "StatefulSet", "etcd", DATABASE),
        finding("IMAGE_PULL", "StatefulSet", "etcd", DATABASE),
    ]

    assert folded(seen, *found) == {"IMAGE_PULL": ["ETCD_QUORUM_LOST", "NO_LEADER"]}


def test_quorum_is_not_under_what_its_loss_brings_about() -> None:
    etcd = members.stateful_set("etcd", DATABASE, 3, ready=1)
    found = [
        finding("ETCD_QUORUM_LOST", "StatefulSet", "etcd", DATABASE),
        finding("READINESS_FAILING", "StatefulSet", "etcd", DATABASE),
    ]

    assert folded(members.snapshot(etcd), *found) == {"ETCD_QUORUM_LOST": ["READINESS_FAILING"]}


@pytest.mark.parametrize("symptom", ["SELECTOR_MATCHES_NOTHING", "SERVICE_WITHOUT_ENDPOINTS"])
def test_service_of_a_workload_that_is_missing_is_under_it(symptom: str) -> None:
    lost = finding("WORKLOAD_MISSING", "StatefulSet", "redis", REDIS)
    empty = finding(symptom, "Service", "redis-service", REDIS)

    assert folded(members.snapshot(), empty, lost) == {"WORKLOAD_MISSING": [symptom]}


def test_matter_of_policy_is_nobodys_cause_and_nobodys_consequence() -> None:
    policy = Finding("RESOURCES_UNSET", STOCK, Phrase("so"))
    open_ = Finding("PORT_UNDECLARED_OPEN", STOCK, Phrase("so"))
    crash = Finding("CRASH_LOOP", STOCK, Phrase("so"))
    lost = Finding("WORKLOAD_MISSING", STOCK, Phrase("so"))

    assert folded(stock(pods=1), policy, crash) == {"CRASH_LOOP": [], "RESOURCES_UNSET": []}
    assert folded(stock(pods=1), open_, lost) == {lost.cause: [], open_.cause: []}


def test_consequences_of_what_is_folded_go_with_it() -> None:
    unready = Finding("WORKLOAD_NOT_READY", STOCK, Phrase("so"))

    (only,) = Folding(stock(pods=2)).folded([Ranked(CLAIM, (unready,)), Ranked(NO_PLACE)])

    assert only.symptoms == (CLAIM, unready)


def test_causes_that_follow_from_each_other_come_under_the_deepest() -> None:
    one, other = (
        finding("URL_TARGET_WRONG", "Secret", "web"),
        finding("URL_PORT_WRONG", "Secret", "web"),
    )
    folding = Folding(cluster())

    (only,) = folding.folded([Ranked(one), Ranked(other)])

    assert (only.root, only.symptoms) == (other, (one,))
    assert folding.end_of(other, [one, other]) is None


def test_root_that_its_rule_calls_one_is_no_consequence() -> None:
    root = Finding("CRASH_LOOP", STOCK, Phrase("so"), is_root=True)

    assert folded(stock(pods=1), root, NO_PLACE) == {NO_PLACE.cause: [], "CRASH_LOOP": []}


def test_account_tells_a_cause_of_several_objects_once_and_policy_last() -> None:
    asked = [
        finding("RESOURCES_UNSET", "Deployment", "web"),
        *(finding("PASSWORD_EXPIRED", "StatefulSet", name) for name in ("one", "other")),
    ]

    lines = list(account(cluster(*service_of_nothing()), asked).lines())

    numbered = [line for line in lines if line[:1].isdigit()]
    assert [line.partition(":")[0] for line in numbered] == [
        "1. SELECTOR_MATCHES_NOTHING",
        "2. PASSWORD_EXPIRED",
        "3. RESOURCES_UNSET",
    ]
    assert numbered[1] == (
        f"2. PASSWORD_EXPIRED: at 2 objects → {causes()['PASSWORD_EXPIRED'].cure}"
    )
    assert lines.count("   - so") == 2
    assert lines[-3] == "matters of policy, for which nothing stops working:"


def service_of_nothing() -> list[Object]:
    return [service("web", {"app": "nobody"})]


@pytest.mark.parametrize("name", [cause.id for cause in causes().values() if cause.follows])
def test_what_a_cause_follows_from_is_in_the_catalogue(name: str) -> None:
    assert following(name) - {"*"} <= causes().keys()
