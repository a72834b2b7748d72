"""Pods that the API refuses to their controllers."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import admission
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import asking, deployment, event, replica_set, stateful_set

FORBIDDEN = 'pods "user-service-x" is forbidden: '


def found(*objects: Object) -> list[Finding]:
    snapshot = Snapshot.of(objects)
    rules = (*admission.BEFOREHAND, *admission.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def refused(message: str) -> list[Finding]:
    workload = deployment(readyReplicas=0)
    failure = {"type": "ReplicaFailure", "status": "True", "message": message}
    owner = replica_set(workload, conditions=[failure], replicas=0)
    return found(workload, owner)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (f"{FORBIDDEN}exceeded quota: q, requested: pods=1, used: pods=5", "QUOTA_EXCEEDED"),
        (f"{FORBIDDEN}failed quota: q: must specify limits.cpu", "QUOTA_EXCEEDED"),
        (
            f"{FORBIDDEN}maximum cpu usage per Container is 1, but limit is 2",
            "LIMIT_RANGE_VIOLATED",
        ),
        (f'{FORBIDDEN}violates PodSecurity "restricted:latest": …', "POD_SECURITY_VIOLATED"),
        (f"{FORBIDDEN}PodSecurityPolicy: unable to admit pod: []", "POD_SECURITY_VIOLATED"),
        (f"{FORBIDDEN}no PriorityClass with name gold was found", "PRIORITY_CLASS_MISSING"),
        (
            f'{FORBIDDEN}error looking up service account ns/bot: serviceaccount "bot" not found',
            "SERVICE_ACCOUNT_MISSING",
        ),
        (
            'admission webhook "policy.example.com" denied the request: no latest tags',
            "WEBHOOK_FAILED",
        ),
        ('Internal error: failed calling webhook "inject.io": no endpoints', "WEBHOOK_FAILED"),
        ('Pod "user-service-x" is invalid: spec.containers[0].ports: Duplicate', "POD_REFUSED"),
    ],
)
def test_refusal_is_understood(message: str, cause: str) -> None:
    (each,) = refused(message)

    assert (each.cause, str(each.subject)) == (cause, "Deployment nova-services/user-service")
    assert each.grace is not None


def test_first_service_account_may_come_late() -> None:
    message = f"{FORBIDDEN}error looking up service account ns/default: service account not found"
    (each,) = refused(message)

    assert each.grace == 30


def stateful_with(message: str, *, fresh: bool) -> list[Finding]:
    etcd = stateful_set(replicas=0, readyReplicas=0)
    snapshot = Snapshot(is_watched=True)
    snapshot.update("ADDED", etcd)
    snapshot.update("ADDED", event(etcd, "FailedCreate", message), fresh=fresh)
    return list(admission.pods_refused(snapshot))


def test_refusal_is_found_among_a_stateful_sets_events() -> None:
    message = 'create Pod etcd-0 in StatefulSet etcd failed error: pods "etcd-0" is forbidden: '
    (each,) = stateful_with(f"{message}exceeded quota: q", fresh=True)

    assert each.cause == "QUOTA_EXCEEDED"
    assert each.summary.endswith(": exceeded quota: q")


def test_refusal_of_an_earlier_deployment_does_not_count() -> None:
    assert stateful_with("pods is forbidden: exceeded quota: q", fresh=False) == []


def test_pod_that_was_made_after_all_is_no_finding() -> None:
    etcd = stateful_set(replicas=0, readyReplicas=0)
    refusal = event(etcd, "FailedCreate", "exceeded quota: q", second=1)
    made = event(etcd, "SuccessfulCreate", "create Pod etcd-0", kind="Normal", second=2)

    assert found(etcd, refusal, made) == []


def test_names_that_nobody_has_are_found_beforehand() -> None:
    workload = asking(
        deployment(readyReplicas=0), serviceAccountName="bot", priorityClassName="gold"
    )

    assert [each.cause for each in found(workload)] == [
        "SERVICE_ACCOUNT_MISSING",
        "PRIORITY_CLASS_MISSING",
    ]


def test_names_that_every_cluster_has_are_no_finding() -> None:
    workload = asking(
        deployment(readyReplicas=0),
        serviceAccountName="default",
        priorityClassName="system-cluster-critical",
    )

    assert found(workload) == []
