"""States that waiting does not cure, as the kubelet, scheduler and controllers word them."""

from __future__ import annotations

import math

import pytest

from nova_acceptance.deploy.findings import Finding, findings
from nova_acceptance.deploy.picture import Picture
from nova_acceptance.deploy.readiness import Patience
from nova_acceptance.deploy.terminal import Rule
from nova_acceptance.kube import Object
from testing.unit.deploy.recorded import (
    claim,
    deployment,
    event,
    pod,
    replica_set,
    stateful_set,
    stuck_pod,
    unschedulable_pod,
)

IMAGE = "docker.io/nova/service:1"
RESOLVING = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '
WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
CURRENT = replica_set(WORKLOAD)


def found(*objects: Object, workload: Object = WORKLOAD) -> list[Finding]:
    return list(findings(Picture([workload, CURRENT, *objects]), workload))


def test_healthy_workload_has_no_findings() -> None:
    assert found(pod("user-service-x", CURRENT), workload=deployment()) == []


@pytest.mark.parametrize(
    "reason", ["ContainerCreating", "PodInitializing", "ErrImagePull", "CrashLoopBackOff"]
)
def test_passing_state_is_no_finding(reason: str) -> None:
    assert found(stuck_pod(CURRENT, reason)) == []


@pytest.mark.parametrize(
    ("reason", "message", "grace"),
    [
        (
            "ErrImageNeverPull",
            f'Container image "{IMAGE}" is not present with pull policy of Never',
            0,
        ),
        (
            "InvalidImageName",
            "couldn't parse image reference: repository name must be lowercase",
            0,
        ),
        ("CreateContainerConfigError", 'secret "user-service-secrets" not found', 5),
        ("CreateContainerConfigError", "couldn't find key LOG_LEVEL in ConfigMap a/b", 5),
    ],
)
def test_container_that_cannot_be_made_is_found(reason: str, message: str, grace: float) -> None:
    (finding,) = found(stuck_pod(CURRENT, reason, message))

    assert (finding.reason, finding.message, finding.rule.grace) == (reason, message, grace)
    assert finding.subject == "Pod nova-services/user-service-x, container main"
    assert finding.rule.hint


@pytest.mark.parametrize(
    ("said", "grace"),
    [
        (f"rpc error: code = NotFound desc = {RESOLVING}{IMAGE}: not found", 0),
        (f"{RESOLVING}pull access denied, repository does not exist", 0),
        (f"{RESOLVING}dial tcp: lookup registry-1.docker.io: no such host", 0),
        (f"{RESOLVING}dial tcp 10.0.0.1:443: connect: network is unreachable", 0),
        (f"{RESOLVING}dial tcp: lookup registry-1.docker.io on 172.18.0.1:53: i/o timeout", 10),
        (f"{RESOLVING}dial tcp 34.1.2.3:443: i/o timeout", 30),
    ],
)
def test_image_that_cannot_be_pulled_is_found_by_what_the_registry_said(
    said: str, grace: float
) -> None:
    stuck = stuck_pod(CURRENT, "ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')
    failed = event(stuck, "Failed", f'Failed to pull image "{IMAGE}": {said}')

    (finding,) = found(stuck, failed)

    assert (finding.reason, finding.rule.grace) == ("ImagePullBackOff", grace)
    assert said in finding.message


def test_pull_that_may_yet_succeed_is_no_finding() -> None:
    stuck = stuck_pod(CURRENT, "ImagePullBackOff", f'Back-off pulling image "{IMAGE}"')
    failed = event(stuck, "Failed", f'Failed to pull image "{IMAGE}": 503 Service Unavailable')

    assert found(stuck, failed) == []


def test_first_failed_pull_is_never_final() -> None:
    (finding,) = found(stuck_pod(CURRENT, "ErrImagePull", f"{RESOLVING}{IMAGE}: not found"))

    assert finding.rule.grace == math.inf


def crashing(restarts: int, reason: str = "Error", code: int = 3) -> Object:
    ended = {"terminated": {"reason": reason, "exitCode": code, "message": "exec: no such file"}}
    return stuck_pod(CURRENT, "CrashLoopBackOff", restartCount=restarts, lastState=ended)


@pytest.mark.parametrize(("restarts", "count"), [(1, 0), (2, 0), (3, 1), (7, 1)])
def test_crash_is_final_after_three_restarts(restarts: int, count: int) -> None:
    assert len(found(crashing(restarts))) == count


def test_crash_says_how_it_ended() -> None:
    (finding,) = found(crashing(4, "OOMKilled", 137))

    assert finding.message == "4 restarts, the last after exit status 137 (OOMKilled)"
    assert finding.container == "main"


def test_command_that_cannot_start_is_final_at_once() -> None:
    (finding,) = found(crashing(1, "StartError", 128))

    assert (finding.reason, finding.message) == ("StartError", "exec: no such file")


def test_init_container_is_judged_as_well() -> None:
    stuck = stuck_pod(CURRENT, "PodInitializing")
    stuck["status"]["initContainerStatuses"] = [
        {"name": "init", "state": {"waiting": {"reason": "ErrImageNeverPull", "message": "m"}}}
    ]
    (finding,) = found(stuck)

    assert finding.container == "init"


@pytest.mark.parametrize(
    "message",
    [
        "0/3 nodes are available: 3 Insufficient cpu.",
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity.",
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
        "0/1 nodes are available: 1 node(s) had taint {role: db}, that the pod didn't tolerate.",
        "0/3 nodes are available: 3 node(s) had volume node affinity conflict.",
    ],
)
def test_unschedulable_pod_is_found_after_a_grace(message: str) -> None:
    (finding,) = found(unschedulable_pod(CURRENT, message))

    assert (finding.reason, finding.message) == ("Unschedulable", message)
    assert finding.rule.grace > 0


@pytest.mark.parametrize(
    "message",
    [
        '0/3 nodes are available: 3 persistentvolumeclaim "data-etcd-0" not found.',
        "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.",
        "0/1 nodes are available: 1 node(s) had taint {node.kubernetes.io/not-ready: }, "
        "that the pod didn't tolerate.",
    ],
)
def test_pod_that_may_yet_be_scheduled_is_no_finding(message: str) -> None:
    assert found(unschedulable_pod(CURRENT, message)) == []


def test_pod_that_waits_for_another_to_leave_is_no_finding() -> None:
    leaving = pod("user-service-old", None)
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T14:22:00Z"
    stuck = unschedulable_pod(CURRENT, "0/3 nodes are available: 3 Insufficient cpu.")

    assert found(stuck, leaving) == []


def test_missing_volume_source_is_found() -> None:
    stuck = stuck_pod(CURRENT, "ContainerCreating")
    message = 'MountVolume.SetUp failed for volume "tls" : secret "nova-tls" not found'

    (finding,) = found(stuck, event(stuck, "FailedMount", message))

    assert (finding.reason, finding.message) == ("FailedMount", message)


def test_mount_that_succeeded_in_the_end_is_no_finding() -> None:
    stuck = stuck_pod(CURRENT, "ContainerCreating")
    failed = event(stuck, "FailedMount", 'volume "tls" : secret "nova-tls" not found', second=1)
    pulling = event(stuck, "Pulling", f'Pulling image "{IMAGE}"', kind="Normal", second=3)

    assert found(stuck, failed, pulling) == []


def test_event_about_an_earlier_pod_of_the_name_does_not_count() -> None:
    stuck = stuck_pod(CURRENT, "ContainerCreating")
    failed = event(stuck, "FailedMount", 'volume "tls" : secret "nova-tls" not found')
    failed["involvedObject"]["uid"] = "uid-of-its-predecessor"

    assert found(stuck, failed) == []


def test_pods_of_an_older_revision_are_not_judged() -> None:
    older = replica_set(WORKLOAD, "0")

    assert found(older, stuck_pod(older, "ErrImageNeverPull", "not present")) == []


def test_pod_under_deletion_is_not_judged() -> None:
    leaving = stuck_pod(CURRENT, "ErrImageNeverPull", "not present")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T14:22:00Z"

    assert found(leaving) == []


def test_pods_that_quota_forbids_are_found_on_the_replica_set() -> None:
    message = 'pods "user-service-x" is forbidden: exceeded quota: q, requested: pods=1'
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": message,
    }
    stuck = replica_set(WORKLOAD, conditions=[failure], replicas=0)

    (finding,) = findings(Picture([WORKLOAD, stuck]), WORKLOAD)

    assert (finding.reason, finding.message) == ("FailedCreate", message)


def stateful_with(message: str, *, fresh: bool) -> list[Finding]:
    etcd = stateful_set(replicas=0, readyReplicas=0)
    picture = Picture([etcd])
    picture.update("ADDED", event(etcd, "FailedCreate", message), fresh=fresh)
    return list(findings(picture, etcd))


def test_pods_that_quota_forbids_are_found_among_a_stateful_sets_events() -> None:
    message = 'create Pod etcd-0 in StatefulSet etcd failed error: pods "etcd-0" is forbidden: '
    (finding,) = stateful_with(f"{message}exceeded quota: q", fresh=True)

    assert finding.reason == "FailedCreate"


def test_refusal_of_an_earlier_deployment_does_not_count() -> None:
    assert stateful_with("pods is forbidden: exceeded quota: q", fresh=False) == []


def test_service_account_still_to_come_is_no_finding() -> None:
    message = 'pods "etcd-0" is forbidden: error looking up service account: not found'

    assert stateful_with(message, fresh=True) == []


def claim_with(message: str, phase: str = "Pending") -> list[Finding]:
    etcd = stateful_set(readyReplicas=0)
    data = claim("data-etcd-0", phase)
    waiting = pod("etcd-0", etcd, phase="Pending", ready=False, claim="data-etcd-0")
    picture = Picture([etcd, data, waiting])
    picture.update("ADDED", event(data, "ProvisioningFailed", message))
    return list(findings(picture, etcd))


def test_claim_of_a_missing_storage_class_is_found() -> None:
    (finding,) = claim_with('storageclass.storage.k8s.io "fast" not found')

    assert finding.subject == "PersistentVolumeClaim nova-services/data-etcd-0"
    assert "kubectl get storageclass" in finding.rule.hint


def test_claim_that_was_bound_after_all_is_no_finding() -> None:
    assert claim_with('storageclass.storage.k8s.io "fast" not found', "Bound") == []


def test_failed_pod_that_was_replaced_is_no_finding_until_the_third() -> None:
    evicted = [
        pod(f"user-service-{number}", CURRENT, phase="Failed", ready=False) for number in "abc"
    ]
    for each in evicted:
        each["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}

    assert found(*evicted[:2]) == []
    (finding,) = found(*evicted)
    assert (finding.reason, finding.message) == ("Evicted", evicted[0]["status"]["message"])


def test_failed_workload_is_a_finding_itself() -> None:
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "seed", "namespace": "nova-services", "uid": "u"},
        "spec": {},
        "status": {"conditions": [condition]},
    }
    (finding,) = findings(Picture([job]), job)

    assert (finding.subject, finding.reason) == ("Job nova-services/seed", "BackoffLimitExceeded")


def finding_with(grace: float, reason: str = "R") -> Finding:
    return Finding(pod("one"), reason, "", Rule(grace, "hint"))


def test_finding_is_believed_once_it_outlasts_its_grace() -> None:
    patience = Patience()

    assert patience.exhausted([finding_with(5)], now=100.0) == []
    assert patience.exhausted([finding_with(5)], now=104.9) == []
    assert len(patience.exhausted([finding_with(5)], now=105.0)) == 1


def test_finding_that_passed_begins_anew() -> None:
    patience = Patience()
    patience.exhausted([finding_with(5)], now=100.0)
    patience.exhausted([], now=103.0)

    assert patience.exhausted([finding_with(5)], now=106.0) == []


def test_graces_of_two_findings_run_apart() -> None:
    patience = Patience()
    patience.exhausted([finding_with(5, "A")], now=100.0)

    (only,) = patience.exhausted([finding_with(5, "A"), finding_with(5, "B")], now=105.0)
    assert only.reason == "A"
