"""Classes, claims and volumes, as the provisioner and the kubelet word their trouble."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import storage
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import UNDECLARED, Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import System
from testing.unit.diagnosis.recorded import (
    asking,
    claim,
    deployment,
    event,
    pod,
    stateful_set,
    storage_class,
    unschedulable_pod,
)
from testing.unit.diagnosis.rendered import Nova


def etcd(name: str | None = "standard", size: str = "1Gi") -> Object:
    """Return a StatefulSet of one replica with a claim template of that class."""
    workload = stateful_set(readyReplicas=0)
    workload["spec"]["replicas"] = 1
    spec: dict[str, Any] = {"resources": {"requests": {"storage": size}}}
    if name is not None:
        spec["storageClassName"] = name
    workload["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": spec}]
    return workload


def found(*objects: Object, system: System = UNDECLARED) -> list[Finding]:
    snapshot = Snapshot.of(objects, system=system)
    rules = (*storage.BEFOREHAND, *storage.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def names(*objects: Object) -> list[tuple[str, str]]:
    return [(each.cause, str(each.subject)) for each in found(*objects)]


def test_claim_of_a_class_that_exists_is_no_finding() -> None:
    assert found(etcd(), storage_class(), claim("data-etcd-0", "Bound")) == []


def test_claim_that_is_being_deleted_under_a_pod_that_stays_is_found() -> None:
    going = claim("data-etcd-0", "Bound")
    going["metadata"]["deletionTimestamp"] = "2026-11-23T14:21:43Z"
    its = pod("etcd-0", claim="data-etcd-0")

    assert names(its, going) == [("CLAIM_TERMINATING", f"{ref(going)}")]
    assert names(going) == []  # it is gone in a moment, and nobody lacks it
    its["metadata"]["deletionTimestamp"] = "2026-11-23T14:21:43Z"
    assert names(its, going) == []


def test_template_of_a_missing_class_is_found_before_any_claim() -> None:
    (only,) = found(etcd("turbo"), storage_class())

    assert only.cause == "STORAGE_CLASS_MISSING"
    assert only.grace == 0
    assert "turbo" in only.summary
    assert "standard" in only.cure


def test_claims_of_one_template_are_one_diagnosis() -> None:
    waiting = claim("data-etcd-0")
    waiting["spec"]["storageClassName"] = "turbo"
    said = event(waiting, "ProvisioningFailed", 'storageclass.storage.k8s.io "turbo" not found')

    assert {(each.cause, str(each.subject)) for each in found(etcd("turbo"), waiting, said)} == {
        ("STORAGE_CLASS_MISSING", "StatefulSet nova-services/etcd")
    }


def test_missing_class_is_found_by_the_event_alone() -> None:
    waiting = claim("uploads")
    snapshot = Snapshot()  # of which nothing is known to be listed
    said = event(waiting, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    for obj in (waiting, said):
        snapshot.update("ADDED", obj)

    (only,) = [each for rule in storage.LIVE for each in rule(snapshot)]
    assert (only.cause, only.subject.name) == ("STORAGE_CLASS_MISSING", "uploads")


def test_class_of_volumes_made_by_hand_needs_no_object() -> None:
    volume = {
        "kind": "PersistentVolume",
        "metadata": {"name": "pv-1"},
        "spec": {"storageClassName": "manual"},
        "status": {"phase": "Available"},
    }

    assert found(etcd("manual"), storage_class(), volume) == []


def test_bound_claims_do_not_miss_a_class_that_is_gone() -> None:
    assert found(etcd("gone"), storage_class(), claim("data-etcd-0", "Bound")) == []


def test_claim_without_class_needs_a_default() -> None:
    assert names(etcd(None), storage_class(default=False)) == [
        ("DEFAULT_STORAGE_CLASS_MISSING", "StatefulSet nova-services/etcd")
    ]
    assert names(etcd(None), storage_class()) == []


def test_claim_with_the_empty_class_wants_no_default() -> None:
    assert names(etcd(""), storage_class(default=False)) == []


def test_no_default_is_found_by_the_event() -> None:
    waiting = claim("uploads")
    said = event(
        waiting,
        "FailedBinding",
        "no persistent volumes available for this claim and no storage class is set",
    )

    assert (
        "DEFAULT_STORAGE_CLASS_MISSING",
        f"PersistentVolumeClaim {waiting['metadata']['namespace']}/uploads",
    ) in names(waiting, said, storage_class())


def test_provisioner_that_fails_is_quoted() -> None:
    waiting = claim("uploads")
    said = event(
        waiting, "ProvisioningFailed", "failed to create volume: quota of the pool is used"
    )
    (only,) = found(waiting, said, storage_class())

    assert only.cause == "PROVISIONING_FAILED"
    assert "quota of the pool" in only.summary


def test_provisioner_that_takes_no_claim_on_is_named_after_a_while() -> None:
    waiting = claim("uploads")
    asked = event(
        waiting,
        "ExternalProvisioning",
        'waiting for a volume to be created, either by external provisioner "shelf.example.com" '
        "or manually created by system administrator",
    )
    (only,) = found(waiting, asked, storage_class(mode="Immediate"))

    assert only.cause == "PROVISIONER_SILENT"
    assert "shelf.example.com" in only.summary
    assert only.grace


def test_provisioner_at_work_is_waited_for() -> None:
    waiting = claim("uploads")
    asked = event(waiting, "ExternalProvisioning", "waiting for a volume to be created")
    begun = event(waiting, "Provisioning", "External provisioner is provisioning volume")
    (only,) = found(waiting, asked, begun, storage_class(mode="Immediate"))

    assert (only.cause, only.grace) == ("CLAIM_UNBOUND", None)


def test_claim_that_waits_for_its_pod_is_no_fault() -> None:
    assert found(claim("uploads"), storage_class()) == []


@pytest.mark.parametrize(
    ("mode", "cause"),
    [("WaitForFirstConsumer", "ANTI_AFFINITY_UNSATISFIABLE"), ("Immediate", "CLAIM_UNBOUND")],
)
def test_claim_that_waits_for_a_pod_without_a_node_is_explained_by_it(
    mode: str, cause: str
) -> None:
    owner, waiting = etcd(), claim("data-etcd-0")
    stuck = unschedulable_pod(owner, "0/1 nodes: 1 node(s) didn't match pod anti-affinity rules.")
    stuck["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-etcd-0"}}
    ]
    doctor = Doctor(Snapshot.of([owner, stuck, waiting, storage_class(mode=mode)]))

    unbound = Finding("CLAIM_UNBOUND", ref(waiting), Phrase("it has no volume"))
    root = doctor.explain([ref(waiting)], unbound).root
    assert root is not None
    assert root.cause == cause


def test_claim_without_volume_is_a_symptom() -> None:
    (only,) = found(claim("uploads"), storage_class(mode="Immediate"))

    assert only.cause == "CLAIM_UNBOUND"
    assert only.meaning.is_symptom
    assert only.grace is None


def test_claim_that_lost_its_volume_is_found() -> None:
    assert names(claim("uploads", "Lost"), storage_class())[-1][0] == "CLAIM_LOST"


def test_claim_that_nobody_made_is_found() -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "uploads"}}]
    workload = asking(deployment(readyReplicas=0), volumes=volumes)

    assert names(workload) == [("CLAIM_MISSING", "PersistentVolumeClaim nova-services/uploads")]
    assert names(workload, claim("uploads", "Bound")) == []


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "FailedMount",
            'MountVolume.SetUp failed for volume "host" : hostPath type check failed: /srv is not '
            "a directory",
        ),
        (
            "FailedAttachVolume",
            'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) other-0',
        ),
    ],
)
def test_volume_that_cannot_be_mounted_is_found(reason: str, message: str) -> None:
    stuck = pod("etcd-0", None, phase="Pending", ready=False)
    late = "Unable to attach or mount volumes: timed out waiting for the condition"
    (only,) = found(
        stuck,
        event(stuck, reason, message, second=1),
        event(stuck, "FailedMount", late, second=2),
    )

    assert only.cause == "VOLUME_NOT_MOUNTED"
    assert message[:60] in only.summary


def test_mount_that_succeeded_in_the_end_is_no_finding() -> None:
    stuck = pod("etcd-0", None, phase="Pending", ready=False)
    failed = event(stuck, "FailedMount", "driver is not registered yet", second=1)
    pulling = event(stuck, "Pulling", "Pulling image", kind="Normal", second=3)

    assert found(stuck, failed, pulling) == []


def test_mount_of_a_missing_secret_is_no_matter_of_storage() -> None:
    stuck = pod("etcd-0", None, phase="Pending", ready=False)
    message = 'MountVolume.SetUp failed for volume "tls" : secret "nova-tls" not found'

    assert found(stuck, event(stuck, "FailedMount", message)) == []


@pytest.mark.parametrize(("size", "is_small"), [("512Mi", True), ("2Gi", False), ("4Gi", False)])
def test_template_and_its_claims_that_are_too_small_are_one_finding(
    size: str, *, is_small: bool
) -> None:
    nova = Nova()
    redis = nova["StatefulSet/redis"]
    (template,) = redis["spec"]["volumeClaimTemplates"]
    template["spec"]["resources"]["requests"]["storage"] = size
    held = {**claim("data-redis-0", "Bound"), "spec": template["spec"]}
    held["metadata"]["namespace"] = "nova-redis"
    held["status"]["capacity"] = {"storage": size}
    nova.add(held)

    expected = [("CLAIM_TOO_SMALL", ref(redis))] if is_small else []
    assert [(each.cause, each.subject) for each in nova.diagnoses()] == expected


def test_claim_that_is_smaller_than_its_template_is_found() -> None:
    nova = Nova()
    small = claim("data-redis-0", "Bound")
    small["metadata"]["namespace"] = "nova-redis"
    small["spec"] = {"resources": {"requests": {"storage": "512Mi"}}}
    small["status"]["capacity"] = {"storage": "512Mi"}
    nova.add(small)

    assert nova.causes() == {"CLAIM_TOO_SMALL": ref(small)}
