"""Where the system runs is told as the API says it, whatever is missing."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.topology import limits, needs, node_rows, pod_rows, service_rows
from testing.unit.probes.a_nova import (
    DATABASE,
    SERVICES,
    endpoints,
    leaving,
    nova,
    pod,
    service,
    workload,
)
from testing.unit.system.specs import changed

NOVA = nova()
USER_SERVICE = workload("user-service", SERVICES)


def objects(*there: Object) -> Seen:
    return Seen(Snapshot.of(there), Transcript())


# Nodes


def test_node_is_told_with_roles_version_address_and_readiness() -> None:
    node = {
        "metadata": {
            "name": "nova-control-plane",
            "labels": {
                "kubernetes.io/hostname": "nova-control-plane",
                "node-role.kubernetes.io/master": "",
                "node-role.kubernetes.io/control-plane": "",
            },
        },
        "status": {
            "addresses": [
                {"type": "Hostname", "address": "nova-control-plane"},
                {"type": "InternalIP", "address": "10.89.0.2"},
                {"type": "InternalIP", "address": "fd00::2"},
            ],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"kubeletVersion": "v1.20.2"},
        },
    }

    assert node_rows([node]) == [
        {
            "name": "nova-control-plane",
            "roles": ["control-plane", "master"],
            "version": "v1.20.2",
            "address": "10.89.0.2",
            "ready": True,
        }
    ]


def test_node_that_says_nothing_is_not_ready() -> None:
    assert node_rows([{"metadata": {"name": "nova-worker"}}]) == [
        {"name": "nova-worker", "roles": [], "version": "", "address": "", "ready": False}
    ]


# Pods


def test_pod_is_told_with_the_workload_that_selects_it() -> None:
    there = objects(USER_SERVICE, pod("user-service-x", SERVICES, "user-service"))

    assert pod_rows(NOVA, there) == [
        {
            "namespace": SERVICES,
            "name": "user-service-x",
            "workload": "user-service",
            "node": "nova-worker",
            "address": "10.244.1.7",
            "phase": "Running",
            "ready": True,
            "restarts": 2,
        }
    ]


def test_pod_without_node_and_address_has_none() -> None:
    waiting = pod("user-service-x", SERVICES, "user-service", ready=False)
    waiting |= {"spec": {"containers": []}, "status": {"phase": "Pending"}}

    (row,) = pod_rows(NOVA, objects(USER_SERVICE, waiting))

    assert (row["node"], row["address"], row["phase"], row["ready"]) == ("", "", "Pending", False)


def test_pod_that_nobody_selects_is_nobody_s() -> None:
    (row,) = pod_rows(NOVA, objects(USER_SERVICE, pod("a-shell", SERVICES, "a-shell")))

    assert row["workload"] == ""


def test_pods_elsewhere_on_their_way_out_or_completed_are_left_out() -> None:
    there = objects(
        USER_SERVICE,
        leaving(pod("user-service-x", SERVICES, "user-service")),
        pod("user-service-y", SERVICES, "user-service", ready=False, phase="Succeeded"),
        pod("coredns-x", "kube-system", "kube-dns"),
    )

    assert pod_rows(NOVA, there) == []


# Services


def test_service_is_told_with_ports_and_the_ready_pods_behind_it() -> None:
    there = objects(
        service(
            "user-service",
            SERVICES,
            ports=[{"name": "http", "port": 8080, "targetPort": "http"}, {"port": 9090}],
        ),
        endpoints("user-service", SERVICES, "user-service-y", "user-service-x"),
        pod("user-service-x", SERVICES, "user-service"),
        pod("user-service-y", SERVICES, "user-service"),
    )

    assert service_rows(NOVA, there) == [
        {
            "namespace": SERVICES,
            "name": "user-service",
            "type": "ClusterIP",
            "address": "10.96.0.9",
            "ports": [
                {"name": "http", "number": 8080, "target": "http"},
                {"name": "", "number": 9090, "target": "9090"},
            ],
            "pods": ["user-service-x", "user-service-y"],
        }
    ]


def test_pod_that_is_published_before_it_is_ready_is_not_behind_a_service() -> None:
    there = objects(
        service("etcd", DATABASE, clusterIP="None"),
        endpoints("etcd", DATABASE, "etcd-0", "etcd-1", "etcd-2"),
        pod("etcd-0", DATABASE, "etcd"),
        pod("etcd-1", DATABASE, "etcd", ready=False),
        leaving(pod("etcd-2", DATABASE, "etcd")),
    )

    (row,) = service_rows(NOVA, there)

    assert (row["address"], row["pods"]) == ("None", ["etcd-0"])


def test_alias_has_the_name_that_it_stands_for() -> None:
    alias = service("search", SERVICES, type="ExternalName", externalName="search.example.com")
    del alias["spec"]["clusterIP"]

    (row,) = service_rows(NOVA, objects(alias))

    assert (row["type"], row["address"]) == ("ExternalName", "search.example.com")
    assert (row["ports"], row["pods"]) == ([], [])


# What asks what, and what is limited


def test_services_need_what_they_use_inside_and_postgres_its_etcd() -> None:
    found = needs(NOVA)

    assert found["user-service"] == ["postgres", "redis"]
    assert found["messaging-service"] == ["postgres", "redis"]
    assert found["postgres"] == ["etcd"]
    assert found.keys() == {"postgres", *(each.name for each in NOVA.services)}


def test_several_databases_are_one_need() -> None:
    system = changed(
        "uses: [nova_auth, redis]}", "uses: [nova_auth, {name: nova_messaging, key: B}]}"
    )

    assert needs(system)["auth-service"] == ["postgres"]


def test_limit_is_told_once_for_all_whom_it_concerns() -> None:
    said = {
        "limits.nova/stand-in": "a program stands in for it",
        "limits.nova/stand-in.zh-Hant": "以替代程式執行",
    }
    there = objects(
        workload("user-service", SERVICES, **said),
        workload("auth-service", SERVICES, **said, **{"example.com/limits": "nothing of ours"}),
        workload("search-service", SERVICES),
    )

    assert limits(NOVA, there) == [
        {
            "name": "stand-in",
            "components": ["user-service", "auth-service"],
            "reasons": {"en": "a program stands in for it", "zh-Hant": "以替代程式執行"},
        }
    ]


@pytest.mark.parametrize("other", [{"limits.nova/memory": "half"}, {"limits.nova/cpu": "all"}])
def test_limits_of_other_names_or_reasons_are_apart(other: dict[str, str]) -> None:
    there = objects(
        workload("user-service", SERVICES, **{"limits.nova/memory": "all"}),
        workload("auth-service", SERVICES, **other),
    )

    assert [each["components"] for each in limits(NOVA, there)] == [
        ["user-service"],
        ["auth-service"],
    ]
