"""What keeps programs from being started, as kubelets and runtimes word it."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import startup
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log, Snapshot
from testing.unit.diagnosis.recorded import (
    NAMESPACE,
    config_map,
    deployment,
    event,
    pod,
    replica_set,
    service,
    stateful_set,
    stuck_pod,
    with_container,
)

WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)


def found(*objects: Object, log: str = "") -> list[Finding]:
    snapshot = Snapshot.of([WORKLOAD, OWNER, *objects])
    if log:
        snapshot.logs[NAMESPACE, "user-service-x", "main"] = [Log(log, previous=True)]
    rules = (*startup.BEFOREHAND, *startup.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def names(*objects: Object, log: str = "") -> list[str]:
    return [each.cause for each in found(*objects, log=log)]


def ended(reason: str, code: int, message: str = "") -> Object:
    state = {"terminated": {"reason": reason, "exitCode": code, "message": message}}
    return stuck_pod(OWNER, "CrashLoopBackOff", "back-off", restartCount=1, lastState=state)


RUNC = "OCI runtime create failed: runc create failed: unable to start container process: "


@pytest.mark.parametrize(
    ("stuck", "cause"),
    [
        (
            ended("StartError", 128, f'{RUNC}exec: "novad": executable file not found in $PATH'),
            "COMMAND_NOT_FOUND",
        ),
        (
            ended("ContainerCannotRun", 127, 'exec: "/novad": stat /novad: no such file or dir'),
            "COMMAND_NOT_FOUND",
        ),
        (
            ended("StartError", 128, f'{RUNC}exec: "/etc": is a directory: permission denied'),
            "COMMAND_NOT_FOUND",
        ),
        (ended("StartError", 128, f"{RUNC}exec /novad: exec format error"), "ARCHITECTURE_WRONG"),
        (
            ended("StartError", 128, f'{RUNC}chdir to cwd ("/srv") failed: no such file'),
            "CONTAINER_CANNOT_BE_MADE",
        ),
        (
            stuck_pod(
                OWNER,
                "CreateContainerError",
                "container create failed: executable file not found in $PATH",
            ),
            "COMMAND_NOT_FOUND",
        ),
        (
            stuck_pod(OWNER, "CreateContainerError", "failed to generate spec: no such device"),
            "CONTAINER_CANNOT_BE_MADE",
        ),
        (
            stuck_pod(
                OWNER,
                "CreateContainerConfigError",
                "container has runAsNonRoot and image will run as root",
            ),
            "NON_ROOT_REFUSED",
        ),
        (
            stuck_pod(
                OWNER,
                "CreateContainerConfigError",
                "container's runAsUser breaks non-root policy (pod: x, container: main)",
            ),
            "NON_ROOT_REFUSED",
        ),
        (
            stuck_pod(OWNER, "CreateContainerConfigError", "failed to prepare subPath for main"),
            "CONTAINER_CANNOT_BE_MADE",
        ),
    ],
)
def test_runtime_is_understood(stuck: Object, cause: str) -> None:
    (each,) = found(stuck)

    assert (each.cause, each.container) == (cause, "main")
    assert str(each.subject) == "Deployment nova-services/user-service"
    assert each.grace is not None


def test_secret_that_a_busy_kubelet_has_not_read_yet_is_waited_for() -> None:
    said = "failed to sync secret cache: timed out waiting for the condition"
    (late,) = found(stuck_pod(OWNER, "CreateContainerConfigError", said))
    (lost,) = found(stuck_pod(OWNER, "CreateContainerConfigError", "failed to prepare subPath"))

    assert late.grace is not None
    assert lost.grace is not None
    assert late.grace > 60 > lost.grace  # a kubelet gives a read a minute


@pytest.mark.parametrize(
    ("code", "log", "cause"),
    [
        (127, "sh: novad: not found", "COMMAND_NOT_FOUND"),
        (126, "sh: /novad: Permission denied", "COMMAND_NOT_FOUND"),
        (1, "standard_init_linux.go:228: exec user process caused: exec format error",
         "ARCHITECTURE_WRONG"),
    ],
)  # fmt: skip
def test_shell_that_cannot_execute_is_understood(code: int, log: str, cause: str) -> None:
    (each,) = found(ended("Error", code), log=log)

    assert each.cause == cause
    assert any(log in line for line in each.evidence)


@pytest.mark.parametrize(
    "stuck",
    [
        ended("Error", 3),
        stuck_pod(OWNER, "CreateContainerConfigError", 'secret "a" not found'),
        ended("StartError", 128, "error mounting: mkdir /data: read-only file system"),
        pod("user-service-x", OWNER),
    ],
)
def test_what_others_name_is_left_to_them(stuck: Object) -> None:
    assert found(stuck, log="some words") == []


def test_sandbox_that_cannot_be_made_is_found_until_it_is() -> None:
    stuck = stuck_pod(OWNER, "ContainerCreating")
    failed = event(stuck, "FailedCreatePodSandBox", "plugin: no addresses left", second=1)
    pulled = event(stuck, "Pulled", "", kind="Normal", second=2)

    assert names(stuck, failed) == ["SANDBOX_FAILED"]
    assert names(stuck, failed, pulled) == []


def test_failing_hook_is_found() -> None:
    stuck = stuck_pod(OWNER, "PostStartHookError")

    assert names(stuck, event(stuck, "FailedPostStartHook", "exec failed")) == ["POST_START_FAILED"]


def initialising(**spec: Any) -> Object:
    stuck = stuck_pod(OWNER, "PodInitializing")
    stuck["spec"]["initContainers"] = [{"name": "wait", **spec}]
    stuck["status"]["initContainerStatuses"] = [{"name": "wait", "state": {"running": {}}}]
    return stuck


def test_init_container_that_runs_on_is_a_symptom() -> None:
    (each,) = found(initialising())

    assert (each.cause, each.container, each.grace) == ("INIT_UNFINISHED", "wait", 90)


def test_container_that_accompanies_the_others_may_run_on() -> None:
    assert found(initialising(restartPolicy="Always")) == []


def ring(value: str = "http://etcd-0.etcd:2380", **status: Any) -> Object:
    env = [{"name": "ETCD_INITIAL_CLUSTER", "value": f"etcd-0={value}"}]
    return with_container(stateful_set(**{"readyReplicas": 0, **status}), env=env)


HEADLESS = service("etcd", clusterIP="None")


@pytest.mark.parametrize(
    "value",
    [
        "http://etcd-0.etcd:2380",
        "http://etcd-2.etcd.nova-services.svc.cluster.local:2380",
        "tcp://etcd-${i}.etcd",
        "$(seq 0 2 | sed 's/.*/etcd-{}.etcd/')",
    ],
)
def test_members_that_name_each_other_need_names_before_readiness(value: str) -> None:
    (each,) = found(ring(value), HEADLESS)

    assert each.cause == "NAMES_BEFORE_READINESS"
    assert "publishNotReadyAddresses" in each.headline


def test_names_in_a_config_map_count() -> None:
    workload = with_container(
        stateful_set(readyReplicas=0), envFrom=[{"configMapRef": {"name": "etcd-config"}}]
    )
    peers = config_map("etcd-config", PEERS="etcd-0.etcd:2380,etcd-1.etcd:2380")

    assert names(workload, HEADLESS, peers) == ["NAMES_BEFORE_READINESS"]


@pytest.mark.parametrize(
    ("workload", "front"),
    [
        (ring(), service("etcd", clusterIP="None", publishNotReadyAddresses=True)),
        (ring(), service("etcd", clusterIP="10.96.0.7")),
        (ring(readyReplicas=3), HEADLESS),
        (ring("http://redis:6379"), HEADLESS),
        (ring("http://etcd-0.other:2380"), HEADLESS),
    ],
)
def test_names_that_are_there_or_not_wanted_are_no_finding(workload: Object, front: Object) -> None:
    assert found(workload, front) == []


def test_single_member_has_nobody_to_name() -> None:
    alone = ring()
    alone["spec"]["replicas"] = 1

    assert found(alone, HEADLESS) == []
