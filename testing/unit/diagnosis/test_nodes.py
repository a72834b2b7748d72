"""Nodes that cannot run pods, and when that matters."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import nodes
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import (
    claim,
    deployment,
    node,
    pod,
    replica_set,
    stuck_pod,
    unschedulable_pod,
)

WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)


def found(*objects: Object) -> list[Finding]:
    snapshot = Snapshot.of([WORKLOAD, OWNER, *objects])
    rules = (*nodes.BEFOREHAND, *nodes.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def names(*objects: Object) -> set[tuple[str, str]]:
    return {(each.cause, each.subject.name) for each in found(*objects)}


def test_node_at_ease_is_no_finding() -> None:
    assert found(node(), pod("user-service-x", OWNER)) == []


@pytest.mark.parametrize("word", ["False", "Unknown"])
def test_node_that_is_not_ready_is_found(word: str) -> None:
    assert names(node(), node("nova-worker2", ready=word)) == {("NODE_NOT_READY", "nova-worker2")}


def test_lost_node_says_nothing_about_pods_elsewhere() -> None:
    ill = stuck_pod(OWNER, "CrashLoopBackOff")

    assert {each.grace for each in found(node(), node("nova-worker2", ready="Unknown"), ill)} == {
        None
    }


def test_lost_node_keeps_its_pods_from_being_ready() -> None:
    ill = stuck_pod(OWNER, "ContainerCreating")

    assert [each.grace for each in found(node(ready="Unknown"), node("b"), ill)] == [None, 30]


def test_without_any_node_that_is_ready_nothing_becomes_ready() -> None:
    (only,) = found(node(ready="Unknown"))

    assert only.grace == 30


@pytest.mark.parametrize("name", ["DiskPressure", "MemoryPressure", "PIDPressure"])
def test_pressure_is_found_by_condition(name: str) -> None:
    pressed = node(conditions=({"type": name, "status": "True", "reason": "KubeletHas…"},))
    (only,) = found(pressed)

    assert only.cause == "NODE_PRESSURE"
    assert name in only.summary


def test_pressure_is_found_by_taint() -> None:
    assert names(node(taints=("node.kubernetes.io/disk-pressure:NoSchedule",))) == {
        ("NODE_PRESSURE", "nova-worker")
    }


def test_node_without_network_is_found() -> None:
    cut = {"type": "NetworkUnavailable", "status": "True", "reason": "NoRouteCreated"}

    assert names(node(conditions=(cut,))) == {("NODE_NETWORK_UNAVAILABLE", "nova-worker")}


def test_cordoned_node_is_found_and_harms_nobody() -> None:
    (only,) = found(node(cordoned=True), node("b"))

    assert (only.cause, only.grace) == ("NODE_CORDONED", None)
    assert "kubectl uncordon nova-worker" in only.headline


def test_cordoned_node_is_no_cause_of_a_crash_on_it() -> None:
    assert found(node(cordoned=True), node("b"), stuck_pod(OWNER, "CrashLoopBackOff")) == []


@pytest.mark.parametrize(
    "message",
    [
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.",
        "0/2 nodes are available: 1 node(s) had untolerated taint "
        "{node.kubernetes.io/unschedulable: }, 1 node(s) didn't match pod anti-affinity rules. "
        "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
    ],
)
def test_cordoned_node_that_a_pod_waits_for_counts(message: str) -> None:
    (only,) = found(node(cordoned=True), node("b"), unschedulable_pod(OWNER, message))

    assert (only.cause, only.grace) == ("NODE_CORDONED", 30)


CLOSED = "0/2 nodes are available: 1 node(s) were unschedulable, 1 {other}."
ON_NODES = {"kind": "PersistentVolume", "metadata": {"name": "pv-1", "uid": "uid-pv-1"}}


def waiting(message: str, **spec: Any) -> Object:
    stuck = unschedulable_pod(OWNER, message)
    stuck["spec"] |= spec
    return stuck


def graces(*objects: Object) -> dict[tuple[str, str], float | None]:
    return {(each.cause, each.subject.name): each.grace for each in found(*objects)}


CORDONED = ("NODE_CORDONED", "nova-worker")


@pytest.mark.parametrize(
    "spec",
    [
        {"nodeSelector": {"zone": "north"}},
        {"nodeSelector": {"kubernetes.io/hostname": "b"}},
        {"containers": [{"name": "main", "resources": {"requests": {"cpu": "64"}}}]},
    ],
    ids=["a label that no node has", "another node", "more than it has"],
)
def test_cordoned_node_is_no_cause_of_a_pod_that_could_not_go_there(spec: dict[str, Any]) -> None:
    stuck = waiting(CLOSED.format(other="node(s) didn't match Pod's node affinity"), **spec)

    assert graces(node(cordoned=True), node("b"), stuck) == {CORDONED: None}


def test_cordoned_node_is_no_cause_of_a_pod_that_another_node_is_open_to() -> None:
    stuck = waiting("0/2 nodes are available: 2 node(s) did not have free ports.")

    assert graces(node(cordoned=True), node("b"), stuck) == {CORDONED: None}


@pytest.mark.parametrize(
    "spec",
    [
        {"nodeSelector": {"kubernetes.io/hostname": "nova-worker"}},
        {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
    ],
    ids=["a selector", "a claim"],
)
@pytest.mark.parametrize("message", ["", "no node"])
def test_cordoned_node_is_waited_for_by_a_pod_that_can_go_nowhere_else(
    spec: dict[str, Any], message: str
) -> None:
    bound = claim("data", "Bound")
    bound["spec"]["volumeName"] = "pv-1"
    of_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["nova-worker"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [of_node]}]}
    volume = {**ON_NODES, "spec": {"nodeAffinity": {"required": required}}}
    other = node("b", cordoned=True)

    seen = graces(node(cordoned=True), other, node("c"), bound, volume, waiting(message, **spec))

    assert seen == {CORDONED: 30, ("NODE_CORDONED", "b"): None}


def test_every_node_that_a_pod_could_use_is_waited_for_where_all_are_cordoned() -> None:
    label = {"disk": "fast"}
    closed = [node(name, cordoned=True, labels=label) for name in ("a", "b")]
    stuck = waiting("", nodeSelector=label)

    assert graces(*closed, node("c"), stuck) == {
        ("NODE_CORDONED", "a"): 30,
        ("NODE_CORDONED", "b"): 30,
    }


def test_node_under_pressure_is_no_cause_of_a_pod_that_could_not_go_there() -> None:
    pressed = node("b", taints=("node.kubernetes.io/disk-pressure:NoSchedule",))
    stuck = waiting(
        "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable",
        nodeSelector={"kubernetes.io/hostname": "nova-worker"},
    )

    # said of the node alone, by the rule that looks at nodes, and not as what the pod waits for
    assert graces(node(cordoned=True), pressed, node("c"), stuck) == {
        ("NODE_PRESSURE", "b"): None,
        CORDONED: 30,
    }


def test_cordoned_node_is_behind_nothing_that_runs_there() -> None:
    wanted = {**deployment(readyReplicas=1, availableReplicas=1, replicas=2)}
    wanted["spec"]["replicas"] = 2
    owner = replica_set(wanted)
    crashing, well = stuck_pod(owner, "CrashLoopBackOff"), pod("user-service-y", owner)
    well["spec"]["nodeName"] = "b"
    seen = Snapshot.of([wanted, owner, crashing, well, node(), node("b", cordoned=True)])
    doctor = Doctor(seen)

    below = {each.root.cause: each.symptoms for each in doctor.overall()}
    assert below["NODE_CORDONED"] == ()
    said = doctor.explain([ref(wanted)])
    assert said.root is not None
    assert "NODE_CORDONED" not in {each.root.cause for each in said.causes}
