"""What programs die of, and what their probes are answered."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import programs
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log, Snapshot
from testing.unit.diagnosis.recorded import (
    NAMESPACE,
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
WHERE = NAMESPACE, "user-service-x", "main"


def found(*objects: Object, log: str = "", previous: bool = True) -> list[Finding]:
    snapshot = Snapshot.of([WORKLOAD, OWNER, *objects])
    if log:
        snapshot.logs[WHERE] = [Log(log, previous)]
    rules = (*programs.BEFOREHAND, *programs.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def only(*objects: Object, log: str = "", previous: bool = True) -> Finding:
    (each,) = found(*objects, log=log, previous=previous)
    return each


def crashing(restarts: int = 1, reason: str = "Error", code: int = 3) -> Object:
    ended = {"terminated": {"reason": reason, "exitCode": code}}
    return stuck_pod(OWNER, "CrashLoopBackOff", restartCount=restarts, lastState=ended)


def running(**more: Any) -> Object:
    state = {"ready": False, "state": {"running": {"startedAt": "2026-11-23T14:22:00Z"}}}
    return pod("user-service-x", OWNER, ready=False, container={**state, **more})


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("mkdir: can't create '/data/x': Read-only file system", "READ_ONLY_FILE_SYSTEM"),
        ("open /var/run/nova.pid: read-only file system", "READ_ONLY_FILE_SYSTEM"),
        ("OSError: [Errno 30] Read-only file system: '/tmp/a'", "READ_ONLY_FILE_SYSTEM"),
        ("Error: EROFS: read-only file system, mkdir '/app/.cache'", "READ_ONLY_FILE_SYSTEM"),
        ("FATAL: could not write: No space left on device", "VOLUME_FULL"),
        ("listen tcp :8080: bind: address already in use", "PORT_IN_USE"),
        ("Error: listen EADDRINUSE: address already in use :::8080", "PORT_IN_USE"),
        ("PermissionError: [Errno 13] Permission denied: '/data'", "PERMISSION_DENIED"),
        ("chown: /data: Operation not permitted", "PERMISSION_DENIED"),
        ("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", "PERMISSION_DENIED"),
    ],
)
def test_last_words_name_the_cause_at_the_first_crash(log: str, cause: str) -> None:
    each = only(crashing(1), log=f"starting\n{log}\nbye")

    assert (each.cause, each.grace, each.container) == (cause, 0, "main")
    assert log in each.summary


@pytest.mark.parametrize(
    "log",
    [
        "can not modify /etc/nginx/conf.d/default.conf (read-only file system?)",
        "ERROR: permission denied for table users",
        "ERROR: permission denied to create database",
        "cannot execute INSERT in a read-only transaction",
        "git@example.com: Permission denied (publickey)",
    ],
)
def test_words_that_only_sound_alike_are_a_crash(log: str) -> None:
    assert only(crashing(1), log=log).cause == "CRASH_LOOP"


def test_words_of_a_program_that_runs_on_are_believed_later() -> None:
    each = only(running(), log="retrying: Read-only file system", previous=False)

    assert (each.cause, each.grace) == ("READ_ONLY_FILE_SYSTEM", 90)


def test_words_of_a_program_that_is_ready_count_for_nothing() -> None:
    ready = pod("user-service-x", OWNER)

    assert found(ready, log="Read-only file system", previous=False) == []


def test_runtime_that_cannot_make_a_mount_point_names_the_file_system() -> None:
    ended = {"reason": "StartError", "exitCode": 128}
    message = {"message": "error mounting: mkdir /data: read-only file system"}
    stuck = stuck_pod(OWNER, "RunContainerError", lastState={"terminated": {**ended, **message}})

    assert only(stuck).cause == "READ_ONLY_FILE_SYSTEM"


@pytest.mark.parametrize(("restarts", "grace"), [(0, None), (1, 5), (2, 0), (7, 0)])
def test_crash_is_believed_when_it_is_repeated(restarts: int, grace: float | None) -> None:
    each = only(crashing(restarts), log="boom")

    assert (each.cause, each.grace) == ("CRASH_LOOP", grace)
    assert each.meaning.is_symptom
    assert each.summary.endswith("boom")


def test_crash_while_something_else_is_not_ready_may_be_a_hiccup() -> None:
    env = [{"name": "STORE", "value": "etcd:2379"}]
    caller = with_container(deployment(readyReplicas=0, availableReplicas=0), env=env)
    store = stateful_set(readyReplicas=0), service("etcd", selector={"app": "etcd"})

    assert [each.grace for each in found(caller, *store, crashing(4))] == [None]
    assert [each.grace for each in found(caller, *store, crashing(5))] == [0]


@pytest.mark.parametrize(
    ("began", "grace"), [("2026-11-23T14:22:01Z", None), ("2026-11-23T14:22:30Z", 0)]
)
def test_crash_from_before_the_others_were_ready_proves_nothing(
    began: str, grace: float | None
) -> None:
    env = [{"name": "STORE", "value": "etcd:2379"}]
    caller = with_container(deployment(readyReplicas=0, availableReplicas=0), env=env)
    store = stateful_set()
    member = pod("etcd-0", store)
    for each in member["status"]["conditions"]:
        each["lastTransitionTime"] = "2026-11-23T14:22:00Z"
    ill = crashing(2)
    ill["status"]["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = began
    front = service("etcd", selector={"app": "etcd"})

    assert [each.grace for each in found(caller, store, member, front, ill)] == [grace]


def test_those_who_name_each_other_wait_for_nobody() -> None:
    caller = deployment(readyReplicas=0, availableReplicas=0)
    store = stateful_set(readyReplicas=0)
    with_container(caller, env=[{"name": "STORE", "value": "etcd:2379"}])
    with_container(store, env=[{"name": "USERS", "value": "user-service:8080"}])
    fronts = service("etcd", selector={"app": "etcd"}), service()

    assert [each.grace for each in found(caller, store, *fronts, crashing(2))] == [0]


def test_crashing_member_of_several_is_given_one_try_more() -> None:
    store = stateful_set(readyReplicas=0)
    ill = crashing(2)
    ill["metadata"]["ownerReferences"] = pod("etcd-0", store)["metadata"]["ownerReferences"]

    assert [each.grace for each in found(store, ill)] == [None]


def test_crash_says_how_it_ended() -> None:
    each = only(crashing(4, "Error", 137))

    assert "number of restarts: 4, the last after exit status 137 (Error)" in each.summary


def test_program_that_runs_again_is_given_time() -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}

    assert found(running(restartCount=1, lastState=ended)) == []


@pytest.mark.parametrize(("restarts", "grace"), [(0, 10), (1, 0)])
def test_container_killed_for_its_memory_is_found(restarts: int, grace: float) -> None:
    each = only(crashing(restarts, "OOMKilled", 137))

    assert (each.cause, each.grace) == ("OUT_OF_MEMORY", grace)


def test_program_that_ends_without_error_is_found() -> None:
    assert only(crashing(2, "Completed", 0)).cause == "PROGRAM_ENDED"


def test_command_that_is_not_found_is_left_to_startup() -> None:
    assert found(crashing(2, "Error", 127)) == []
    assert found(crashing(2, "StartError", 128)) == []


def test_init_container_that_is_done_is_no_finding() -> None:
    stuck = stuck_pod(OWNER, "PodInitializing")
    done = {"terminated": {"reason": "Completed", "exitCode": 0}}
    stuck["status"]["initContainerStatuses"] = [{"name": "init", "state": done}]

    assert found(stuck) == []


@pytest.mark.parametrize("probe", ["liveness", "startup"])
def test_container_that_its_probe_kills_is_found(probe: str) -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 143}}
    ill = running(restartCount=2, lastState=ended)
    answer = f"{probe.title()} probe failed: HTTP probe failed with statuscode: 500"
    killing = f"Container main failed {probe} probe, will be restarted"
    each = only(
        ill,
        event(ill, "Unhealthy", answer, second=1),
        event(ill, "Killing", killing, kind="Normal", second=2),
    )

    assert (each.cause, each.grace) == ("PROBE_FAILING", 0)
    assert f"{probe} probe" in each.summary
    assert "statuscode: 500" in each.summary


@pytest.mark.parametrize(
    ("answer", "grace"),
    [
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", 30),
        ("Readiness probe failed: HTTP probe failed with statuscode: 503", 90),
        ("Readiness probe failed: dial tcp 10.1.0.9:80: connect: connection refused", 90),
        ('Readiness probe failed: Get "http://10.1.0.9:80/": context deadline exceeded', 90),
        ("Startup probe failed: no response", 90),
    ],
)
def test_program_that_does_not_call_itself_ready_is_a_symptom(answer: str, grace: float) -> None:
    ill = running()
    each = only(ill, event(ill, "Unhealthy", answer))

    assert (each.cause, each.grace) == ("READINESS_FAILING", grace)
    assert each.is_symptom is ("404" not in answer)  # which is the probe's own fault, or the page's
    assert answer.partition(": ")[2] in each.summary


@pytest.mark.parametrize(("status", "cause"), [(404, "READINESS_FAILING"), (503, "SECRET_MISSING")])
def test_page_that_is_not_there_is_not_laid_to_what_the_program_needs(
    status: int, cause: str
) -> None:
    env = [{"name": "STORE", "value": "etcd:2379"}]
    caller = with_container(deployment(readyReplicas=0, availableReplicas=0), env=env)
    store = with_container(
        stateful_set(readyReplicas=0), envFrom=[{"secretRef": {"name": "absent"}}]
    )
    ill = running()
    answer = f"Readiness probe failed: HTTP probe failed with statuscode: {status}"
    front = service("etcd", selector={"app": "etcd"})
    objects = caller, OWNER, store, front, ill, event(ill, "Unhealthy", answer)

    first, *_ = Doctor(Snapshot.of(objects)).explain([ref(caller)]).causes

    assert first.root.cause == cause


def test_page_that_a_start_up_probe_never_finds_is_the_end_of_the_program() -> None:
    ill = running()
    each = only(
        ill, event(ill, "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404")
    )

    assert (each.cause, each.grace) == ("PROBE_FAILING", 10)


def test_probe_of_another_container_is_not_taken_for_this_one() -> None:
    ill = running()
    said = event(ill, "Unhealthy", "Readiness probe failed: no")
    said["involvedObject"]["fieldPath"] = "spec.containers{sidecar}"

    assert found(ill, said) == []


def failed(*names: str) -> list[Object]:
    pods = [pod(name, OWNER, phase="Failed", ready=False) for name in names]
    for each in pods:
        each["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
        each["status"]["containerStatuses"] = []
    return pods


def test_failed_pods_are_final_at_the_third() -> None:
    assert [each.grace for each in found(*failed("a", "b", "c"))] == [None, None, 0]


def test_failed_pod_whose_successor_is_ready_is_no_finding() -> None:
    assert found(deployment(), *failed("a")) == []


def test_workload_that_has_failed_says_so_itself() -> None:
    said = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    stuck = deployment(conditions=[said])
    stuck["metadata"] |= {"name": "seed", "uid": "uid-seed"}
    each = only(stuck)

    assert (each.cause, each.grace) == ("DEADLINE_EXCEEDED", 30)
    assert "ProgressDeadlineExceeded" in each.summary
