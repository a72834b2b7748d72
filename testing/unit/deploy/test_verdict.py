"""What is believed to be lost, and for how long."""

from __future__ import annotations

import pytest

from nova_acceptance.causes import causes
from nova_acceptance.components.kubernetes.graces import Patience
from nova_acceptance.deploy.verdict import Verdict
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from testing.unit.diagnosis.recorded import (
    deployment,
    pod,
    replica_set,
    service,
    stateful_set,
    with_container,
)

POD = Ref("Pod", "nova-services", "user-service-x")


def diagnosis(grace: float | None, container: str = "", subject: Ref = POD) -> Finding:
    broken = Phrase("it is broken")
    return Finding(next(iter(causes())), subject, broken, container=container, grace=grace)


def test_diagnosis_is_believed_once_it_outlasts_its_grace() -> None:
    patience = Patience()

    assert patience.exhausted([diagnosis(5)], now=100.0) == []
    assert patience.exhausted([diagnosis(5)], now=104.9) == []
    assert len(patience.exhausted([diagnosis(5)], now=105.0)) == 1


def test_diagnosis_that_passed_begins_anew() -> None:
    patience = Patience()
    patience.exhausted([diagnosis(5)], now=100.0)
    patience.exhausted([], now=103.0)

    assert patience.exhausted([diagnosis(5)], now=106.0) == []


def test_graces_of_two_diagnoses_run_apart() -> None:
    patience = Patience()
    patience.exhausted([diagnosis(5, "a")], now=100.0)

    (only,) = patience.exhausted([diagnosis(5, "a"), diagnosis(5, "b")], now=105.0)
    assert only.container == "a"


def test_diagnosis_without_grace_says_nothing_about_readiness() -> None:
    patience = Patience()
    patience.exhausted([diagnosis(None)], now=100.0)

    assert patience.exhausted([diagnosis(None)], now=10**6) == []


WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)
CRASHING = pod("user-service-x", OWNER, ready=False)


def believing(*objects: Object, subject: Ref = POD) -> tuple[Verdict, Snapshot]:
    snapshot = Snapshot.of(objects)
    verdict = Verdict()
    assert verdict.believe([diagnosis(0, subject=subject)], snapshot, now=100.0)
    return verdict, snapshot


def test_crash_is_believed_while_the_container_runs_for_a_moment() -> None:
    verdict, snapshot = believing(WORKLOAD, OWNER, CRASHING)

    assert not verdict.believe([], snapshot, now=101.0)
    assert verdict.lost([ref(WORKLOAD)], snapshot, now=101.0) == [ref(WORKLOAD)]


def test_pod_that_became_ready_after_all_is_not_lost() -> None:
    verdict, snapshot = believing(WORKLOAD, OWNER, CRASHING)
    snapshot.update("MODIFIED", pod("user-service-x", OWNER))
    verdict.believe([], snapshot, now=101.0)

    assert verdict.lost([ref(WORKLOAD)], snapshot, now=101.0) == []


def test_successor_of_a_broken_pod_is_judged_by_itself() -> None:
    verdict, snapshot = believing(WORKLOAD, OWNER, CRASHING)
    successor = pod("user-service-x", OWNER, ready=False)
    successor["metadata"]["uid"] = "uid-of-its-successor"
    snapshot.update("MODIFIED", successor)
    verdict.believe([], snapshot, now=101.0)

    assert verdict.lost([ref(WORKLOAD)], snapshot, now=101.0) == []


@pytest.mark.parametrize(("began", "is_lost"), [("Pending", False), ("Running", True)])
def test_what_kept_a_pod_from_starting_is_over_once_it_runs(began: str, is_lost: bool) -> None:
    hindered = pod("user-service-x", OWNER, ready=False)
    hindered["status"]["phase"] = began
    verdict, snapshot = believing(WORKLOAD, OWNER, hindered)
    snapshot.update("MODIFIED", CRASHING)
    verdict.believe([], snapshot, now=101.0)

    assert bool(verdict.lost([ref(WORKLOAD)], snapshot, now=101.0)) == is_lost


def test_what_is_said_of_other_objects_holds_while_it_shows() -> None:
    secret = Ref("Secret", "nova-services", "gone")
    verdict, snapshot = believing(WORKLOAD, subject=secret)
    verdict.believe([], snapshot, now=101.0)

    assert list(verdict.keys) == []


def test_caller_of_what_is_lost_is_given_a_moment() -> None:
    store = stateful_set(readyReplicas=0)
    env = [{"name": "STORE", "value": "etcd:2379"}]
    caller = with_container(deployment(readyReplicas=0, availableReplicas=0), env=env)
    front = service("etcd")
    left = [ref(caller), ref(store), ref(front)]
    verdict, snapshot = believing(caller, store, front, subject=ref(store))

    assert verdict.lost(left, snapshot, now=100.0) == [ref(store), ref(front)]
    assert verdict.lost(left, snapshot, now=110.0) == left


def test_what_does_not_need_the_lost_is_not_lost() -> None:
    store = stateful_set(readyReplicas=0)
    verdict, snapshot = believing(WORKLOAD, OWNER, CRASHING, store)

    assert verdict.lost([ref(store)], snapshot, now=200.0) == []
