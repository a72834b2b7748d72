"""What the cluster itself brings: nodes, DNS and storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from nova_acceptance.cluster import Cluster
from nova_acceptance.components.dns import checks as dns_checks
from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.findings import Finding
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.outcomes import Outcome
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import Exchanged
from nova_acceptance.vantage.transcript import Transcript

pytestmark = pytest.mark.cluster


@pytest.fixture
def ask(
    places: Places,
    namespace_pods: VantagePoints,
    dns_answers: Outcome[dict[PodRef, list[Exchanged]]],
    transcript: Transcript,
) -> Callable[[], Mapping[PodRef, Sequence[Exchanged]]]:
    """Returns what the DNS answers a pod of each namespace."""

    def answers() -> Mapping[PodRef, Sequence[Exchanged]]:
        wanted = namespace_pods.all().values()
        found = dns_answers.told(transcript)
        for pod in wanted:
            if pod not in found:
                places.of(pod)  # says why nothing can be asked from it
        return found

    return answers


@pytest.fixture
def ask_more(dns_finding: Outcome[Finding | None]) -> Callable[[], Finding | None]:
    """Returns what more questions showed of it: from more nodes, of its zone."""
    return dns_finding.answer


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
def test_cluster_dns_is_ready(
    cluster_objects: Seen, ask: Callable[[], Mapping[PodRef, Sequence[Exchanged]]]
) -> None:
    """The cluster's DNS has ready endpoints behind its Service, or answers without one."""
    assert dns_checks.missing_servers(cluster_objects, ask) == []


@pytest.mark.dns
def test_cluster_dns_is_what_pods_ask(
    cluster_objects: Seen,
    ask: Callable[[], Mapping[PodRef, Sequence[Exchanged]]],
    ask_more: Callable[[], Finding | None],
) -> None:
    """The name server of every pod knows the cluster's names, and it answers soon."""
    answers = ask()

    assert dns_checks.failing_dns(answers, ask_more) == []
    assert dns_checks.other_servers(cluster_objects, answers) == []


@pytest.mark.storage
def test_cluster_has_one_default_storage_class(
    cluster_objects: Seen, classless_claims: Sequence[Phrase] | None
) -> None:
    """A claim that names no storage class gets exactly one, where there are such claims."""
    assert checks.storage_classes.wrong_default_class(cluster_objects, classless_claims) == []
