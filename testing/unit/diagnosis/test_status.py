"""The meaning of each kind's status."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.components.kubernetes.status import State, status_of
from testing.unit.deploy.recorded import (
    claim,
    deployment,
    namespace,
    pod,
    service,
    stateful_set,
)


def test_rolled_out_deployment_is_current() -> None:
    assert status_of(deployment()).is_current


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 0}, "LatestGenerationNotObserved"),
        ({"replicas": 0}, "LessCreated"),
        ({"updatedReplicas": 0}, "LessUpdated"),
        ({"replicas": 2}, "ExtraPods"),
        ({"readyReplicas": 0}, "LessReady"),
        ({"availableReplicas": 0}, "LessAvailable"),
        ({"conditions": [{"type": "Available", "status": "False"}]}, "NotAvailable"),
    ],
)
def test_deployment_under_way_says_what_is_short(status: dict[str, Any], reason: str) -> None:
    found = status_of(deployment(**status))

    assert (found.state, found.reason) == (State.IN_PROGRESS, reason)


def test_deployment_without_a_status_is_under_way() -> None:
    fresh = deployment()
    fresh["status"] = {}

    assert status_of(fresh).reason == "NotObserved"


def test_deployment_past_its_progress_deadline_has_failed() -> None:
    message = 'ReplicaSet "user-service-11111" has timed out progressing.'
    late = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": message,
    }
    found = status_of(deployment(readyReplicas=0, conditions=[late]))

    assert (found.state, found.message) == (State.FAILED, message)


def test_deployment_of_no_replicas_is_current() -> None:
    none = deployment(
        replicas=0, updatedReplicas=0, readyReplicas=0, availableReplicas=0, conditions=[]
    )
    none["spec"]["replicas"] = 0

    assert status_of(none).is_current


def test_rolled_out_stateful_set_is_current() -> None:
    assert status_of(stateful_set()).is_current


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"replicas": 1}, "1 of 3 created"),
        ({"readyReplicas": 2}, "2 of 3 ready"),
        ({"updatedReplicas": 1, "updateRevision": "etcd-7d4"}, "1 of 3 updated"),
        ({"replicas": 4}, "1 pods too many remain"),
    ],
)
def test_stateful_set_under_way_says_what_is_short(status: dict[str, Any], message: str) -> None:
    found = status_of(stateful_set(**status))

    assert (found.state, found.message) == (State.IN_PROGRESS, message)


def test_stateful_set_that_updates_on_delete_waits_for_no_update() -> None:
    manual = stateful_set(updatedReplicas=0)
    manual["spec"]["updateStrategy"] = {"type": "OnDelete"}

    assert status_of(manual).is_current


def test_stateful_set_below_its_partition_is_current() -> None:
    staged = stateful_set(updatedReplicas=1)
    staged["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = 2

    assert status_of(staged).is_current


def test_stateful_set_has_to_stay_ready_as_long_as_it_asks_for() -> None:
    steady = stateful_set(availableReplicas=1)
    steady["spec"]["minReadySeconds"] = 5

    assert status_of(steady).message == "1 of 3 available"


@pytest.mark.parametrize(("ready", "state"), [(3, State.CURRENT), (2, State.IN_PROGRESS)])
def test_daemon_set_wants_a_ready_pod_on_every_node(ready: int, state: State) -> None:
    found = status_of(
        {
            "kind": "DaemonSet",
            "metadata": {"name": "kindnet", "generation": 1},
            "status": {
                "observedGeneration": 1,
                "desiredNumberScheduled": 3,
                "currentNumberScheduled": 3,
                "updatedNumberScheduled": 3,
                "numberAvailable": ready,
                "numberReady": ready,
            },
        }
    )

    assert found.state is state


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ({"type": "Complete", "status": "True"}, State.CURRENT),
        ({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}, State.FAILED),
        ({"type": "Suspended", "status": "False"}, State.IN_PROGRESS),
    ],
)
def test_job_is_current_once_complete(condition: dict[str, str], state: State) -> None:
    job = {"kind": "Job", "metadata": {"name": "seed"}, "status": {"conditions": [condition]}}

    assert status_of(job).state is state


@pytest.mark.parametrize(
    ("phase", "ready", "state"),
    [
        ("Running", True, State.CURRENT),
        ("Running", False, State.IN_PROGRESS),
        ("Pending", False, State.IN_PROGRESS),
        ("Succeeded", False, State.CURRENT),
        ("Failed", False, State.FAILED),
    ],
)
def test_pod_is_judged_by_phase_and_readiness(phase: str, ready: bool, state: State) -> None:
    assert status_of(pod("one", phase=phase, ready=ready)).state is state


@pytest.mark.parametrize(
    ("phase", "state"),
    [("Bound", State.CURRENT), ("Pending", State.IN_PROGRESS), ("Lost", State.FAILED)],
)
def test_claim_is_current_once_bound(phase: str, state: State) -> None:
    assert status_of(claim("data-etcd-0", phase)).state is state


def test_service_wants_a_ready_endpoint() -> None:
    assert status_of(service(), [Endpoint("10.244.1.7")]).is_current
    assert not status_of(service(), [Endpoint("10.244.1.7", is_ready=False)]).is_current
    assert not status_of(service()).is_current


@pytest.mark.parametrize("spec", [{"selector": None}, {"type": "ExternalName"}])
def test_service_that_selects_no_pods_wants_none(spec: dict[str, Any]) -> None:
    assert status_of(service(**spec)).is_current


def test_namespace_is_current_while_active() -> None:
    assert status_of(namespace()).is_current
    assert not status_of({**namespace(), "status": {"phase": "Terminating"}}).is_current


def test_absent_object_is_under_way() -> None:
    assert status_of(None).reason == "NotFound"


def test_object_under_deletion_is_under_way() -> None:
    leaving = deployment()
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T14:22:00Z"

    assert status_of(leaving).reason == "Terminating"


def test_kind_without_a_meaning_of_its_own_is_judged_by_its_ready_condition() -> None:
    def widget(ready: str) -> dict[str, Any]:
        conditions = [{"type": "Ready", "status": ready, "reason": "Assembling"}]
        return {"kind": "Widget", "metadata": {"name": "w"}, "status": {"conditions": conditions}}

    assert status_of(widget("True")).is_current
    assert status_of(widget("False")).reason == "Assembling"
    assert status_of({"kind": "ConfigMap", "metadata": {"name": "c"}}).is_current
