"""Workloads and their pods: there, ready, spread, and nothing besides."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import workloads
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.kubernetes.there import STORE, WEB, causes, made, node, pod, seen
from testing.unit.probes.a_nova import nova

NOT_READY = [("WORKLOAD_NOT_READY", "web")]
PODS = (pod("web-a", node="one"), pod("web-b", node="two"))
NODES = (node("one"), node("two"))


def there(*more: Object) -> Snapshot:
    return seen(made(), *PODS, *NODES, *more)


def test_workload_that_is_well() -> None:
    for check in (
        workloads.lacking_replicas,
        workloads.unready_pods,
        workloads.restarted_containers,
        workloads.crowded_nodes,
    ):
        assert check(there(), WEB) == []


def test_workload_that_is_missing() -> None:
    (found,) = workloads.lacking_replicas(seen(), WEB)

    assert (found.cause, found.subject.name) == ("WORKLOAD_MISSING", "web")


def test_workload_of_another_scale() -> None:
    scaled = made()
    scaled["spec"]["replicas"] = 1

    assert causes(workloads.lacking_replicas(seen(scaled), WEB))[0] == ("REPLICAS_WRONG", "web")


@pytest.mark.parametrize(
    "status",
    [
        {"readyReplicas": 1},
        {"updatedReplicas": 1},
        {"observedGeneration": 2},
        {"observedGeneration": None},
        {"availableReplicas": 0},
    ],
)
def test_workload_that_is_not_rolled_out(status: dict[str, Any]) -> None:
    found = workloads.lacking_replicas(seen(made(**status)), WEB)

    assert set(causes(found)) == set(NOT_READY)


def test_stateful_set_that_keeps_old_pods_on_purpose_is_not_up_to_date() -> None:
    kept = made(STORE, updatedReplicas=0)
    kept["spec"]["updateStrategy"] = {"type": "OnDelete"}

    assert causes(workloads.lacking_replicas(seen(kept), STORE)) == [
        ("WORKLOAD_NOT_READY", "store")
    ]


def test_pods_in_another_number_or_unready() -> None:
    unready = pod("web-b", conditions=[{"type": "Ready", "status": "False"}])
    (found,) = workloads.unready_pods(seen(made(), PODS[0], unready), WEB)

    assert found.summary == "Deployment shop/web is not ready: web-b is not ready"
    assert causes(workloads.unready_pods(seen(made(), PODS[0]), WEB)) == NOT_READY
    assert causes(workloads.unready_pods(there(pod("web-c")), WEB)) == NOT_READY


@pytest.mark.parametrize(
    "check",
    [workloads.unready_pods, workloads.restarted_containers, workloads.crowded_nodes],
)
def test_nothing_holds_of_a_workload_without_pods(check: Any) -> None:
    assert causes(check(seen(made(), *NODES), WEB)) == NOT_READY


def test_restart_is_found_with_how_it_ended() -> None:
    ended = {"reason": "OOMKilled", "exitCode": 137}
    status = {"name": "main", "restartCount": 2, "lastState": {"terminated": ended}}
    again = pod("web-a", containerStatuses=[status])
    (found,) = workloads.restarted_containers(seen(made(), again, PODS[1]), WEB)

    assert (found.cause, found.subject.name) == ("CONTAINER_RESTARTED", "web")
    assert found.summary == (
        "Pod shop/web-a has restarted 2 times, the last time by main: OOMKilled, exit status 137"
    )


def test_replicas_share_a_node_only_where_they_must() -> None:
    crowded = (made(), pod("web-a"), pod("web-b"))
    cordoned = node("two")
    cordoned["spec"]["unschedulable"] = True

    assert causes(workloads.crowded_nodes(seen(*crowded, *NODES), WEB)) == [("SPREAD_LOST", "web")]
    assert workloads.crowded_nodes(seen(*crowded, NODES[0], cordoned), WEB) == []


@pytest.mark.parametrize(
    ("tolerations", "found"),
    [([], []), ([{"operator": "Exists"}], [("SPREAD_LOST", "web")])],
)
def test_node_that_the_pods_do_not_tolerate_could_not_carry_them(
    tolerations: list[dict[str, str]], found: list[tuple[str, str]]
) -> None:
    pods = [pod("web-a"), pod("web-b")]
    for each in pods:
        each["spec"]["tolerations"] = tolerations
    control_plane = node("two")
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    control_plane["spec"]["taints"] = [taint]

    there = seen(made(), *pods, NODES[0], control_plane)
    assert causes(workloads.crowded_nodes(there, WEB)) == found


REDIS = nova().component("redis").workload


def left_over(*more: Object, **update: str) -> list[tuple[str, str]]:
    system = nova().model_copy(update=update)
    snapshot = seen(made(REDIS), pod("redis-0", REDIS), *more)
    return causes(workloads.pods_left_over(snapshot, system, "nova-redis"))


def changed(obj: Object, **metadata: Any) -> Object:
    obj["metadata"].update(metadata)
    return obj


def test_pods_of_declared_workloads_are_kept() -> None:
    assert left_over() == []


def test_pods_that_nobody_keeps_are_found() -> None:
    stray = changed(pod("debug", REDIS), labels={})
    in_disguise = changed(pod("redis-7", REDIS), ownerReferences=[])
    failed = pod("redis-8", REDIS, phase="Failed")

    assert left_over(stray, in_disguise, failed) == [
        ("POD_LEFT_OVER", "debug"),
        ("POD_LEFT_OVER", "redis-7"),
        ("POD_LEFT_OVER", "redis-8"),
    ]
    assert left_over(stray, in_disguise, failed, undeclared="allowed") == []


@pytest.mark.parametrize(("ends", "is_stuck"), [("2999", False), ("2020", True)])
def test_pod_on_its_way_out_is_none_until_it_is_stuck(ends: str, *, is_stuck: bool) -> None:
    leaving = changed(pod("redis-7", REDIS), deletionTimestamp=f"{ends}-01-01T00:00:00Z")

    assert left_over(leaving) == ([("POD_LEFT_OVER", "redis-7")] if is_stuck else [])


def job(name: str, condition: str = "", **metadata: Any) -> Object:
    """Return a Job that is at work, is `Complete` or has `Failed`."""
    return {
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": "nova-redis",
            "uid": f"uid-{name}",
            **metadata,
        },
        "spec": {"template": {"metadata": {}, "spec": {"containers": []}}},
        "status": {"conditions": [{"type": condition, "status": "True"}] if condition else []},
    }


def pod_of(owner: Object, phase: str) -> Object:
    name = owner["metadata"]["name"]
    reference = {"kind": "Job", "name": name, "uid": owner["metadata"]["uid"]}
    return changed(pod(f"{name}-a", REDIS, phase=phase), ownerReferences=[reference], labels={})


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Failed"])
@pytest.mark.parametrize("condition", ["", "Complete", "Failed"])
def test_pods_of_a_job_are_kept_whatever_became_of_one(condition: str, phase: str) -> None:
    migration = job("migration", condition)

    assert left_over(migration, pod_of(migration, phase)) == []


def test_pods_of_a_job_that_is_gone_go_by_themselves() -> None:
    assert left_over(pod_of(job("migration"), "Failed")) == []


EVICTED: dict[str, Any] = {"reason": "Evicted", "message": "The node was low on resource: memory."}


@pytest.mark.parametrize("more", [{}, EVICTED])
def test_evicted_pods_beside_those_that_are_ready_leave_their_workload_ready(
    more: dict[str, Any],
) -> None:
    ended = [pod(f"web-{n}", phase="Failed", conditions=[], **more) for n in range(3)]
    failing = {"name": "main", "restartCount": 4}
    ended[0]["status"]["containerStatuses"] = [failing]

    assert workloads.unready_pods(there(*ended), WEB) == []
    assert workloads.restarted_containers(there(*ended), WEB) == []
    assert workloads.crowded_nodes(there(*ended), WEB) == []


def test_evicted_pod_in_whose_place_none_is_ready_is_missed() -> None:
    ended = pod("web-c", phase="Failed", conditions=[], **EVICTED)
    found = workloads.unready_pods(seen(made(), PODS[0], ended), WEB)

    assert [each.summary for each in found] == [
        "Deployment shop/web is not ready: it has 1 pods, where nova.yaml says 2"
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            EVICTED,
            "Pod nova-redis/redis-8 was evicted and is still listed, while 1 of 1 replicas of "
            "StatefulSet nova-redis/redis are ready: Evicted: The node was low on resource: "
            "memory.",
        ),
        (
            {"reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"},
            "Pod nova-redis/redis-8 has failed and is still listed, while 1 of 1 replicas of "
            "StatefulSet nova-redis/redis are ready: OutOfcpu: Node didn't have enough "
            "resource: cpu",
        ),
        (
            {
                "conditions": [
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "TerminationByKubelet",
                        "message": "Preempted in order to admit critical pod",
                    }
                ]
            },
            "Pod nova-redis/redis-8 has failed and is still listed, while 1 of 1 replicas of "
            "StatefulSet nova-redis/redis are ready: TerminationByKubelet: Preempted in order to "
            "admit critical pod",
        ),
        (
            {},
            "Pod nova-redis/redis-8 has failed and is still listed, while 1 of 1 replicas of "
            "StatefulSet nova-redis/redis are ready: it does not say why",
        ),
    ],
)
def test_pod_that_has_ended_says_why_and_what_runs_in_its_place(
    status: dict[str, Any], said: str
) -> None:
    ended = pod("redis-8", REDIS, **{"phase": "Failed", "conditions": [], **status})
    there = seen(made(REDIS), pod("redis-0", REDIS), ended)
    (found,) = workloads.pods_left_over(there, nova(), "nova-redis")

    assert (found.cause, found.summary) == ("POD_LEFT_OVER", said)
    assert found.cure == "`kubectl -n nova-redis delete pod redis-8`, once nobody needs it"


def test_pod_that_does_not_go_is_told_as_that() -> None:
    stuck = changed(
        pod("redis-7", REDIS), deletionTimestamp="2020-01-01T00:00:00Z", finalizers=["a.example/b"]
    )
    (found,) = workloads.pods_left_over(seen(made(REDIS), stuck), nova(), "nova-redis")

    assert found.summary == (
        "Pod nova-redis/redis-7 was to be gone by 2020-01-01T00:00:00Z and is still there"
    )
    assert "finalizers: ['a.example/b']" in found.evidence


@pytest.mark.parametrize("phase", ["Running", "Succeeded", "Failed"])
def test_pod_of_a_job_is_none_of_the_workload_whose_labels_it_carries(phase: str) -> None:
    migration = pod_of(job("web-migration"), phase)
    migration["metadata"] |= {"namespace": "shop", "labels": {"app": "web"}}
    migration["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    migration["status"]["containerStatuses"] = [{"name": "main", "restartCount": 2}]

    for check in (workloads.unready_pods, workloads.restarted_containers, workloads.crowded_nodes):
        assert check(there(migration), WEB) == []


def test_pod_that_has_done_what_somebody_made_it_for_is_kept() -> None:
    of_a_task = [{"kind": "TaskRun", "name": "seed", "uid": "uid-seed"}]
    done = changed(pod("seed", REDIS, phase="Succeeded"), ownerReferences=of_a_task, labels={})
    at_work = changed(pod("seed-2", REDIS), ownerReferences=of_a_task, labels={})
    nobodys = changed(pod("once", REDIS, phase="Succeeded"), ownerReferences=[], labels={})

    assert left_over(done) == []
    assert left_over(done, at_work, nobodys) == [
        ("POD_LEFT_OVER", "seed-2"),
        ("POD_LEFT_OVER", "once"),
    ]


def test_workload_that_nobody_declared_is_found_unless_it_is_allowed() -> None:
    system, other = nova(), made(REDIS.model_copy(update={"name": "memcached"}))
    snapshot = seen(made(REDIS), other)

    found = workloads.undeclared_workloads(snapshot, system, "nova-redis")
    assert causes(found) == [("UNDECLARED_WORKLOAD", "memcached")]
    allowed = system.model_copy(update={"undeclared": "allowed"})
    assert workloads.undeclared_workloads(snapshot, allowed, "nova-redis") == []
