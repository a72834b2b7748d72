"""What speaks against taking a pod away, by what the API says: a whole system, one thing wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from nova_acceptance.components.kubernetes import survival
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.kubernetes.there import SHOP, STORE, made, node, pod

POD = Ref("Pod", SHOP, "store-0")
GONE = "2026-01-01T00:00:00Z"
Objects = dict[str, Object]


def whole() -> Objects:
    """Return a StatefulSet with its pod, claim, volume and node, by short names."""
    workload = made(STORE, updateRevision="store-2")
    workload["metadata"]["uid"] = "uid-store"
    its = pod("store-0", STORE)
    its["metadata"]["ownerReferences"] = [
        {"kind": "StatefulSet", "name": "store", "uid": "uid-store", "controller": True}
    ]
    its["metadata"]["labels"]["controller-revision-hash"] = "store-2"
    its["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-store-0"}},
        {"name": "run", "emptyDir": {}},
    ]
    its["spec"]["containers"][0]["volumeMounts"] = [
        {"name": "data", "mountPath": "/data"},
        {"name": "run", "mountPath": "/data/run"},
    ]
    its["spec"]["containers"].append({"name": "beside", "ports": [{"containerPort": 9100}]})
    where = node("one")
    where["metadata"]["labels"] = {"kubernetes.io/hostname": "one"}
    terms = [
        {
            "matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": ["one"]}
            ]
        }
    ]
    return {
        "namespace": {
            "kind": "Namespace",
            "metadata": {"name": SHOP},
            "status": {"phase": "Active"},
        },
        "workload": workload,
        "pod": its,
        "claim": {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data-store-0", "namespace": SHOP},
            "spec": {"volumeName": "pv-1"},
            "status": {"phase": "Bound"},
        },
        "volume": {
            "kind": "PersistentVolume",
            "metadata": {"name": "pv-1"},
            "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}},
            "status": {"phase": "Bound"},
        },
        "node": where,
        "budget": {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "store", "namespace": SHOP, "generation": 1},
            "spec": {"selector": {"matchLabels": {"app": "store"}}},
            "status": {"observedGeneration": 1, "disruptionsAllowed": 1},
        },
    }


def found(objects: Objects) -> list[str]:
    snapshot = Snapshot.of(copy.deepcopy(each) for each in objects.values())
    return [str(peril.said) for peril in survival.perils(snapshot, STORE, POD)]


def test_nothing_speaks_against_it_where_all_is_well() -> None:
    assert found(whole()) == []


def at(path: str, value: Any) -> Callable[[Objects], None]:
    """Return a change: a path of keys with the object's short name first."""

    def change(objects: Objects) -> None:
        *way, last = path.split(".")
        place: Any = objects
        for key in way:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        place[last] = value

    return change


def without(name: str) -> Callable[[Objects], None]:
    def change(objects: Objects) -> None:
        del objects[name]

    return change


def condition(kind: str, status: str = "True") -> list[dict[str, str]]:
    ready = "False" if kind == "Ready" else "True"
    others = [] if kind == "Ready" else [{"type": kind, "status": status}]
    return [{"type": "Ready", "status": ready}, *others]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (at("namespace.status.phase", "Terminating"), "Namespace shop is being deleted"),
        (at("claim.metadata.deletionTimestamp", GONE), "goes with its data as soon as"),
        (at("claim.status.phase", "Lost"), "is Lost, not Bound"),
        (at("claim.status.phase", "Pending"), "is Pending, not Bound"),
        (without("claim"), "there is no PersistentVolumeClaim shop/data-store-0"),
        (at("volume.metadata.deletionTimestamp", GONE), "PersistentVolume pv-1 of"),
        (at("volume.status.phase", "Released"), "is Released"),
        (at("volume.status.phase", "Failed"), "is Failed"),
        (without("volume"), "there is no PersistentVolume pv-1"),
        (at("node.metadata.labels", {}), "is on a node that is gone"),
        (at("node.spec.unschedulable", True), "can only be used on one"),
        (at("node.spec.unschedulable", True), "is cordoned, or being drained"),
        (at("node.status.conditions", condition("Ready")), "Node one of Pod shop/store-0 is not"),
        (at("node.metadata.deletionTimestamp", GONE), "is gone, or going"),
        (without("node"), "is gone, or going"),
        *(
            (at("node.status.conditions", condition(kind)), f"has {kind}")
            for kind in survival.PRESSURES
        ),
        (without("workload"), "there is no StatefulSet shop/store"),
        (at("workload.metadata.deletionTimestamp", GONE), "StatefulSet shop/store is being"),
        (
            at("workload.spec.persistentVolumeClaimRetentionPolicy", {"whenScaled": "Delete"}),
            "has its claims deleted when it is scaled down",
        ),
        (at("workload.spec.replicas", 0), "is scaled to 0 replicas"),
        (at("workload.status.readyReplicas", 0), "0 of 1 ready"),
        (at("workload.status.updatedReplicas", 0), "0 of 1 updated"),
        (at("workload.metadata.generation", 4), "its controller has not seen it yet"),
        (at("workload.status.updateRevision", "store-3"), "is of another revision"),
        (without("pod"), "Pod shop/store-0 is gone"),
        (at("pod.metadata.deletionTimestamp", GONE), "Pod shop/store-0 is being deleted"),
        (at("pod.status.conditions", condition("Ready")), "Pod shop/store-0 is not ready"),
        (at("pod.metadata.ownerReferences.0.uid", "other"), "is not one of StatefulSet"),
        (at("pod.metadata.ownerReferences.0.controller", False), "is not one of StatefulSet"),
        (at("budget.status.disruptionsAllowed", 0), "allows no disruption"),
        (at("budget.status", {}), "was changed a moment ago"),
        (at("budget.metadata.generation", 2), "was changed a moment ago"),
    ],
)
def test_what_speaks_against_it(change: Callable[[Objects], None], said: str) -> None:
    objects = whole()
    change(objects)

    assert any(said in each for each in found(objects)), found(objects)


def test_budget_of_other_pods_does_not_count() -> None:
    objects = whole()
    at("budget.status.disruptionsAllowed", 0)(objects)
    at("budget.spec.selector.matchLabels.app", "other")(objects)

    assert found(objects) == []


@pytest.mark.parametrize(("version", "counts"), [("policy/v1", True), ("policy/v1beta1", False)])
def test_empty_selector_of_a_budget_means_all_or_none(version: str, *, counts: bool) -> None:
    objects = whole()
    at("budget.apiVersion", version)(objects)
    at("budget.spec.selector", {})(objects)
    at("budget.status.disruptionsAllowed", 0)(objects)

    assert bool(found(objects)) is counts


@pytest.mark.parametrize(
    ("directory", "said"),
    [
        ("/data", ""),
        ("/data/pgdata", ""),
        ("/data/run/x", "on the volume run (emptyDir)"),
        ("/database", "in its container's own file system"),
        ("/", "in its container's own file system"),
    ],
)
def test_where_data_are_is_found_by_the_nearest_mount(directory: str, said: str) -> None:
    found = [str(each.said) for each in survival.of_data(whole()["pod"], directory, [8080])]

    assert bool(found) is bool(said)
    assert all(said in each for each in found)


def test_mount_of_another_container_keeps_nothing() -> None:
    (only,) = survival.of_data(whole()["pod"], "/data", [9100])

    assert "own file system" in only.said


@pytest.mark.parametrize(
    ("source", "is_kept"),
    [
        ({"hostPath": {"path": "/srv"}}, True),
        ({"ephemeral": {"volumeClaimTemplate": {}}}, False),
        ({"emptyDir": {"medium": "Memory"}}, False),
    ],
)
def test_volume_that_goes_with_its_pod_keeps_nothing(
    source: dict[str, Any], *, is_kept: bool
) -> None:
    its = whole()["pod"]
    its["spec"]["volumes"][0] = {"name": "data", **source}

    assert (list(survival.of_data(its, "/data", [8080])) == []) is is_kept
