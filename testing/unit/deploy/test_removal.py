"""Removal takes what is ours, and nothing else."""

from __future__ import annotations

import io

import pytest

from nova_acceptance import timeouts
from nova_acceptance.deploy import remove
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress
from testing.unit.deploy.custom import applied, config, definition, shop
from testing.unit.deploy.recorded import (
    claim,
    deployment,
    namespace,
    pod,
    replica_set,
    stateful_set,
)
from testing.unit.deploy.stub_kube import StubKube

QUIET = Progress(io.StringIO())


def test_workloads_then_pods_then_namespaces_go() -> None:
    workload = deployment()
    owner = replica_set(workload)
    kube = StubKube(namespace(), workload, owner, pod("user-service-x", owner))
    remove(kube, [namespace(), workload], QUIET)

    assert kube.objects == {}
    assert kube.calls == [
        ("delete", "Deployment user-service"),
        ("delete", "ReplicaSet user-service-11111"),
        ("delete", "Pod user-service-x"),
        ("delete", "Namespace nova-services"),
    ]


def test_namespace_of_somebody_else_stays_and_so_does_everything() -> None:
    kube = StubKube(namespace("nova-redis"), namespace(managed_by="helm"), deployment())

    with pytest.raises(ApplyError, match="nova-services exists and is not ours"):
        remove(kube, [namespace("nova-redis"), namespace(), deployment()], QUIET)
    assert kube.calls == []


def test_removal_of_what_is_not_there_does_nothing() -> None:
    kube = StubKube()
    remove(kube, [namespace(), deployment()], QUIET)

    assert kube.calls == []


def test_namespace_that_is_only_used_stays_with_what_others_have_in_it() -> None:
    mine, theirs = config(namespace="shared"), config("theirs", namespace="shared")
    kube = StubKube(namespace("shared", managed_by=""), applied(mine), theirs)
    remove(kube, [mine], QUIET)

    assert kube.calls == [("delete", "ConfigMap settings")]


def test_object_of_somebody_else_stays_and_so_does_everything() -> None:
    kube = StubKube(applied(config("mine", namespace="shared")), config(namespace="shared"))

    with pytest.raises(ApplyError, match="ConfigMap shared/settings exists and is not ours"):
        remove(kube, [config("mine", namespace="shared"), config(namespace="shared")], QUIET)
    assert kube.calls == []


def made_at(obj: Object, when: str) -> Object:
    obj["metadata"]["creationTimestamp"] = when
    return obj


def test_claims_that_a_stateful_set_has_made_go_and_those_that_it_found_stay() -> None:
    workload = made_at(applied(stateful_set()), "2026-11-24T00:00:00Z")
    workload["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}}]
    found = made_at(claim("data-etcd-0"), "2026-11-23T00:00:00Z")
    made = made_at(claim("data-etcd-1"), "2026-11-24T00:00:01Z")
    others = made_at(claim("data-etcd-extra-0"), "2026-11-24T00:00:01Z")
    kube = StubKube(workload, found, made, others)
    remove(kube, [stateful_set()], QUIET)

    assert [what for _, what in kube.calls if "Claim" in what] == [
        f"PersistentVolumeClaim {made['metadata']['name']}"
    ]


def test_instances_go_before_what_serves_them_and_their_definition_last() -> None:
    mine = [definition(), shop(namespace="shared"), deployment()]
    kube = StubKube(*(applied(obj) for obj in mine))
    remove(kube, mine, QUIET)

    assert list(dict.fromkeys(kube.calls)) == [
        ("delete", "Shop corner"),
        ("delete", "Deployment user-service"),
        ("delete", "CustomResourceDefinition shops.example.org"),
    ]


def test_definition_of_which_somebody_else_has_an_instance_stays() -> None:
    mine = [definition(), shop(namespace="shared")]
    kube = StubKube(*(applied(obj) for obj in mine), shop("theirs", namespace="elsewhere"))

    with pytest.raises(ApplyError, match="a kind stays") as caught:
        remove(kube, mine, QUIET)
    assert "Shop elsewhere/theirs" in caught.value.evidence[0]
    assert {kind for kind, _, _ in kube.objects} == {"CustomResourceDefinition", "Shop"}


def test_what_does_not_go_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Holding(StubKube):
        def delete(self, *_: object, **__: object) -> None:
            """Keep it, as a finalizer would."""

    monkeypatch.setattr(timeouts, "REMOVE", 0.3)
    kube = Holding(applied(config(namespace="shared")))

    with pytest.raises(ApplyError, match="still there at the deadline: ConfigMap shared/settings"):
        remove(kube, [config(namespace="shared")], QUIET)
