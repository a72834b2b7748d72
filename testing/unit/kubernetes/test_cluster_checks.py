"""Nodes, storage classes and namespaces, each looked at by its own check."""

from __future__ import annotations

import pytest

from nova_acceptance.components.dns import checks as dns
from nova_acceptance.components.kubernetes.checks import namespaces, nodes, storage_classes
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.vantage.questions import Exchanged
from testing.unit.kubernetes.there import SHOP, causes, endpoints, node, seen, service

DEFAULT = "storageclass.kubernetes.io/is-default-class"
BETA = "storageclass.beta.kubernetes.io/is-default-class"


def storage_class(name: str, **annotations: str) -> Object:
    return {"kind": "StorageClass", "metadata": {"name": name, "annotations": annotations}}


def namespace(phase: str) -> Object:
    return {"kind": "Namespace", "metadata": {"name": SHOP}, "status": {"phase": phase}}


def test_nodes_that_are_ready_and_at_ease() -> None:
    there = seen(node("one", ("MemoryPressure", "False")), node("two"))

    assert nodes.unready_nodes(there) == nodes.strained_nodes(there) == []
    assert nodes.wrong_count(there) == nodes.wrong_count(there, 2) == []


@pytest.mark.parametrize("word", ["False", "Unknown"])
def test_each_node_that_is_not_ready_is_found(word: str) -> None:
    there = seen(node("one"), node("two", ready=word), node("three", ready=word))

    assert causes(nodes.unready_nodes(there)) == [
        ("NODE_NOT_READY", "two"),
        ("NODE_NOT_READY", "three"),
    ]


@pytest.mark.parametrize(
    ("condition", "cause"),
    [
        ("MemoryPressure", "NODE_PRESSURE"),
        ("DiskPressure", "NODE_PRESSURE"),
        ("PIDPressure", "NODE_PRESSURE"),
        ("NetworkUnavailable", "NODE_NETWORK_UNAVAILABLE"),
    ],
)
def test_node_in_trouble_is_found(condition: str, cause: str) -> None:
    there = seen(node("one"), node("two", (condition, "True")))

    assert causes(nodes.strained_nodes(there)) == [(cause, "two")]


def test_cluster_without_nodes_passes_nothing() -> None:
    for found in (nodes.unready_nodes, nodes.strained_nodes, nodes.wrong_count):
        assert causes(found(seen())) == [("NODE_NOT_READY", "")]


@pytest.mark.parametrize("wanted", [1, 3])
def test_another_number_of_nodes_is_found(wanted: int) -> None:
    (found,) = nodes.wrong_count(seen(node("one"), node("two")), wanted)

    assert found.summary == f"the cluster has 2 nodes, where {wanted} are wanted"


@pytest.mark.parametrize("annotation", [DEFAULT, BETA])
def test_one_default_storage_class(annotation: str) -> None:
    there = seen(storage_class("fast"), storage_class("standard", **{annotation: "true"}))

    assert storage_classes.wrong_default_class(there) == []


def test_no_default_storage_class() -> None:
    there = seen(storage_class("fast", **{DEFAULT: "false"}))

    assert causes(storage_classes.wrong_default_class(there)) == [
        ("DEFAULT_STORAGE_CLASS_MISSING", "fast")
    ]
    assert causes(storage_classes.wrong_default_class(seen())) == [
        ("DEFAULT_STORAGE_CLASS_MISSING", "")
    ]


def test_two_default_storage_classes_are_not_said_to_be_missing() -> None:
    there = seen(*(storage_class(name, **{DEFAULT: "true"}) for name in ("standard", "fast")))

    (found,) = storage_classes.wrong_default_class(there)
    assert (found.cause, found.subject.name) == ("DEFAULT_STORAGE_CLASS_AMBIGUOUS", "fast")
    assert found.summary == "2 storage classes are the cluster's default: fast, standard"


def test_namespace_is_active_missing_or_on_its_way_out() -> None:
    for there, cause in (
        (seen(namespace("Active")), []),
        (seen(namespace("Terminating")), [("NAMESPACE_TERMINATING", SHOP)]),
        (seen(), [("NAMESPACE_MISSING", SHOP)]),
    ):
        assert causes(namespaces.inactive_namespace(there, SHOP)) == cause


def test_dns_has_servers() -> None:
    kube_dns, behind = service("kube-dns"), endpoints("kube-dns", "coredns-x")
    for obj in (kube_dns, behind):
        obj["metadata"]["namespace"] = "kube-system"

    assert dns.missing_servers(seen(kube_dns, behind)) == []
    assert causes(dns.missing_servers(seen(kube_dns))) == [("DNS_DOWN", "kube-dns")]
    (found,) = dns.missing_servers(seen())
    assert found.summary.startswith("there is no Service kube-system/kube-dns")


def answered_by(server: str) -> Exchanged:
    told = Evidence("asked", "pod", "target", "answer", 0.1)
    return Exchanged("answered", "", told, server, None)


def test_pods_ask_the_clusters_own_dns() -> None:
    kube_dns = service("kube-dns")
    kube_dns["metadata"]["namespace"] = "kube-system"
    one, other = PodRef("shop", "web-a"), PodRef("shop", "web-b")
    own, foreign = answered_by("10.96.0.7"), answered_by("8.8.8.8")

    assert dns.other_servers(seen(kube_dns), {one: [own], other: [own]}) == []
    (found,) = dns.other_servers(seen(kube_dns), {one: [own], other: [own, foreign]})
    assert (found.cause, found.subject.name) == ("NAME_RESOLVES_WRONGLY", "kube-dns")
    assert found.summary.startswith("shop/web-b asks 8.8.8.8 for names")
    assert len(dns.other_servers(seen(), {one: [own], other: [own]})) == 2
