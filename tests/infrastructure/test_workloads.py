"""Namespaces, workloads at their replica counts, and the Services in front of them."""

from __future__ import annotations

from collections import Counter

import pytest

from nova_acceptance.kube import Kube
from nova_acceptance.probes.nodes import hosts
from nova_acceptance.probes.objects import Objects, summary
from nova_acceptance.probes.pods import is_ready, restarts
from nova_acceptance.probes.witness import Witness
from nova_acceptance.system import Front, System, Workload

pytestmark = pytest.mark.workloads


@pytest.fixture(scope="module")
def now(kube: Kube, witness: Witness, objects: Objects) -> Objects:  # noqa: ARG001
    """What the API says a little later than when the verification began."""
    return Objects(kube, witness)


def test_namespace_is_active(objects: Objects, namespace: str) -> None:
    """The namespace exists and is not on its way out."""
    found = objects.find("Namespace", namespace)

    assert found is not None
    assert found["status"]["phase"] == "Active"


def test_namespace_holds_only_declared_workloads(
    objects: Objects, namespace: str, system: System
) -> None:
    """Nothing runs in the namespace that nova.yaml does not know."""
    found = {
        (kind, item["metadata"]["name"])
        for kind in ("Deployment", "StatefulSet")
        for item in objects.all(kind, namespace)
    }
    declared = {(w.kind, w.name) for w in system.every_workload if w.namespace == namespace}

    assert found - declared == set()


def test_workload_has_its_replicas(objects: Objects, workload: Workload) -> None:
    """As many replicas are wanted, up to date and ready as nova.yaml says."""
    found = objects.find(workload.kind, workload.name, workload.namespace)

    assert found is not None
    assert found["spec"]["replicas"] == workload.replicas
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    assert found["status"].get("updatedReplicas", 0) == workload.replicas
    assert found["status"].get("readyReplicas", 0) == workload.replicas


def test_workload_pods_are_ready(objects: Objects, workload: Workload) -> None:
    """There are exactly as many pods as replicas, and each is ready."""
    pods = objects.pods_of(workload)

    assert len(pods) == workload.replicas
    assert [pod["metadata"]["name"] for pod in pods if not is_ready(pod)] == []


def test_workload_has_not_restarted(now: Objects, workload: Workload) -> None:
    """No container has restarted since its pod was deployed."""
    pods = now.pods_of(workload)

    assert pods
    assert {pod["metadata"]["name"]: restarts(pod) for pod in pods if restarts(pod)} == {}


def test_workload_spreads_over_nodes(objects: Objects, workload: Workload) -> None:
    """Replicas share a node only where fewer nodes than replicas can carry them."""
    pods = objects.pods_of(workload)
    on_nodes = Counter(pod["spec"].get("nodeName") for pod in pods)

    assert len(on_nodes) == min(workload.replicas, len(hosts(objects.all("Node"))))


def test_service_declares_its_ports(objects: Objects, front: Front) -> None:
    """The Service exists with exactly the ports of nova.yaml, headless or with an address."""
    found = objects.find("Service", front.name, front.namespace)

    assert found is not None
    assert {port["name"]: port["port"] for port in found["spec"]["ports"]} == front.service.ports
    assert (found["spec"]["clusterIP"] == "None") is front.service.headless
    assert found["spec"]["type"] == "ClusterIP"


def test_service_leads_to_its_pods(now: Objects, front: Front) -> None:
    """Behind the Service are exactly its workload's ready pods; behind a role's, those of it."""
    behind = {endpoint.pod for endpoint in now.endpoints(front.name, front.namespace)}
    pods = {pod["metadata"]["name"] for pod in now.pods_of(front.workload)}

    if not front.service.role:
        assert behind == pods
    elif front.service.role == "primary":
        assert len(behind) == 1
        assert behind < pods
    else:
        assert len(behind) == front.workload.replicas - 1
        assert behind < pods


def test_no_pod_is_left_over(objects: Objects, namespace: str, system: System) -> None:
    """Every pod of the namespace belongs to a declared workload, and none has failed."""
    declared = {
        pod["metadata"]["name"]
        for workload in system.every_workload
        if workload.namespace == namespace
        for pod in objects.pods_of(workload)
    }
    others = {
        pod["metadata"]["name"]: summary(pod)
        for pod in objects.all("Pod", namespace)
        if pod["metadata"]["name"] not in declared
    }

    assert others == {}
