"""Objects that only a renderer writes, with nulls and without what a server adds."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.diagnosis import beforehand
from nova_acceptance.diagnosis.account import account
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.elsewhere import cluster, deployment, said_of, service, stateful_set
from testing.unit.diagnosis.rendered import Nova


def _at(obj: Object, path: str) -> tuple[Any, str]:
    """Return what holds a path's last key, and that key; a number is a place in a list."""
    at: Any = obj
    *way, last = path.split(".")
    for key in way:
        at = at[int(key) if key.isdigit() else key]
    return at, last


def nulled(obj: Object, path: str) -> Object:
    at, last = _at(obj, path)
    at[last] = None
    return obj


def dropped(obj: Object, path: str) -> Object:
    at, last = _at(obj, path)
    at.pop(last, None)
    return obj


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Deployment/user-service", "status"),
        ("Deployment/user-service", "spec.template.spec.initContainers"),
        ("Deployment/user-service", "spec.template.spec.containers.0.command"),
        ("StatefulSet/etcd", "status"),
        ("StatefulSet/etcd", "spec.template.spec.affinity"),
        ("Service/user-service", "status"),
        ("Service/user-service", "metadata.annotations"),
        ("Deployment/user-service", "spec.template.metadata"),
        ("Deployment/user-service", "spec.template.spec.containers.0.envFrom.0.configMapRef"),
        ("StatefulSet/etcd", "spec.replicas"),
        ("StatefulSet/etcd", "spec.template.metadata"),
    ],
)
def test_null_is_absent_as_it_is_to_the_api(name: str, path: str) -> None:
    nova, bare = Nova(), Nova()
    nulled(nova[name], path)
    dropped(bare[name], path)

    assert nova.diagnoses() == bare.diagnoses()


def rendered(obj: Object) -> Object:
    del obj["metadata"]["uid"]
    return obj


@pytest.mark.parametrize("path", ["spec.replicas", "spec.template.metadata", "spec.ordinals"])
def test_rendered_stateful_set_with_a_null_is_examined(path: str) -> None:
    volume = {"metadata": {"name": "data"}, "spec": {}}
    obj = rendered(stateful_set("store", volumeClaimTemplates=[volume]))

    said = [each.cause for each in beforehand(cluster(nulled(obj, path), service("store")))]
    assert "DEFAULT_STORAGE_CLASS_MISSING" in said


def test_service_without_a_specification_is_examined() -> None:
    obj = rendered(service("web"))
    del obj["spec"]

    assert said_of(cluster(obj)) == []


def test_empty_value_stays_a_key_of_its_config_map() -> None:
    one = {"kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"A": None}}

    assert list(Snapshot.of([one]).of_kind("ConfigMap")) == [one]


def test_workload_whose_status_is_null_is_not_ready_yet() -> None:
    (workload, *_) = deployment("web")
    workload["status"] = None

    assert list(account(cluster(workload)).unready)


def test_pod_without_a_namespace_is_examined() -> None:
    secret = {"envFrom": [{"secretRef": {"name": "gone"}}]}
    obj = {
        "kind": "Pod",
        "metadata": {"name": "one"},
        "spec": {"containers": [{"name": "main", "image": "example.org/one:1", **secret}]},
    }

    needs = Graph(Snapshot.of([obj])).needs(Ref("Pod", "", "one"))
    assert needs == (Ref("Secret", "", "gone"),)
