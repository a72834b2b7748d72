"""What nova.yaml declares is there, in its number, and nothing besides."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import leftovers, presence
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis import recorded
from testing.unit.diagnosis.members import REDIS, member, moved, snapshot, stateful_set, system


def nova() -> list[Object]:
    """Return every workload of nova.yaml, ready."""
    made = []
    for spec in system().every_workload:
        if spec.kind == "StatefulSet":
            made.append(stateful_set(spec.name, spec.namespace, spec.replicas))
            continue
        one = moved(recorded.deployment(), spec.namespace)
        one["metadata"].update(name=spec.name, uid=f"uid-{spec.name}")
        made.append(one)
    return made


def found(seen: Snapshot) -> dict[str, Ref]:
    rules = (*presence.LIVE, *leftovers.LIVE)
    return {each.cause: each.subject for rule in rules for each in rule(seen)}


def test_nothing_is_wrong_with_a_system_that_is_well() -> None:
    assert found(snapshot(*nova())) == {}


def test_namespace_that_is_missing_says_so_instead_of_its_workloads() -> None:
    seen = snapshot(*nova())
    seen.update("DELETED", recorded.namespace(REDIS))
    seen.update("DELETED", stateful_set("redis", REDIS, 1))

    assert found(seen) == {"NAMESPACE_MISSING": Ref("Namespace", "", REDIS)}


def test_namespace_on_its_way_out() -> None:
    leaving = recorded.namespace(REDIS)
    leaving["status"] = {"phase": "Terminating"}

    assert found(snapshot(*nova(), leaving)) == {
        "NAMESPACE_TERMINATING": Ref("Namespace", "", REDIS)
    }


def test_workload_that_is_missing() -> None:
    seen = snapshot(*nova())
    seen.update("DELETED", stateful_set("redis", REDIS, 1))

    assert found(seen) == {"WORKLOAD_MISSING": Ref("StatefulSet", REDIS, "redis")}


def test_absence_means_nothing_where_nothing_was_listed() -> None:
    seen = snapshot()
    seen.listed = {("Namespace", "")}

    assert found(seen) == {}


def test_workload_of_another_scale() -> None:
    scaled = stateful_set("redis", REDIS, 0)

    assert found(snapshot(*nova(), scaled)) == {
        "REPLICAS_WRONG": Ref("StatefulSet", REDIS, "redis")
    }


def test_workload_that_is_not_ready() -> None:
    unready = stateful_set("redis", REDIS, 1, ready=0)

    assert found(snapshot(*nova(), unready)) == {
        "WORKLOAD_NOT_READY": Ref("StatefulSet", REDIS, "redis")
    }


def test_rollout_that_is_paused_half_way() -> None:
    paused = next(each for each in nova() if each["kind"] == "Deployment")
    others = [each for each in nova() if each["metadata"]["uid"] != paused["metadata"]["uid"]]
    paused["spec"]["paused"] = True
    assert found(snapshot(*others, paused)) == {}  # all its pods are of its template

    paused["status"]["updatedReplicas"] = 0
    where = Ref("Deployment", paused["metadata"]["namespace"], paused["metadata"]["name"])
    assert found(snapshot(*others, paused))["ROLLOUT_PAUSED"] == where


def test_workload_and_pod_that_nobody_declared() -> None:
    other = stateful_set("memcached", REDIS, 1)
    stray = moved(recorded.pod("debug"), REDIS)

    assert found(snapshot(*nova(), other, member(other, 0), stray)) == {
        "UNDECLARED_WORKLOAD": Ref("StatefulSet", REDIS, "memcached"),
        "POD_LEFT_OVER": Ref("Pod", REDIS, "debug"),
    }


@pytest.mark.parametrize(("ready", "cause"), [(1, "POD_LEFT_OVER"), (0, "WORKLOAD_NOT_READY")])
def test_evicted_pod_is_left_over_beside_one_that_is_ready(ready: int, cause: str) -> None:
    every = nova()
    web = next(each for each in every if each["kind"] == "Deployment")
    web["status"] |= {"readyReplicas": ready, "availableReplicas": ready}
    owner = moved(recorded.replica_set(web), web["metadata"]["namespace"])
    old = moved(recorded.pod("web-old", owner, phase="Failed", ready=False), REDIS)
    old["metadata"] |= {"namespace": web["metadata"]["namespace"]}
    old["metadata"]["labels"] = web["spec"]["template"]["metadata"]["labels"]
    old["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}

    assert list(found(snapshot(*every, owner, old))) == [cause]
