"""What kubelets, runtimes and controllers say, from Kubernetes 1.20 to 1.37.

The words are those of kubernetes/kubernetes, containerd, runc and crun at the versions beside them.
"""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import admission, images, programs, startup, storage
from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.components.kubernetes.status import CURRENT, State, condition, status_of
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import (
    deployment,
    event,
    pod,
    replica_set,
    service,
    stuck_pod,
)

WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)
IMAGE = "docker.io/nova/service:1"
READY = Endpoint("10.0.0.5")


def only(room: Any, *objects: Object) -> Finding:
    snapshot = Snapshot.of([WORKLOAD, OWNER, *objects])
    found: list[Finding] = [each for rule in room.LIVE for each in rule(snapshot)]
    (each,) = found
    return each


@pytest.mark.parametrize(
    "said",
    [
        # runc 1.0 of the days of 1.20, and 1.1 and since
        "OCI runtime create failed: container_linux.go:370: starting container process caused: "
        'exec: "srv": executable file not found in $PATH: unknown',
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        "runc create failed: unable to start container process: error during container init: exec: "
        '"/srv": stat /srv: no such file or directory: unknown',
        # crun, as CRI-O has it
        "executable file `srv` not found in $PATH: No such file or directory: OCI runtime "
        "attempted to invoke a command that was not found",
    ],
)
def test_command_that_a_runtime_does_not_find(said: str) -> None:
    assert only(startup, stuck_pod(OWNER, "RunContainerError", said)).cause == "COMMAND_NOT_FOUND"


@pytest.mark.parametrize(
    "said",
    [
        # to 1.30, and since
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data "
        "default-token-x]: timed out waiting for the condition",
        "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], "
        "failed to process volumes=[]: context deadline exceeded",
    ],
)
def test_mount_that_timed_out_says_less_than_why(said: str) -> None:
    stuck = pod("etcd-0", None, phase="Pending", ready=False)
    why = 'MountVolume.SetUp failed for volume "pvc-1" : driver name x not found'
    found = only(
        storage,
        stuck,
        event(stuck, "FailedMount", why, second=1),
        event(stuck, "FailedMount", said, second=2),
    )

    assert "driver name x not found" in found.summary


@pytest.mark.parametrize(
    "said",
    [
        # 1.20: only that it backs off; since 1.32 with what the registry said
        f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = failed '
        f'to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": {IMAGE}: not '
        "found",
    ],
)
def test_back_off_that_says_why_needs_no_event(said: str) -> None:
    found = only(images, stuck_pod(OWNER, "ImagePullBackOff", said))

    assert found.cause == "IMAGE_PULL"
    assert "no such image" in found.summary


def test_image_that_is_there_for_others_is_a_matter_of_credentials() -> None:
    # pkg/kubelet/images, KubeletEnsureSecretPulledImages, from 1.33
    said = (
        f'Container image "{IMAGE}" is present with pull policy of Never but does not have the '
        "proper credentials"
    )
    found = only(images, stuck_pod(OWNER, "ErrImageNeverPull", said))

    assert found.cause == "IMAGE_PULL"
    assert "credentials" in found.summary


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        # PodSecurityPolicy until 1.24, PodSecurity from 1.23
        ("PodSecurityPolicy: unable to admit pod: []", "POD_SECURITY_VIOLATED"),
        (
            'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
            '(container "main" must set securityContext.allowPrivilegeEscalation=false)',
            "POD_SECURITY_VIOLATED",
        ),
        (
            'violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)',
            "POD_SECURITY_VIOLATED",
        ),
        # ValidatingAdmissionPolicy, from 1.26
        ("ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no", "POD_REFUSED"),
        ("exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5", "QUOTA_EXCEEDED"),
        (
            "minimum memory usage per Container is 64Mi. No request is specified",
            "LIMIT_RANGE_VIOLATED",
        ),
    ],
)
def test_refusal_of_every_version(message: str, cause: str) -> None:
    said = f'pods "user-service-x" is forbidden: {message}'
    failure = {"type": "ReplicaFailure", "status": "True", "message": said}
    owner = replica_set(WORKLOAD, conditions=[failure], replicas=0)
    snapshot = Snapshot.of([WORKLOAD, owner])
    (found,) = (each for rule in admission.LIVE for each in rule(snapshot))

    assert found.cause == cause


@pytest.mark.parametrize(
    "said",
    [
        "Readiness probe failed: HTTP probe failed with statuscode: 503",  # 1.20 and since
        "Readiness probe errored: rpc error: code = Unknown desc = 503",  # 1.20 to 1.33
        "Readiness probe errored and resulted in unknown state: rpc error: 503",  # from 1.34
    ],
)
def test_probe_of_every_version(said: str) -> None:
    unready = pod("user-service-x", OWNER, ready=False, container={"ready": False})
    found = only(programs, unready, event(unready, "Unhealthy", said))

    assert found.cause == "READINESS_FAILING"
    assert "503" in found.summary


def test_pod_that_ended_with_its_node_in_good_order_was_not_evicted() -> None:
    # pkg/kubelet/nodeshutdown, from 1.22
    gone = pod("user-service-x", OWNER, phase="Failed", ready=False)
    gone["status"] |= {
        "reason": "Terminated",
        "message": "Pod was terminated in response to imminent node shutdown.",
        "containerStatuses": [],
    }
    snapshot = Snapshot.of([WORKLOAD, OWNER, gone])

    assert [each for rule in programs.LIVE for each in rule(snapshot)] == []


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([{"type": "Complete", "status": "True"}], State.CURRENT),
        # from 1.31 each final condition is announced by another, while pods still end
        ([{"type": "SuccessCriteriaMet", "status": "True"}], State.IN_PROGRESS),
        ([{"type": "FailureTarget", "status": "True"}], State.IN_PROGRESS),
        (
            [
                {"type": "SuccessCriteriaMet", "status": "True", "reason": "CompletionsReached"},
                {"type": "Complete", "status": "True", "reason": "CompletionsReached"},
            ],
            State.CURRENT,
        ),
        (
            [{"type": "Failed", "status": "True", "reason": "MaxFailedIndexesExceeded"}],
            State.FAILED,
        ),
        ([{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}], State.FAILED),
    ],
)
def test_job_of_every_version(conditions: list[dict[str, str]], state: State) -> None:
    job = {
        "kind": "Job",
        "metadata": {"name": "migrate", "generation": 1},
        "spec": {},
        "status": {"conditions": conditions, "active": 0},
    }

    assert status_of(job).state is state


def test_pod_of_today_is_as_ready_as_one_of_1_20() -> None:
    # PodReadyToStartContainers from 1.29, observedGeneration from 1.33, resources in place
    today = pod("user-service-x", OWNER)
    today["metadata"]["generation"] = 2
    today["status"] |= {
        "observedGeneration": 2,
        "conditions": [
            {"type": "PodReadyToStartContainers", "status": "True", "observedGeneration": 2},
            *today["status"]["conditions"],
        ],
    }
    today["status"]["containerStatuses"][0] |= {
        "allocatedResources": {"cpu": "100m"},
        "resources": {"requests": {"cpu": "100m"}},
        "user": {"linux": {"uid": 1000}},
    }

    assert status_of(today) == CURRENT
    assert condition(today, "Ready")["status"] == "True"


def test_service_without_a_load_balancer_is_waited_for_no_longer_than_its_pods() -> None:
    # one that no controller of the cluster serves has an empty status for ever
    front = service("user-service", type="LoadBalancer")
    front["status"] = {"loadBalancer": {}}

    assert status_of(front, [READY]) == CURRENT


def test_fields_of_later_services_change_nothing() -> None:
    # dual-stack from 1.20 on, internalTrafficPolicy 1.21, trafficDistribution 1.30
    front = service(
        "user-service",
        clusterIPs=["10.96.0.7", "fd00::7"],
        ipFamilies=["IPv4", "IPv6"],
        ipFamilyPolicy="PreferDualStack",
        internalTrafficPolicy="Cluster",
        trafficDistribution="PreferSameZone",
    )

    assert status_of(front, [READY]) == CURRENT
