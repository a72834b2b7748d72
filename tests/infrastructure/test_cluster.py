"""What the cluster itself brings: nodes, DNS and storage."""

from __future__ import annotations

import pytest

from nova_acceptance.cluster import Cluster
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.probes.agent import ask_everywhere
from nova_acceptance.probes.objects import Objects
from nova_acceptance.probes.plans import kubernetes_address
from nova_acceptance.probes.witness import Witness
from nova_acceptance.system import System

pytestmark = pytest.mark.cluster

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
TROUBLE = {"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}


def conditions(node: Object) -> dict[str, str]:
    """Return a node's conditions by type."""
    return {item["type"]: item["status"] for item in node["status"]["conditions"]}


def test_cluster_nodes_are_ready(cluster_objects: Objects) -> None:
    """Every node of the cluster is Ready."""
    names = {node["metadata"]["name"] for node in cluster_objects.all("Node")}
    ready = {
        name
        for name in names
        if (node := cluster_objects.find("Node", name)) and conditions(node)["Ready"] == "True"
    }

    assert names
    assert names - ready == set()


def test_cluster_has_the_nodes_asked_for(
    cluster_objects: Objects, cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    """A cluster of our own has as many nodes as `--nodes` says; any other has at least one."""
    nodes = cluster_objects.all("Node")

    if cluster.provider == "kind" and pytestconfig.option.nodes:
        assert len(nodes) == pytestconfig.option.nodes
    assert nodes


def test_cluster_nodes_are_in_no_trouble(cluster_objects: Objects) -> None:
    """No node is short of memory, disk, process numbers or a network."""
    nodes = {node["metadata"]["name"]: conditions(node) for node in cluster_objects.all("Node")}

    troubled = {
        name: sorted(kind for kind in TROUBLE if of_node.get(kind, "False") != "False")
        for name, of_node in nodes.items()
    }
    assert {name: kinds for name, kinds in troubled.items() if kinds} == {}


@pytest.mark.dns
def test_cluster_dns_is_ready(cluster_objects: Objects) -> None:
    """The cluster's DNS has ready endpoints behind `kube-dns`."""
    assert cluster_objects.endpoints("kube-dns", "kube-system")


@pytest.mark.dns
def test_cluster_dns_is_what_pods_ask(
    cluster_objects: Objects,
    kube: Kube,
    namespace_pods: dict[str, PodRef],
    system: System,
    witness: Witness,
) -> None:
    """The name server of every pod is the address of `kube-dns`, and it answers."""
    service = cluster_objects.find("Service", "kube-dns", "kube-system")
    question = kubernetes_address(system)
    asked = ask_everywhere(kube, {pod: [question] for pod in namespace_pods.values()})
    witness.add(*(answer.evidence for (answer,) in asked.values()))

    assert service is not None
    assert {answer.state for (answer,) in asked.values()} == {"answered"}
    assert {answer.server for (answer,) in asked.values()} == {service["spec"]["clusterIP"]}


@pytest.mark.storage
def test_cluster_has_one_default_storage_class(cluster_objects: Objects) -> None:
    """A claim that names no storage class gets exactly one."""
    defaults = [
        found["metadata"]["name"]
        for found in cluster_objects.all("StorageClass")
        if found["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true"
    ]
    for name in defaults:
        cluster_objects.find("StorageClass", name)

    assert len(defaults) == 1
