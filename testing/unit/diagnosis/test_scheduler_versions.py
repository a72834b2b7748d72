"""Pods without a node, as the schedulers of Kubernetes 1.20 to 1.37 word it and objects show it.

The sentences are those of `pkg/scheduler` of kubernetes/kubernetes at the versions beside them.
"""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import nodes, scheduling
from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.placement import requests, tolerates
from nova_acceptance.components.kubernetes.scheduler_words import reason_of
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import (
    claim,
    deployment,
    node,
    replica_set,
    storage_class,
    unschedulable_pod,
)

NO_HELP = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
SINCE_DRA = f" no new claims to deallocate,{NO_HELP}"
WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)


def live(*objects: Object) -> Finding:
    snapshot = Snapshot.of([WORKLOAD, OWNER, *objects])
    (each,) = (found for rule in scheduling.LIVE for found in rule(snapshot))
    return each


def waiting_pod(message: str, *, volume: bool = False, **spec: Any) -> Object:
    pod = unschedulable_pod(OWNER, message)
    pod["spec"] |= spec
    if volume:
        pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return pod


def bound(home: str) -> list[Object]:
    """Return a claim, and its volume on one node."""
    its = claim("data", "Bound")
    its["spec"]["volumeName"] = "pv-1"
    term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [home]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [term]}]}
    volume = {
        "kind": "PersistentVolume",
        "metadata": {"name": "pv-1", "uid": "uid-pv-1"},
        "spec": {"nodeAffinity": {"required": required}},
    }
    return [its, volume]


TAINTED = ("team=blue:NoSchedule",)


@pytest.mark.parametrize(
    "taint",
    [
        "1 node(s) had taint {team: blue}, that the pod didn't tolerate",  # 1.20 to 1.23
        "1 node(s) had untolerated taint {team: blue}",  # 1.24 to 1.34
        "1 node(s) had untolerated taint(s)",  # 1.36
        "1 node(s) are shunned",  # of a version that is not written yet
    ],
)
@pytest.mark.parametrize(
    "volume",
    [
        "2 node(s) had volume node affinity conflict",  # 1.20 to 1.33
        "2 node(s) didn't match PersistentVolume's node affinity",  # 1.36
        "2 node(s) are not where the disk is",  # of a version that is not written yet
    ],
)
@pytest.mark.parametrize("tail", ["", NO_HELP, SINCE_DRA])
def test_taint_of_the_node_with_the_volume_is_seen_whatever_the_words(
    taint: str, volume: str, tail: str
) -> None:
    pod = waiting_pod(f"0/3 nodes are available: {taint}, {volume}.{tail}", volume=True)
    three = [node("a"), node("b"), node("c", taints=TAINTED)]
    each = live(pod, *bound("c"), *three)

    assert each.cause == "TAINT_NOT_TOLERATED"
    assert "c, which has the taint team=blue:NoSchedule" in each.summary


@pytest.mark.parametrize(
    "said",
    [
        "3 node(s) had volume node affinity conflict",  # 1.20
        "3 node(s) didn't match PersistentVolume's node affinity",  # 1.36
        "3 of something new",
    ],
)
def test_volume_of_a_node_that_is_gone_is_seen_whatever_the_words(said: str) -> None:
    pod = waiting_pod(f"0/3 nodes are available: {said}.", volume=True)

    assert live(pod, *bound("gone"), node("a"), node("b")).cause == "VOLUME_NODE_CONFLICT"


@pytest.mark.parametrize(
    "said",
    [
        "3 node(s) didn't match node selector",  # 1.19
        "3 node(s) didn't match Pod's node affinity",  # 1.20
        "3 node(s) didn't match Pod's node affinity/selector",  # 1.21 to 1.36
        "3 of something new",
    ],
)
def test_labels_that_no_node_has_are_seen_whatever_the_words(said: str) -> None:
    pod = waiting_pod(f"0/3 nodes are available: {said}.", nodeSelector={"disk": "nvme"})
    each = live(pod, node("a"), node("b"))

    assert each.cause == "NODE_SELECTOR_UNMATCHED"
    assert "disk=nvme" in each.summary


def test_labels_of_a_tainted_node_alone_are_no_matter_of_labels() -> None:
    said = "1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector"
    pod = waiting_pod(f"0/3 nodes are available: {said}.{SINCE_DRA}", nodeSelector={"disk": "nvme"})
    only = node("c", labels={"disk": "nvme"}, taints=TAINTED)

    assert live(pod, node("a"), node("b"), only).cause == "TAINT_NOT_TOLERATED"


def test_pod_larger_than_every_node_is_seen_whatever_the_words() -> None:
    wanted = [{"name": "main", "resources": {"requests": {"cpu": "64"}}}]
    pod = waiting_pod("0/1 nodes are available: 1 of something new.", containers=wanted)

    assert live(pod, node("a")).cause == "INSUFFICIENT_RESOURCES"


@pytest.mark.parametrize(
    "said",
    [
        "3 node(s) had untolerated taint(s)",
        "3 node(s) didn't match Pod's node affinity/selector",
        "3 node(s) had volume node affinity conflict",
        "3 of something new",
        "3 node(s) didn't match something of tomorrow",
    ],
)
def test_words_that_objects_do_not_bear_out_lead_to_no_cause(said: str) -> None:
    pod = waiting_pod(f"0/3 nodes are available: {said}.", volume=True)
    each = live(pod, *bound("a"), node("a"), node("b"))

    assert each.cause == "UNSCHEDULABLE"
    assert each.is_symptom
    assert said in each.summary


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        # 1.20: two reasons for a node
        (
            "1 node(s) didn't match pod affinity/anti-affinity, 1 node(s) didn't satisfy existing "
            "pods anti-affinity rules",
            "ANTI_AFFINITY_UNSATISFIABLE",
        ),
        (
            "1 node(s) didn't satisfy existing pods anti-affinity rules",
            "ANTI_AFFINITY_UNSATISFIABLE",
        ),
        ("1 node(s) didn't match pod anti-affinity rules", "ANTI_AFFINITY_UNSATISFIABLE"),
        ("1 node(s) didn't match pod affinity rules", "AFFINITY_UNSATISFIABLE"),
        (
            "1 node(s) didn't match pod topology spread constraints (missing required label)",
            "SPREAD_UNSATISFIABLE",
        ),
        ("1 Insufficient cpu, 1 Insufficient memory", "INSUFFICIENT_RESOURCES"),
        ("1 Insufficient nvidia.com/gpu", "INSUFFICIENT_RESOURCES"),
        ("1 Too many pods", "INSUFFICIENT_RESOURCES"),
        ("1 node(s) didn't have free ports for the requested pod ports", "HOST_PORT_CONFLICT"),
        ("1 node(s) had no available volume zone", "VOLUME_NODE_CONFLICT"),
        ("1 node(s) exceed max volume count", "UNSCHEDULABLE"),
        ("1 node(s) did not have enough free storage", "UNSCHEDULABLE"),  # from 1.21
        ("1 cannot allocate all claims", "UNSCHEDULABLE"),  # from 1.31
        ('1 resourceclaim "gpu" not found', "UNSCHEDULABLE"),  # from 1.26
        ("1 node(s) didn't match scheduler-enforced node affinity", "UNSCHEDULABLE"),  # 1.21
        ("1 node(s) were unschedulable", "UNSCHEDULABLE"),
    ],
)
@pytest.mark.parametrize("tail", [".", f".{NO_HELP}", f".{SINCE_DRA}"])
def test_what_only_a_scheduler_knows_is_taken_from_it(said: str, cause: str, tail: str) -> None:
    pod = waiting_pod(f"0/2 nodes are available: 1 node(s) had untolerated taint(s), {said}{tail}")

    assert live(pod, node("a"), node("b", taints=TAINTED)).cause == cause


def test_volume_that_another_pod_has_to_itself_is_no_missing_volume() -> None:
    # pkg/scheduler/framework/plugins/volumerestrictions, from 1.22
    said = (
        "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name "
        "and ReadWriteOncePod access mode."
    )

    assert "to itself" in reason_of(said).what
    assert reason_of(said).grace is not None


@pytest.mark.parametrize(
    "said",
    [
        'persistentvolumeclaim "data" not found',  # 1.20
        'persistentvolumeclaim "data" not found. not found',  # 1.33
        "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.",  # 1.20
        "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims." + NO_HELP,
        "0/3 nodes are available: 3 node(s) unavailable due to one or more pvc(s) bound to "
        "non-existent pv(s).",  # 1.21
        "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
        "0/3 nodes are available: waiting for ephemeral volume controller to create the "
        'persistentvolumeclaim "x-scratch".',
    ],
)
def test_pod_whose_claims_have_no_volume_is_a_consequence(said: str) -> None:
    assert (reason_of(said).cause, reason_of(said).grace) == ("UNSCHEDULABLE", None)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ([], "no volume"),
        ([claim("data"), storage_class(mode="Immediate")], "no volume"),
        ([claim("data", "Lost")], "no volume"),
        (
            [
                {
                    **claim("data", "Bound"),
                    "metadata": {**claim("data")["metadata"], "deletionTimestamp": "x"},
                }
            ],
            "is being deleted",
        ),
    ],
    ids=["absent", "immediate", "lost", "deleted"],
)
def test_claims_are_read_before_words(state: list[Object], what: str) -> None:
    each = live(
        waiting_pod("0/1 nodes are available: 1 of something new.", volume=True), node(), *state
    )

    assert each.cause == "UNSCHEDULABLE"
    assert what in each.summary


def test_claim_that_waits_for_its_pod_is_not_what_the_pod_waits_for() -> None:
    pod = waiting_pod("0/1 nodes are available: 1 Insufficient cpu.", volume=True)

    assert live(pod, node(), claim("data"), storage_class()).cause == "INSUFFICIENT_RESOURCES"


UNREACHABLE = ("node.kubernetes.io/unreachable:NoSchedule",)


@pytest.mark.parametrize(
    "said",
    [
        "1 node(s) had taint {node.kubernetes.io/unreachable: }, that the pod didn't tolerate",
        "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }",
        "1 node(s) had untolerated taint(s)",
    ],
)
def test_node_that_is_away_is_what_a_pod_waits_for_whatever_the_words(said: str) -> None:
    pod = waiting_pod(f"0/1 nodes are available: {said}.")
    away = node("a", ready="Unknown", taints=UNREACHABLE)
    snapshot = Snapshot.of([WORKLOAD, OWNER, pod, away])
    missed = [found for rule in nodes.LIVE for found in rule(snapshot)]

    assert live(pod, away).is_symptom
    assert ref(away) in Graph.of(snapshot).needs(ref(pod))
    assert [(each.cause, each.subject) for each in missed] == [
        ("NODE_NOT_READY", Ref("Node", "", "a"))
    ]


def test_closed_node_that_would_not_take_the_pod_is_not_what_it_waits_for() -> None:
    pod = waiting_pod("0/2 nodes are available: 2 of something.", nodeSelector={"disk": "nvme"})
    snapshot = Snapshot.of([WORKLOAD, OWNER, pod, node("a", cordoned=True), node("b")])

    assert Ref("Node", "", "a") not in Graph.of(snapshot).needs(ref(pod))
    assert live(pod, node("a", cordoned=True), node("b")).cause == "NODE_SELECTOR_UNMATCHED"


@pytest.mark.parametrize(
    ("operator", "value", "is_tolerated"),
    [("Gt", "900", True), ("Gt", "950", False), ("Lt", "990", True), ("Lt", "x", False)],
)
def test_toleration_that_compares_numbers(operator: str, value: str, *, is_tolerated: bool) -> None:
    # KEP-5471: TaintTolerationComparisonOperators, alpha in 1.35
    toleration = {"key": "sla", "operator": operator, "value": value, "effect": "NoSchedule"}
    taint = {"key": "sla", "value": "950", "effect": "NoSchedule"}

    assert tolerates({"spec": {"tolerations": [toleration]}}, taint) is is_tolerated


def test_what_is_asked_for_a_pod_as_a_whole_counts() -> None:
    # KEP-2837: PodLevelResources, alpha in 1.32
    containers = [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]
    pod = {"spec": {"containers": containers, "resources": {"requests": {"cpu": "3"}}}}

    assert requests(pod)["cpu"] == 3
