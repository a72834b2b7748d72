"""Each part of a real run's report, read in a browser and compared with what the API says."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from nova_acceptance.cluster import Cluster
from nova_acceptance.cluster.home import project
from nova_acceptance.kube import Kube, Object
from nova_acceptance.report.record import read
from testing.browser import parts
from testing.browser.chromium import launched
from testing.browser.parts import ShownPod, ShownService
from testing.browser.reader import Reader, reading
from testing.integration.conftest import NAMESPACES, Accepted, Removal

pytestmark = pytest.mark.integration

REACHES = (
    "tests/networking/test_reachability.py::test_component_reaches"
    "[user-service to redis-service:6379]"
)
COUNTED = {
    "pods": "Pod",
    "services": "Service",
    "claims": "PersistentVolumeClaim",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
}
MADE_BY_KUBERNETES = ("kube-root-ca.crt",)
TOKEN = "kubernetes.io/service-account-token"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def reader(browser: Browser, accepted: Accepted) -> Iterator[Reader]:
    """The report that the run itself wrote."""
    with reading(browser, accepted.directory / "report.html") as reader:
        yield reader


@pytest.fixture(scope="module")
def events(accepted: Accepted) -> list[dict[str, Any]]:
    """The run's record, event by event."""
    return list(read(accepted.directory))


def name_of(item: Object) -> str:
    return str(item["metadata"]["name"])


def namespace_of(item: Object) -> str:
    return str(item["metadata"]["namespace"])


def ports_of(service: Object) -> tuple[int, ...]:
    return tuple(port["port"] for port in service["spec"]["ports"])


def pods_of(workload: Object, accepted: Accepted) -> list[Object]:
    """Return the pods that a workload's selector matches."""
    wanted = workload["spec"]["selector"]["matchLabels"].items()
    return [
        pod
        for pod in accepted.objects["Pod"]
        if namespace_of(pod) == namespace_of(workload)
        and wanted <= pod["metadata"]["labels"].items()
    ]


def test_report_says_what_became_of_which_cluster(
    reader: Reader, accepted: Accepted, cluster: Cluster, kube: Kube
) -> None:
    git = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(git, cwd=project(), capture_output=True, text=True, check=True).stdout
    told = parts.where(reader)

    verdict = "rejected" if accepted.done.returncode else "accepted"
    assert f": {verdict}" in reader.page.locator("h1").inner_text()
    assert cluster.context in told["Cluster"]
    assert told["Kubernetes"] == kube.server_version
    assert told["Nodes"] == str(len(accepted.objects["Node"]))
    assert told["Manifests"].startswith(commit[:12])


def test_report_has_the_workloads_as_the_api_tells_them(reader: Reader, accepted: Accepted) -> None:
    shown = parts.components(reader)
    there = [
        (kind, item) for kind in ("StatefulSet", "Deployment") for item in accepted.objects[kind]
    ]

    assert {key for key in shown if key[1] != "Service"} == {
        (name_of(it), kind) for kind, it in there
    }
    for kind, workload in there:
        row = shown[name_of(workload), kind]
        statuses = [
            status
            for pod in pods_of(workload, accepted)
            for status in pod["status"]["containerStatuses"]
        ]
        containers = workload["spec"]["template"]["spec"]["containers"]
        assert row.namespace == namespace_of(workload)
        assert row.wanted == workload["spec"]["replicas"]
        assert row.ready == workload["status"]["readyReplicas"]
        assert row.restarts == sum(status["restartCount"] for status in statuses)
        assert row.images == tuple(sorted({each["image"] for each in containers}))


def test_report_has_the_services_with_their_endpoints(reader: Reader, accepted: Accepted) -> None:
    shown = parts.components(reader)
    endpoints = {
        name_of(item): {
            address["ip"]
            for subset in item.get("subsets") or ()
            for address in subset.get("addresses") or ()
        }
        for item in accepted.objects["Endpoints"]
    }

    services = {key[0] for key in shown if key[1] == "Service"}
    assert services == {name_of(service) for service in accepted.objects["Service"]}
    for name in services:
        assert shown[name, "Service"].ready == len(endpoints[name])


def test_report_counts_what_the_api_has(reader: Reader, accepted: Accepted) -> None:
    counted = {plural: len(accepted.objects[kind]) for plural, kind in COUNTED.items()}
    counted["namespaces"] = len(NAMESPACES)
    counted["configmaps"] = sum(
        name_of(item) not in MADE_BY_KUBERNETES for item in accepted.objects["ConfigMap"]
    )
    counted["secrets"] = sum(item["type"] != TOKEN for item in accepted.objects["Secret"])

    assert parts.counts(reader) == counted


def test_report_shows_external_systems_as_declared(reader: Reader) -> None:
    for name in ("kafka", "clickhouse"):
        row = reader.page.locator(f"[data-external={name}]")
        assert "not verified" in row.inner_text()


def test_topology_has_the_pods_on_the_nodes_of_the_api(reader: Reader, accepted: Accepted) -> None:
    wanted = {
        ShownPod(namespace_of(pod), name_of(pod), pod["spec"]["nodeName"], is_good=True)
        for pod in accepted.objects["Pod"]
    }

    assert set(parts.nodes(reader)) == {name_of(node) for node in accepted.objects["Node"]}
    assert parts.pods(reader) == wanted


def test_topology_has_the_addresses_and_ports_of_the_api(
    reader: Reader, accepted: Accepted
) -> None:
    wanted = {
        ShownService(
            namespace_of(service),
            name_of(service),
            service["spec"]["clusterIP"].replace("None", "headless"),
            ports_of(service),
        )
        for service in accepted.objects["Service"]
    }

    assert parts.services(reader) == wanted


def test_matrix_has_every_port_open_from_every_service_and_says_what_is_not_declared(
    reader: Reader, accepted: Accepted
) -> None:
    sources = {name_of(workload) for workload in accepted.objects["Deployment"]}
    doors = {
        f"{name_of(service)}:{port}"
        for service in accepted.objects["Service"]
        for port in ports_of(service)
    }
    shown = parts.matrix(reader, "open")

    declared = {at: cell for at, cell in shown.items() if cell.state != "undeclared"}

    etcd = {("postgres", door) for door in doors if door.startswith("etcd")}
    assert declared.keys() - etcd == {
        (source, door) for source in sources for door in doors if door.partition(":")[0] != source
    }
    assert declared.keys() & etcd
    assert {cell.state for cell in declared.values()} == {"good"}
    assert all(cell.words.endswith("open") for cell in declared.values())


def test_matrix_has_every_undeclared_port_closed(reader: Reader, accepted: Accepted) -> None:
    clustered = {
        name_of(service)
        for service in accepted.objects["Service"]
        if service["spec"]["clusterIP"] != "None"
    }
    shown = parts.matrix(reader, "closed")
    # who is not to reach a Service at all does not try a port beside those it declares
    declared = {at: cell for at, cell in shown.items() if cell.state != "undeclared"}

    assert {door.partition(":")[0] for _, door in declared} == clustered
    assert {cell.state for cell in declared.values()} == {"good"}


def test_timeline_has_the_pods_that_were_deployed(reader: Reader, accepted: Accepted) -> None:
    wanted = {f"{namespace_of(pod)}/{name_of(pod)}" for pod in accepted.objects["Pod"]}
    drawn = {bar.partition(": ")[0] for bar in parts.bars(reader)}

    assert parts.timeline_pods(reader) == wanted
    assert drawn >= wanted
    assert set(parts.critical_path(reader)) <= wanted
    assert parts.critical_path(reader)


def test_report_has_every_test_with_its_outcome(
    reader: Reader, events: list[dict[str, Any]]
) -> None:
    collected = next(event["tests"] for event in events if event["type"] == "collected")
    calls = Counter(
        event["outcome"] for event in events if event["type"] == "phase" and event["when"] == "call"
    )

    assert set(reader.shown) == {test["nodeid"] for test in collected}
    assert parts.outcomes(reader) == calls


def test_report_has_the_evidence_of_a_test(
    reader: Reader, accepted: Accepted, events: list[dict[str, Any]]
) -> None:
    recorded = next(
        event["evidence"]
        for event in events
        if event["type"] == "phase" and event["nodeid"] == REACHES and event["when"] == "call"
    )
    pods = {f"{namespace_of(pod)}/{name_of(pod)}" for pod in accepted.objects["Pod"]}
    shown = parts.evidence(reader, REACHES)

    assert [line[:4] for line in shown] == [
        [entry[name] for name in ("asked", "source", "target", "answer")] for entry in recorded
    ]
    assert {line[1] for line in shown} <= pods


def test_report_opens_quietly(reader: Reader, accepted: Accepted) -> None:
    assert reader.said == []
    assert reader.asked == [(accepted.directory / "report.html").as_uri()]


def test_history_goes_from_one_run_to_the_next(
    browser: Browser, accepted: Accepted, removal: Removal
) -> None:
    with reading(browser, removal.directory / "report.html") as reader:
        shown = parts.runs(reader)
        # which of many runs were the last ones depends on what other tests had run
        link = reader.part("history").locator("[data-run] a").first
        before = link.locator("xpath=ancestor::*[@data-run]").get_attribute("data-run")
        link.click()
        reader.page.wait_for_load_state()

        assert shown[0] == removal.directory.name
        assert before in shown[1:]
        assert reader.page.url == (accepted.directory.parent / before / "report.html").as_uri()
