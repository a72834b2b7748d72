"""What the cluster itself brings: nodes, DNS and storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from nova_acceptance.cluster import Cluster
from nova_acceptance.components.dns import checks as dns_checks
from nova_acceptance.components.dns.lookups import pilot
from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.kube import PodRef
from nova_acceptance.system import System
from nova_acceptance.vantage.agent import ask_everywhere
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import Exchanged
from nova_acceptance.vantage.transcript import Transcript

pytestmark = pytest.mark.cluster


@pytest.fixture
def answers(
    places: Places, namespace_pods: VantagePoints, system: System, transcript: Transcript
) -> Mapping[PodRef, Sequence[Exchanged]]:
    """What the DNS answers a pod of each namespace."""
    found = ask_everywhere(places, dict.fromkeys(namespace_pods.all().values(), pilot(system)))
    transcript.add(*(answer.evidence for answers in found.values() for answer in answers))
    return found


def test_cluster_nodes_are_ready(cluster_objects: Seen) -> None:
    """Every node of the cluster is Ready."""
    assert checks.nodes.unready_nodes(cluster_objects) == []


def test_cluster_has_the_nodes_asked_for(
    cluster_objects: Seen, cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    """A cluster of our own has as many nodes as `--nodes` says; any other has at least one."""
    wanted = pytestconfig.option.nodes if cluster.provider == "kind" else None

    assert checks.nodes.wrong_count(cluster_objects, wanted) == []


def test_cluster_nodes_are_in_no_trouble(cluster_objects: Seen) -> None:
    """No node says that it is short of memory, disk, process numbers or a network."""
    assert checks.nodes.strained_nodes(cluster_objects) == []


@pytest.mark.dns
def test_cluster_dns_is_ready(cluster_objects: Seen) -> None:
    """The cluster's DNS has ready endpoints behind `kube-dns`."""
    assert dns_checks.missing_servers(cluster_objects) == []


@pytest.mark.dns
def test_cluster_dns_is_what_pods_ask(
    cluster_objects: Seen, answers: Mapping[PodRef, Sequence[Exchanged]]
) -> None:
    """The name server of every pod is the address of `kube-dns`, and it answers soon."""
    assert dns_checks.failing_dns(answers) == []
    assert dns_checks.other_servers(cluster_objects, answers) == []


@pytest.mark.storage
def test_cluster_has_one_default_storage_class(cluster_objects: Seen) -> None:
    """A claim that names no storage class gets exactly one."""
    assert checks.storage_classes.wrong_default_class(cluster_objects) == []
