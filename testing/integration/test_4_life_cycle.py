"""Up, a node killed, down, up again: each ends where it should, and down leaves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster, Request
from nova_acceptance.cluster.readiness import is_node_ready
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from testing.integration.conftest import NAME, NODES, nova_cluster
from testing.integration.footprint import Footprint

pytestmark = pytest.mark.integration


def created(provider: Provider) -> list[str]:
    """Return the identities of the node containers."""
    listing = ["ps", "--quiet", "--no-trunc", f"--filter=label=io.x-k8s.kind.cluster={NAME}"]
    return sorted(provider.cluster(NAME).run_docker(*listing))


def test_second_up_finds_the_same_cluster(
    cluster: Cluster, provider: Provider, request_for_tests: Request
) -> None:
    before = created(provider)

    again = provider.up(request_for_tests, Phrase("once more"))

    assert created(provider) == before
    assert again.kubeconfig == cluster.kubeconfig


@pytest.mark.usefixtures("cluster")
def test_status_names_every_node() -> None:
    process = nova_cluster("status", NAME)
    output, _ = process.communicate(timeout=timeouts.API_REQUEST)

    assert process.returncode == 0
    assert output.count(": running") == NODES


@pytest.mark.usefixtures("cluster")
def test_engine_has_no_way_out(provider: Provider) -> None:
    """Its network has bridges and the nodes' links, none to the machine, and no default route."""
    if provider.engine is None:
        pytest.skip("the engine is the user's own")
    network = Path("/proc", str(provider.engine.pid), "net")
    links = [line.split(":")[0].strip() for line in (network / "dev").read_text().splitlines()[2:]]
    routes = [line.split()[1] for line in (network / "route").read_text().splitlines()[1:]]

    assert any(link.startswith("veth") for link in links), "no node is connected"
    assert [link for link in links if not re.match(r"(lo|docker0|br-\w+|veth\w+)$", link)] == []
    assert routes
    assert "00000000" not in routes


@pytest.mark.usefixtures("cluster")
def test_cluster_with_a_killed_node_is_kept_until_down(
    provider: Provider, request_for_tests: Request
) -> None:
    there = provider.cluster(NAME)
    worker = next(node for node in there.nodes() if "worker" in node.name)
    there.run_docker("kill", worker.name)
    with pytest.raises(ClusterError, match=f"{worker.name} does not run; it is not replaced"):
        provider.up(request_for_tests, Phrase("again"))
    assert len(there.nodes()) == NODES

    provider.down(NAME)
    assert not provider.is_up(NAME)
    assert not there.kubeconfig.exists()
    down = Footprint.now()

    cluster = provider.up(request_for_tests, Phrase("again"))
    nodes = Kube(cluster.kubeconfig, cluster.context).list("v1", "Node")
    assert len(nodes) == NODES
    assert all(is_node_ready(node) for node in nodes)

    provider.down(NAME)
    assert Footprint.now().left_behind(down) == {}
