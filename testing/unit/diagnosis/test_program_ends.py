"""Programs that end by themselves, native sidecars, and words that mean something else."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import programs
from nova_acceptance.components.postgres import rules as postgres
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log, Snapshot
from testing.unit.diagnosis.elsewhere import (
    LONG_AGO,
    cluster,
    crashing,
    deployment,
    event,
    made,
    pod,
    readiness,
    said_of,
    template,
)
from testing.unit.diagnosis.members import DATABASE, member, snapshot, stateful_set

FAILED: dict[str, Any] = {
    "phase": "Failed",
    "conditions": [readiness(False)],
    "containerStatuses": [
        {
            "name": "main",
            "ready": False,
            "restartCount": 0,
            "state": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }
    ],
}
DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}


def task(**status: Any) -> Object:
    """Return a pod that somebody made for one task, and whose program failed at it."""
    return pod("task-1", template("task"), made("TaskRun", "task"), **{**FAILED, **status})


def found(seen: Snapshot) -> dict[str, Finding]:
    return {each.cause: each for rule in programs.LIVE for each in rule(seen)}


def test_pod_whose_own_program_failed_was_not_evicted() -> None:
    assert list(found(cluster(task()))) == ["CRASH_LOOP"]


@pytest.mark.parametrize(
    "status",
    [{"reason": "Evicted", "message": "low on memory"}, {"conditions": [DISRUPTED]}],
)
def test_pod_that_its_node_ended_was_evicted(status: dict[str, Any]) -> None:
    assert "POD_EVICTED" in found(cluster(task(**status)))


def with_sidecar(is_sidecar: bool, **status: Any) -> tuple[list[Object], Object]:
    """Return a Deployment with an init container in this state, and its pod."""
    more = {"restartPolicy": "Always"} if is_sidecar else {}
    inits = [{"name": "proxy", "image": "example.org/proxy:1", **more}]
    *owners, its = deployment("web", ready=False, initContainers=inits)
    its["status"] |= {"phase": "Pending", "conditions": [readiness(False)]}
    its["status"]["containerStatuses"][0] |= {
        "ready": False,
        "state": {"waiting": {"reason": "PodInitializing"}},
    }
    entry = {"name": "proxy", "ready": False, "restartCount": 0, "state": {"running": {}}}
    its["status"]["initContainerStatuses"] = [{**entry, **status}]
    return [*owners, its], its


@pytest.mark.parametrize(("is_sidecar", "said"), [(True, ["READINESS_FAILING"]), (False, [])])
def test_probe_of_a_sidecar_is_heeded(said: list[str], *, is_sidecar: bool) -> None:
    objects, its = with_sidecar(is_sidecar)
    message = "Startup probe failed: HTTP probe failed with statuscode: 503"
    unwell = event(its, "Unhealthy", message, fieldPath="spec.initContainers{proxy}")

    assert list(found(cluster(*objects, unwell))) == said


@pytest.mark.parametrize(("is_sidecar", "said"), [(True, ["PROGRAM_ENDED"]), (False, [])])
def test_sidecar_that_ends_without_an_error_is_not_done(
    said: list[str], *, is_sidecar: bool
) -> None:
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": LONG_AGO}}
    waits = {"waiting": {"reason": "CrashLoopBackOff"}}
    objects, _ = with_sidecar(is_sidecar, state=waits, lastState=done, restartCount=3)

    assert list(found(cluster(*objects))) == said


ELSEWHERE = [
    "inotify_add_watch(/data): no space left on device",
    "fsnotify: ENOSPC: no space left on device",
    "ENOSPC: System limit for number of file watchers reached, watch '/app'",
    'could not resize shared memory segment "/PostgreSQL.1": No space left on device',
    "could not create semaphores: No space left on device",
]


@pytest.mark.parametrize("line", ELSEWHERE)
def test_volume_is_not_full_where_the_kernel_lacks_something_else(line: str) -> None:
    objects = crashing("web")
    seen = cluster(*objects)
    seen.logs["app", "web-1-x", "main"] = [Log(line, previous=True)]

    assert list(found(seen)) == ["CRASH_LOOP"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        *((line, []) for line in ELSEWHERE[-2:]),
        ("PANIC: could not write to file: No space left on device", ["DISK_FULL"]),
    ],
)
def test_disk_of_the_database_is_full_only_where_files_cannot_be_written(
    line: str, said: list[str]
) -> None:
    database = stateful_set("postgres", DATABASE, 1, ready=0)
    seen = snapshot(
        database,
        member(database, 0, ready=False),
        logs={(DATABASE, "postgres-0", "postgres"): [Log(line)]},
    )
    known = {each.cause for rule in postgres.LIVE for each in rule(seen)}

    assert sorted(known & {"DISK_FULL"}) == said


def test_remark_of_a_program_that_starts_is_given_the_time_to_start() -> None:
    *owners, its = deployment("web", ready=False)
    its["status"]["conditions"] = [readiness(False)]
    its["status"]["containerStatuses"][0]["ready"] = False
    seen = cluster(*owners, its)
    seen.logs["app", "web-1-x", "main"] = [Log("chmod: /data: Operation not permitted")]

    assert found(seen)["PERMISSION_DENIED"].grace == 90


def test_failed_task_is_told_by_its_exit_status() -> None:
    assert said_of(cluster(task())) == ["CRASH_LOOP"]
