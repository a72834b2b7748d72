"""What the cluster itself brings: nodes, DNS and storage."""

from __future__ import annotations

import pytest

from nova_acceptance.claims import BrokenClaimError, none_of
from nova_acceptance.cluster import Cluster
from nova_acceptance.components.dns.lookups import pilot, state_of_dns
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Kube, Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import System
from nova_acceptance.vantage.agent import ask_everywhere
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.vantage_points import VantagePoints

pytestmark = pytest.mark.cluster

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
UNNETWORKED = "NetworkUnavailable"
TROUBLE = {"MemoryPressure", "DiskPressure", "PIDPressure", UNNETWORKED}


def conditions(node: Object) -> dict[str, str]:
    """Return a node's conditions by type."""
    found = (node.get("status") or {}).get("conditions") or []
    return {item["type"]: item["status"] for item in found}


@pytest.mark.means("NODE_NOT_READY")
def test_cluster_nodes_are_ready(cluster_objects: Seen) -> None:
    """Every node of the cluster is Ready."""
    names = {node["metadata"]["name"] for node in cluster_objects.all("Node")}
    ready = {
        name
        for name in names
        if (node := cluster_objects.find("Node", name)) and conditions(node).get("Ready") == "True"
    }

    assert names
    lost = sorted(names - ready)
    subject = Ref("Node", "", next(iter(lost), ""))
    none_of(lost, "NODE_NOT_READY", Phrase("nodes that are not ready"), subject=subject)


@pytest.mark.means("NODE_NOT_READY")
def test_cluster_has_the_nodes_asked_for(
    cluster_objects: Seen, cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    """A cluster of our own has as many nodes as `--nodes` says; any other has at least one."""
    nodes = cluster_objects.all("Node")

    if cluster.provider == "kind" and pytestconfig.option.nodes:
        assert len(nodes) == pytestconfig.option.nodes
    assert nodes


@pytest.mark.means("NODE_PRESSURE", "NODE_NETWORK_UNAVAILABLE")
def test_cluster_nodes_are_in_no_trouble(cluster_objects: Seen) -> None:
    """No node says that it is short of memory, disk, process numbers or a network.

    Of a node that says nothing these are unknown: that it is not ready is another test's claim.
    """
    nodes = {node["metadata"]["name"]: conditions(node) for node in cluster_objects.all("Node")}

    troubled = {
        name: sorted(kind for kind in TROUBLE if of_node.get(kind) == "True")
        for name, of_node in nodes.items()
    }
    for name, kinds in troubled.items():
        cause = "NODE_PRESSURE" if set(kinds) - {UNNETWORKED} else "NODE_NETWORK_UNAVAILABLE"
        what = Phrase("Node {node} has trouble", node=name)
        none_of(kinds, cause, what, subject=Ref("Node", "", name))
    assert troubled


@pytest.mark.dns
@pytest.mark.means("DNS_DOWN")
def test_cluster_dns_is_ready(cluster_objects: Seen) -> None:
    """The cluster's DNS has ready endpoints behind `kube-dns`."""
    assert cluster_objects.endpoints("kube-dns", "kube-system")


@pytest.mark.dns
@pytest.mark.means(
    "NAME_RESOLVES_WRONGLY", "DNS_DOWN", "DNS_SLOW", "DNS_WRONG_ANSWER", "NETWORK_CUT"
)
def test_cluster_dns_is_what_pods_ask(
    cluster_objects: Seen,
    kube: Kube,
    namespace_pods: VantagePoints,
    system: System,
    witness: Witness,
) -> None:
    """The name server of every pod is the address of `kube-dns`, and it answers soon."""
    service = cluster_objects.find("Service", "kube-dns", "kube-system")
    asked = ask_everywhere(kube, dict.fromkeys(namespace_pods.all().values(), pilot(system)))
    witness.add(*(answer.evidence for answers in asked.values() for answer in answers))

    assert asked
    if found := state_of_dns(asked):
        raise BrokenClaimError(found)
    assert service is not None
    servers = {answer.server for answers in asked.values() for answer in answers}
    assert servers == {service["spec"]["clusterIP"]}


@pytest.mark.storage
@pytest.mark.means("DEFAULT_STORAGE_CLASS_MISSING")
def test_cluster_has_one_default_storage_class(cluster_objects: Seen) -> None:
    """A claim that names no storage class gets exactly one."""
    defaults = [
        found["metadata"]["name"]
        for found in cluster_objects.all("StorageClass")
        if found["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true"
    ]
    for name in defaults:
        cluster_objects.find("StorageClass", name)

    assert len(defaults) == 1
