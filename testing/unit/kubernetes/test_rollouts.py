"""A rollout that is under way while the Service works, and one that is stuck."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import workloads
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Workload
from testing.unit.diagnosis.elsewhere import (
    APP,
    cluster,
    deployment,
    event,
    made,
    pod,
    readiness,
    said_of,
)

REVISION = "deployment.kubernetes.io/revision"
API = Workload(name="api", kind="Deployment", namespace=APP, component="api", replicas=1)
UPDATED = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}
AVAILABLE = {"type": "Available", "status": "True"}


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


class Rollout:
    """A Deployment of one pod, beside which a pod of a new template has been made."""

    def __init__(self, age: float = 8, **entry: Any) -> None:
        workload, before, old = deployment("api")
        self.workload, self.before, self.old = workload, before, old
        workload["metadata"]["annotations"] = {REVISION: "2"}
        workload["spec"]["selector"] = {"matchLabels": {"app": "api"}}
        workload["status"] |= {"replicas": 2, "conditions": [AVAILABLE, UPDATED]}
        after = made("ReplicaSet", "api-2", {"replicas": 1}, {}, owner=workload)
        after["metadata"]["annotations"] = {REVISION: "2"}
        running = {"name": "main", "ready": False, "restartCount": 0, "state": {"running": {}}}
        self.new = pod(
            "api-2-x",
            workload["spec"]["template"],
            after,
            conditions=[readiness(False)],
            containerStatuses=[running | entry],
        )
        self.age = age
        self.after = after
        self.events: list[Object] = []

    def refused(self, answer: str) -> Rollout:
        self.events.append(event(self.new, "Unhealthy", f"Readiness probe failed: {answer}"))
        return self

    def took(self, seconds: float) -> Rollout:
        """Let the old pod have taken so many seconds to become ready."""
        began = datetime(2020, 1, 1, tzinfo=UTC)
        self.old["status"]["startTime"] = began.isoformat()
        ready = (began + timedelta(seconds=seconds)).isoformat()
        self.old["status"]["conditions"][0]["lastTransitionTime"] = ready
        return self

    def snapshot(self, *more: Object) -> Snapshot:
        """Return what there is now, however long ago the rollout was thought of."""
        self.new["metadata"]["creationTimestamp"] = ago(self.age)
        there = (self.workload, self.before, self.old, self.after, self.new)
        return cluster(*there, *self.events, *more)

    def found(self) -> set[str]:
        """Return what the acceptance tests and a look at the whole cluster say."""
        seen = self.snapshot()
        checks = (workloads.lacking_replicas, workloads.unready_pods)
        by_tests = {each.cause for check in checks for each in check(seen, API)}
        return by_tests | set(said_of(seen))


WAITING: dict[str, Any] = {"state": {"waiting": {"reason": "ContainerCreating"}}}


@pytest.mark.parametrize(
    "rollout",
    [
        Rollout(),
        Rollout(8, **WAITING),
        Rollout(age=70),
        Rollout(age=10).refused("dial tcp 10.1.0.9:8080: connect: connection refused"),
        Rollout(age=50).took(20).refused("HTTP probe failed with statuscode: 503"),
    ],
    ids=["runs", "is made", "takes its time", "refuses at first", "as slow as the one before"],
)
def test_extra_pod_of_a_rollout_is_no_fault_while_the_service_works(rollout: Rollout) -> None:
    assert rollout.found() == set()


def test_new_pod_that_has_to_be_ready_for_a_while_before_the_old_one_goes() -> None:
    rollout = Rollout(age=500, ready=True)
    rollout.new["status"]["conditions"] = [readiness(True)]
    rollout.workload["spec"]["minReadySeconds"] = 3600

    assert rollout.found() == set()


def test_new_pod_that_was_evicted_is_replaced_like_any() -> None:
    rollout = Rollout()
    evicted = pod(
        "api-2-old",
        rollout.workload["spec"]["template"],
        rollout.after,
        phase="Failed",
        reason="Evicted",
        conditions=[readiness(False)],
        containerStatuses=[],
    )

    assert workloads.unready_pods(rollout.snapshot(evicted), API) == []


def test_probe_that_begins_late_makes_no_pod_ill() -> None:
    rollout = Rollout(age=200)
    rollout.new["spec"]["containers"][0]["readinessProbe"] = {"initialDelaySeconds": 240}

    assert rollout.found() == set()


@pytest.mark.parametrize(
    ("rollout", "cause"),
    [
        (Rollout(state={"waiting": {"reason": "ImagePullBackOff"}}), "IMAGE_PULL"),
        (Rollout(age=300), ""),
        (Rollout(restartCount=1), ""),
        (Rollout(state={"terminated": {"exitCode": 1, "reason": "Error"}}), "CRASH_LOOP"),
        (Rollout(age=2).refused("HTTP probe failed with statuscode: 404"), "READINESS_FAILING"),
        (Rollout(age=50).took(3).refused("connection refused"), "READINESS_FAILING"),
    ],
    ids=["image", "too long", "restarted", "ended", "wrong page", "slower than the one before"],
)
def test_extra_pod_that_has_trouble_is_found_although_the_old_one_serves(
    rollout: Rollout, cause: str
) -> None:
    found = rollout.found()

    assert "WORKLOAD_NOT_READY" in found
    assert cause in {"", *found}


def paused(rollout: Rollout) -> None:
    rollout.workload["spec"]["paused"] = True


def late(rollout: Rollout) -> None:
    rollout.workload["status"]["conditions"] = [
        AVAILABLE,
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
    ]


def without_the_old_one(rollout: Rollout) -> None:
    rollout.workload["status"] |= {"availableReplicas": 0, "readyReplicas": 0}
    rollout.old["status"]["conditions"] = [readiness(False)]


def refused_by_the_api(rollout: Rollout) -> None:
    # no pod of the new template was ever made
    rollout.workload["status"]["replicas"] = 1
    rollout.workload["status"]["updatedReplicas"] = 0
    rollout.workload["status"]["conditions"][1] = {
        "type": "Progressing",
        "status": "True",
        "reason": "NewReplicaSetCreated",
    }
    rollout.new["metadata"]["ownerReferences"] = rollout.old["metadata"]["ownerReferences"]


@pytest.mark.parametrize("hinder", [paused, late, without_the_old_one, refused_by_the_api])
def test_rollout_that_does_not_get_on_is_found(hinder: Any) -> None:
    rollout = Rollout()
    hinder(rollout)

    assert "WORKLOAD_NOT_READY" in rollout.found()


def test_server_on_its_loopback_alone_is_not_just_starting() -> None:
    seen = Rollout().snapshot()
    new = next(it for it in seen.of_kind("Pod") if it["metadata"]["name"] == "api-2-x")
    seen.on_loopback[ref(new), 8080] = ("it answers there",)

    assert workloads.unready_pods(seen, API)


def test_pod_too_many_beside_a_rollout_that_is_through_is_found() -> None:
    rollout = Rollout(ready=True)
    rollout.new["status"]["conditions"] = [readiness(True)]
    rollout.workload["status"] |= {"replicas": 1}

    assert workloads.unready_pods(rollout.snapshot(), API)
