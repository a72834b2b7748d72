"""Probes, resources, claims and images of the workloads."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from testing.unit.manifests.objects import Overlay, identity

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
MEBI = {"Mi": 1, "Gi": 1024}


def millicores(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * MEBI[quantity[-2:]]


def question(probe: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in probe.items() if k in {"exec", "httpGet", "tcpSocket"}})


def test_every_container_is_asked_whether_it_started_is_ready_and_is_alive(
    overlay: Overlay,
) -> None:
    for name, container in overlay.containers:
        assert all(question(container[probe]) != "{}" for probe in PROBES), name
        assert question(container["livenessProbe"]) != question(container["readinessProbe"]), name


def test_probes_look_each_second_at_the_start_and_are_patient_with_the_living(
    overlay: Overlay,
) -> None:
    for name, container in overlay.containers:
        liveness = container["livenessProbe"]
        assert container["startupProbe"]["periodSeconds"] == 1, name
        assert container["startupProbe"]["failureThreshold"] >= 60, name
        assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 60, name
        assert all(container[probe]["timeoutSeconds"] >= 3 for probe in PROBES), name


def test_every_container_says_what_it_asks_for_and_its_limit(overlay: Overlay) -> None:
    for name, container in overlay.containers:
        resources = container["resources"]
        requests, limits = resources["requests"], resources["limits"]
        assert millicores(requests["cpu"]) <= millicores(limits["cpu"]), name
        assert mebibytes(requests["memory"]) <= mebibytes(limits["memory"]), name


def test_all_requests_fit_on_one_small_node_beside_kubernetes(overlay: Overlay) -> None:
    cpu = memory = 0
    for workload in overlay.workloads:
        for container in workload["spec"]["template"]["spec"]["containers"]:
            requests = container["resources"]["requests"]
            cpu += workload["spec"]["replicas"] * millicores(requests["cpu"])
            memory += workload["spec"]["replicas"] * mebibytes(requests["memory"])

    assert cpu < 1000
    assert memory < 2048


def test_containers_are_named_as_their_workloads(overlay: Overlay) -> None:
    for workload in overlay.workloads:
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        assert container["name"] == workload["metadata"]["name"]


@pytest.mark.parametrize(
    ("workload", "size"), [("redis", "2Gi"), ("etcd", "1Gi"), ("postgres", "5Gi")]
)
def test_data_is_on_a_claim_of_its_size(overlay: Overlay, workload: str, size: str) -> None:
    spec = overlay.find("StatefulSet", workload)["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    mounts = {m["name"] for m in spec["template"]["spec"]["containers"][0]["volumeMounts"]}

    assert claim["metadata"]["name"] == "data"
    assert claim["spec"]["resources"]["requests"]["storage"] == size
    assert "data" in mounts


@pytest.mark.parametrize("workload", ["etcd", "postgres"])
def test_quorum_forms_by_itself(overlay: Overlay, workload: str) -> None:
    """All members start at once and are found by name before they are ready."""
    stateful_set = overlay.find("StatefulSet", workload)
    service = overlay.find("Service", stateful_set["spec"]["serviceName"])

    assert stateful_set["spec"]["podManagementPolicy"] == "Parallel"
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_services_with_addresses_of_their_own_send_to_ready_pods_only(overlay: Overlay) -> None:
    for service in overlay.of_kind("Service"):
        if service["spec"].get("clusterIP") != "None":
            assert "publishNotReadyAddresses" not in service["spec"], identity(service)


def test_every_image_is_named_in_full_and_pulled_only_where_it_is_lacking(
    overlay: Overlay,
) -> None:
    for name, container in overlay.containers:
        repository, _, tag = container["image"].rpartition(":")
        assert repository.startswith("docker.io/nova/"), name
        assert tag not in {"", "latest"}, name
        assert container["imagePullPolicy"] == "IfNotPresent", name


def test_patroni_s_times_leave_room_for_one_round_of_retries(overlay: Overlay) -> None:
    """Patroni's own rule, loop_wait + 2 * retry_timeout <= ttl, and a fail-over within 30 s."""
    (config,) = (
        obj["data"]["patroni.yaml"]
        for obj in overlay.of_kind("ConfigMap")
        if "patroni.yaml" in obj["data"]
    )
    patroni = yaml.safe_load(config)
    dcs = patroni["bootstrap"]["dcs"]

    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"] <= 15
    assert dcs["synchronous_mode"] is True
    assert (
        patroni["postgresql"]["parameters"]
        .keys()
        .isdisjoint({"fsync", "full_page_writes", "synchronous_commit"})
    )
