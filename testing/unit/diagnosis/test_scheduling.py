"""Pods that are given no node, as the scheduler of 1.20 and those of today word it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nova_acceptance.components.kubernetes import scheduling
from nova_acceptance.components.kubernetes.placement import is_chosen, requests, untolerated
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import (
    asking,
    claim,
    deployment,
    event,
    node,
    pod,
    replica_set,
    stateful_set,
    unschedulable_pod,
    with_container,
)

PREEMPTION = " preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)


def found(*objects: Object) -> list[Finding]:
    snapshot = Snapshot.of(objects)
    rules = (*scheduling.BEFOREHAND, *scheduling.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def only(*objects: Object) -> Finding:
    (each,) = found(*objects)
    return each


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("0/3 nodes are available: 3 Insufficient cpu.", "INSUFFICIENT_RESOURCES"),
        (f"0/3 nodes are available: 3 Insufficient memory.{PREEMPTION}", "INSUFFICIENT_RESOURCES"),
        ("0/3 nodes are available: 3 Too many pods.", "INSUFFICIENT_RESOURCES"),
        (
            "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had taint {node-role.kubernetes"
            ".io/master: }, that the pod didn't tolerate, 1 node(s) didn't match pod "
            "affinity/anti-affinity, 1 node(s) didn't match pod anti-affinity rules.",
            "INSUFFICIENT_RESOURCES",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity.",
            "NODE_SELECTOR_UNMATCHED",
        ),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/"
            "control-plane: }, 2 node(s) didn't match Pod's node affinity/selector." + PREEMPTION,
            "NODE_SELECTOR_UNMATCHED",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match node selector.",
            "NODE_SELECTOR_UNMATCHED",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match pod affinity/anti-affinity, 3 node(s) "
            "didn't match pod anti-affinity rules.",
            "ANTI_AFFINITY_UNSATISFIABLE",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules." + PREEMPTION,
            "ANTI_AFFINITY_UNSATISFIABLE",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match pod affinity/anti-affinity, 3 node(s) "
            "didn't match pod affinity rules.",
            "AFFINITY_UNSATISFIABLE",
        ),
        (
            "0/1 nodes are available: 1 node(s) had taint {role: db}, that the pod didn't "
            "tolerate.",
            "TAINT_NOT_TOLERATED",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {role: db}." + PREEMPTION,
            "TAINT_NOT_TOLERATED",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
            "TAINT_NOT_TOLERATED",
        ),
        (
            "0/3 nodes are available: 3 node(s) had volume node affinity conflict.",
            "VOLUME_NODE_CONFLICT",
        ),
        (
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod "
            "ports.",
            "HOST_PORT_CONFLICT",
        ),
        (
            "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.",
            "SPREAD_UNSATISFIABLE",
        ),
        ("0/3 nodes are available: 3 node(s) were unschedulable.", "UNSCHEDULABLE"),
        ("no nodes available to schedule pods", "UNSCHEDULABLE"),
    ],
)
def test_scheduler_is_understood(message: str, cause: str) -> None:
    each = only(WORKLOAD, OWNER, unschedulable_pod(OWNER, message))

    assert (each.cause, str(each.subject)) == (cause, "Deployment nova-services/user-service")
    assert each.grace is not None
    assert each.grace > 0


@pytest.mark.parametrize(
    "message",
    [
        '0/3 nodes are available: 3 persistentvolumeclaim "data-etcd-0" not found.',
        "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.",
    ],
)
def test_pod_whose_claims_have_no_volume_is_only_a_symptom(message: str) -> None:
    each = only(WORKLOAD, OWNER, unschedulable_pod(OWNER, message))

    assert (each.cause, each.grace) == ("UNSCHEDULABLE", None)


def test_pod_that_waits_for_another_to_leave_is_no_finding() -> None:
    leaving = pod("user-service-old", None)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T14:22:00Z"
    stuck = unschedulable_pod(OWNER, "0/3 nodes are available: 3 Insufficient cpu.")

    assert found(WORKLOAD, OWNER, stuck, leaving) == []


def test_pod_for_which_a_node_is_on_its_way_is_waited_for() -> None:
    stuck = unschedulable_pod(OWNER, "0/3 nodes are available: 3 Insufficient cpu.")
    scaling = event(stuck, "TriggeredScaleUp", "pod triggered scale-up: 3->4", kind="Normal")

    assert only(WORKLOAD, OWNER, stuck, scaling).grace is None


def test_pod_that_no_scheduler_looks_at_is_found() -> None:
    stuck = unschedulable_pod(OWNER, "")
    stuck["status"] = {"phase": "Pending"}
    stuck["spec"]["schedulerName"] = "tetris"

    assert "tetris" in only(WORKLOAD, OWNER, stuck).summary


def wanting(**resources: str) -> Object:
    workload = deployment(readyReplicas=0, availableReplicas=0)
    return with_container(workload, resources={"requests": resources})


def test_requests_above_every_node_are_found_beforehand() -> None:
    each = only(wanting(cpu="64"), node(), node("b", allocatable={"cpu": "8", "memory": "1Gi"}))

    assert each.cause == "INSUFFICIENT_RESOURCES"
    assert "cpu 64" in each.summary


def test_requests_that_one_node_meets_are_no_finding() -> None:
    big = node("b", allocatable={"cpu": "96", "memory": "512Gi"})

    assert found(wanting(cpu="64", memory="100Gi"), node(), big) == []


def test_resource_that_no_node_offers_is_found() -> None:
    assert "nvidia.com/gpu 1" in only(wanting(**{"nvidia.com/gpu": "1"}), node()).summary


def test_workload_that_runs_is_not_asked_again() -> None:
    running = with_container(deployment(), resources={"requests": {"cpu": "64"}})

    assert found(running, node()) == []


def apart(
    replicas: int, *, required: bool = True, selector: dict[str, Any] | None = None
) -> Object:
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": selector or {"matchLabels": {"app": "etcd"}},
    }
    rule = (
        {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        if required
        else {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": term}
            ]
        }
    )
    workload = asking(stateful_set(readyReplicas=0), affinity={"podAntiAffinity": rule})
    workload["spec"]["replicas"] = replicas
    return workload


def test_replicas_that_must_be_apart_need_as_many_nodes() -> None:
    three = [node(name) for name in "abc"]

    assert found(apart(3), *three) == []
    assert only(apart(4), *three).cause == "ANTI_AFFINITY_UNSATISFIABLE"
    assert found(apart(4, required=False), *three) == []


def test_anti_affinity_to_others_does_not_count_replicas() -> None:
    others = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["etcd"]}]}

    assert found(apart(3, selector=others), node()) == []


def spread(**constraint: str) -> Object:
    return asking(
        deployment(readyReplicas=0),
        topologySpreadConstraints=[{"topologyKey": "zone", "maxSkew": 1, **constraint}],
    )


@pytest.mark.parametrize("constraint", [{}, {"whenUnsatisfiable": "DoNotSchedule"}])
def test_topology_that_no_node_is_part_of_is_found_beforehand(constraint: dict[str, str]) -> None:
    diagnosis = only(spread(**constraint), node("one"), node("two"))

    assert diagnosis.cause == "SPREAD_UNSATISFIABLE"
    assert "zone" in diagnosis.summary


def test_topology_that_a_node_is_part_of_is_no_finding() -> None:
    assert not found(spread(), node("one"), node("two", labels={"zone": "a"}))


def test_spread_that_is_only_wished_for_is_no_finding() -> None:
    assert not found(spread(whenUnsatisfiable="ScheduleAnyway"), node("one"))


def test_tainted_node_is_no_place_for_a_replica() -> None:
    closed = node("c", taints=("node-role.kubernetes.io/control-plane:NoSchedule",))

    assert only(apart(3), node("a"), node("b"), closed).cause == "ANTI_AFFINITY_UNSATISFIABLE"


def test_labels_that_no_node_has_are_found() -> None:
    workload = asking(deployment(readyReplicas=0), nodeSelector={"disk": "nvme"})

    assert "disk=nvme" in only(workload, node()).summary
    assert found(workload, node(labels={"disk": "nvme"})) == []


def test_taint_of_every_node_is_found() -> None:
    workload = deployment(readyReplicas=0)
    tainted = node(taints=("team=blue:NoSchedule",))
    each = only(workload, tainted)

    assert each.cause == "TAINT_NOT_TOLERATED"
    assert "team=blue:NoSchedule" in each.summary
    assert found(workload, tainted, node("b")) == []


def test_node_that_is_closed_for_now_counts_as_a_node() -> None:
    away = node(taints=("node.kubernetes.io/unreachable:NoExecute",), cordoned=True)

    assert found(deployment(readyReplicas=0), away) == []


@pytest.mark.parametrize(
    ("toleration", "is_tolerated"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"key": "team", "value": "blue", "effect": "NoSchedule"}, True),
        ({"key": "team", "value": "red"}, False),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "crew", "operator": "Exists"}, False),
    ],
)
def test_toleration_is_judged_as_the_scheduler_does(
    toleration: dict[str, str], is_tolerated: bool
) -> None:
    spec = {"spec": {"tolerations": [toleration]}}

    assert (not untolerated(spec, node(taints=("team=blue:NoSchedule",)))) is is_tolerated


@pytest.mark.parametrize(
    ("expression", "is_matched"),
    [
        ({"key": "zone", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "gpu", "operator": "DoesNotExist"}, True),
        ({"key": "gpu", "operator": "Exists"}, False),
        ({"key": "cores", "operator": "Gt", "values": ["8"]}, True),
        ({"key": "cores", "operator": "Lt", "values": ["8"]}, False),
    ],
)
def test_node_affinity_is_judged_as_the_scheduler_does(
    expression: dict[str, Any], is_matched: bool
) -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    spec = {"spec": {"affinity": {"nodeAffinity": required}}}

    assert is_chosen(spec, node(labels={"zone": "a", "cores": "16"})) is is_matched


def test_requests_add_up_and_the_greatest_of_the_first_counts() -> None:
    def container(cpu: str) -> dict[str, Any]:
        return {"name": "c", "resources": {"requests": {"cpu": cpu}}}

    spec = {
        "initContainers": [container("2")],
        "containers": [container("250m"), container("0.5")],
    }

    assert requests({"spec": spec}) == {"cpu": Decimal(2)}


CONFLICT = "0/2 nodes are available: 1 node(s) had taint {kept: }, that the pod didn't tolerate, "


def local_volume(*hosts: str) -> Object:
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": hosts}
    term = {"matchExpressions": [expression]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "pv-1", "uid": "uid-pv-1"},
        "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}},
    }


def kept_from(*homes: str) -> Finding:
    """Return why a pod with a volume on these nodes finds no place."""
    stuck = unschedulable_pod(OWNER, f"{CONFLICT}1 node(s) had volume node affinity conflict.")
    stuck["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    bound = claim("data", "Bound")
    bound["spec"]["volumeName"] = "pv-1"
    tainted = [node(name, taints=("kept=:NoSchedule",)) for name in ("tainted", "other", "third")]

    return only(WORKLOAD, OWNER, stuck, bound, local_volume(*homes), *tainted, node("open"))


@pytest.mark.parametrize(
    ("home", "cause"), [("tainted", "TAINT_NOT_TOLERATED"), ("gone", "VOLUME_NODE_CONFLICT")]
)
def test_pod_is_kept_from_its_volume_by_a_taint_or_by_the_lack_of_the_node(
    home: str, cause: str
) -> None:
    each = kept_from(home)

    assert each.cause == cause
    assert ("tainted, which has the taint kept" in each.summary) == (home == "tainted")


def test_every_node_that_has_the_volume_is_told() -> None:
    assert kept_from("tainted", "other", "third").summary.endswith(
        "its volume is on tainted, which has the taint kept:NoSchedule; other, which has the taint "
        "kept:NoSchedule; third, which has the taint kept:NoSchedule"
    )
