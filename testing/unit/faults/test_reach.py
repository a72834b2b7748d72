from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from testing.faults.fault import Fault
from testing.faults.reach import EVERYWHERE, Owners
from testing.faults.reading import read_catalogue

SERVICES = {
    "user-service",
    "auth-service",
    "search-service",
    "streaming-api",
    "messaging-service",
}


@pytest.fixture(scope="module")
def owners() -> Owners:
    return Owners(load(project() / "nova.yaml"))


def fault(*steps: dict[str, Any], family: str = "services", **more: Any) -> Fault:
    """A fault of these steps, as a file would have it."""
    given = {"name": "one", "family": family, "title": "x", "survives": True, "break": steps}
    return Fault.model_validate(given | more, strict=False)


def pods(workload: str, namespace: str = "nova-services") -> dict[str, str]:
    return {"namespace": namespace, "workload": workload}


def in_services(name: str) -> dict[str, str]:
    return {"namespace": "nova-services", "name": name}


def created(kind: str, namespace: str, name: str, **labels: str) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apply": [{"apiVersion": "v1", "kind": kind, "metadata": metadata}]}


@pytest.mark.parametrize(
    ("name", "namespace", "owner"),
    [
        ("postgres-replicas", "nova-database", "postgres"),
        ("postgres-credentials", "nova-database", "postgres"),
        ("data-etcd-2", "nova-database", "etcd"),
        ("nova_messaging", "", "postgres"),
        ("auth-service-6f7c9-x2x", "nova-services", "auth-service"),
        ("auth-service-secrets", "", "auth-service"),
        ("auth-service", "nova-redis", None),
        ("auth-services", "nova-services", None),
        ("services-config", "nova-services", None),
    ],
)
def test_object_belongs_to_a_component_by_its_name(
    owners: Owners, name: str, namespace: str, owner: str | None
) -> None:
    assert owners.of(name, namespace) == owner


def test_object_belongs_to_a_component_by_the_names_of_another_system() -> None:
    other = Owners(load(project() / "examples" / "other-names" / "nova.yaml"))

    assert other.of("billing") == "postgres"  # a database of it
    assert other.of("redis-pods") == "redis"
    assert other.of("invoices-settings") == "invoices"
    assert other.of("db-admin") is None


@pytest.mark.parametrize(
    ("step", "components"),
    [
        (
            {
                "patch": {
                    "kind": "Service",
                    "namespace": "nova-redis",
                    "name": "redis-service",
                    "patch": {},
                }
            },
            {"redis"},
        ),
        (
            {"delete": {"kind": "Deployment", **in_services("streaming-api")}},
            {"streaming-api"},
        ),
        (
            {"url": {"namespace": "nova-services", "secret": "user-service-secrets", "key": "K"}},
            {"user-service"},
        ),
        ({"signal": pods("etcd", "nova-database")}, {"etcd"}),
        ({"background": {"pods": pods("postgres", "nova-database"), "script": "x"}}, {"postgres"}),
        ({"sql": {"do": ["SELECT 1"]}}, {"postgres"}),
        ({"redis": {"do": [["PING"]]}}, {"redis"}),
        (
            {"certificate": {"namespace": "nova-services", "secret": "nova-tls"}},
            SERVICES,  # each of them mounts it
        ),
        ({"value": {"kind": "ConfigMap", **in_services("services-config"), "key": "K"}}, SERVICES),
        (created("Job", "nova-redis", "compact"), {"nova-redis/compact"}),
        (created("Job", "nova-services", "user-service-migrate"), {"user-service"}),
        (created("EndpointSlice", "nova-redis", "kept", service="redis-service"), {"redis"}),
        (created("EndpointSlice", "nova-services", "auth-service-spare"), SERVICES),
        (created("NetworkPolicy", "nova-services", "user-service-only"), SERVICES),
        (created("Deployment", "nova-services", "stranger"), SERVICES),
    ],
)  # fmt: skip
def test_step_changes_the_components_whose_objects_it_changes(
    owners: Owners, step: dict[str, Any], components: set[str]
) -> None:
    reach = owners.reach(fault(step))

    assert not reach.is_everything
    assert reach.components == components


@pytest.mark.parametrize(
    "step",
    [
        {"cordon": pods("redis", "nova-redis")},
        {"node": {"of": pods("redis", "nova-redis"), "do": ["true"]}},
        {"names": {"delay": 1.0}},
        {"filter": {"to": pods("redis", "nova-redis"), "port": 6379}},
        {"patch": {"kind": "StorageClass", "name": "standard", "patch": {}}},
        {
            "patch": {
                "kind": "ConfigMap",
                "namespace": "kube-system",
                "name": "coredns",
                "patch": {},
            }
        },
    ],
)
def test_what_is_nobodys_reaches_everything(owners: Owners, step: dict[str, Any]) -> None:
    own = {"signal": pods("etcd", "nova-database")}

    assert owners.reach(fault(own, step)).is_everything


def patched(**target: str) -> dict[str, Any]:
    return {"target": target, "patch": "[]"}


def edited(file: str) -> dict[str, Any]:
    return {"file": file, "replace": "a", "by": "b"}


REDIS_SET = patched(kind="StatefulSet", name="redis")


@pytest.mark.parametrize(
    ("deploy", "components"),
    [
        ({"patches": [patched(kind="Deployment", name="user-service")]}, {"user-service"}),
        ({"patches": [REDIS_SET], "edits": [edited("base/etcd/etcd.conf")]}, {"redis", "etcd"}),
        ({"edits": [edited("base/redis/statefulset.yaml")]}, {"redis"}),
        ({"edits": [edited("base/services/auth-service.yaml")]}, {"auth-service"}),
        ({"patches": [REDIS_SET], "afresh": [pods("redis", "nova-redis")]}, {"redis"}),
    ],
)
def test_what_is_deployed_changes_the_components_whose_manifests_it_changes(
    owners: Owners, deploy: dict[str, Any], components: set[str]
) -> None:
    assert owners.reach(fault(deploy=deploy)).components == components


@pytest.mark.parametrize(
    "deploy",
    [
        {},
        {"patches": [patched(kind="Deployment")]},
        {"patches": [patched(kind="Deployment", name=".*-service")]},
        {"patches": [REDIS_SET, patched(kind="ConfigMap", name="services-config")]},
        {"edits": [edited("base/services/pod.yaml")]},
        {"edits": [edited("base/redis/redis.conf"), edited("base/kustomization.yaml")]},
        {"patches": [REDIS_SET], "writes": False},
    ],
)
def test_what_is_deployed_of_nobody_or_stops_all_reaches_everything(
    owners: Owners, deploy: dict[str, Any]
) -> None:
    assert owners.reach(fault(deploy=deploy)).is_everything


def test_what_all_share_reaches_everything(owners: Owners) -> None:
    step = {"signal": pods("etcd", "nova-database")}
    patch = {"patches": [REDIS_SET]}

    assert owners.reach(fault(step, through="slow")).is_everything
    assert owners.reach(fault(deploy=patch, family="dns")).is_everything
    for family in EVERYWHERE:
        assert owners.reach(fault(step, family=family)).is_everything


def test_component_at_which_the_cause_is_expected_is_changed_as_well(owners: Owners) -> None:
    step = {"exec": {"pods": pods("postgres", "nova-database"), "do": ["true"]}}
    expect = {"cause": "X", "subject": "StatefulSet nova-database/etcd$", "tests": ["tests/*"]}

    reach = owners.reach(fault(step, expect=expect, survives=False))

    assert reach.components == {"postgres", "etcd"}


def test_fault_is_felt_by_whatever_needs_what_it_changes(owners: Owners) -> None:
    etcd = owners.reach(fault({"signal": pods("etcd", "nova-database")}))
    redis = owners.reach(fault({"redis": {"do": [["PING"]]}}))
    service = owners.reach(fault({"signal": pods("user-service")}))

    assert etcd.felt == {"etcd", "postgres", *SERVICES}  # by way of PostgreSQL
    assert redis.felt == {"redis", *SERVICES}
    assert service.felt == {"user-service"}


def test_every_fault_of_the_catalogue_reaches_something(owners: Owners) -> None:
    for each in read_catalogue():
        reach = owners.reach(each)
        assert reach.is_everything or reach.components
