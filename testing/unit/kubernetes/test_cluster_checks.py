"""Nodes, storage classes and namespaces, each looked at by its own check."""

from __future__ import annotations

import pytest
from dns.message import make_query, make_response
from dns.rcode import NOERROR, NXDOMAIN
from dns.rrset import from_text

from nova_acceptance.components.dns import checks as dns
from nova_acceptance.components.dns.lookups import other_zone
from nova_acceptance.components.kubernetes.checks import namespaces, nodes, storage_classes
from nova_acceptance.components.kubernetes.storage import without_class
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.questions import Exchanged, Resolving
from testing.unit.kubernetes.there import SHOP, STORE, causes, endpoints, made, node, seen, service

API = "kubernetes.default.svc.cluster.local"

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


def test_no_default_is_needed_where_every_claim_names_its_class() -> None:
    there = seen(storage_class("fast"))
    wanted = [Phrase("StatefulSet shop/store")]

    assert storage_classes.wrong_default_class(there, []) == []
    assert causes(storage_classes.wrong_default_class(there, wanted)) == [
        ("DEFAULT_STORAGE_CLASS_MISSING", "fast")
    ]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("v1.20.2", "is refused"),
        ("v1.25.9+k3s1", "is refused"),
        ("v1.26.0", "gets standard, the newest"),
        ("v1.37.0-eks-1", "gets standard, the newest"),
        ("", "gets standard, the newest"),
    ],
)
def test_of_two_defaults_the_newest_wins_since_1_26(version: str, said: str) -> None:
    classes = [storage_class(name, **{DEFAULT: "true"}) for name in ("standard", "fast")]
    for each, at in zip(classes, ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"), strict=True):
        each["metadata"]["creationTimestamp"] = at
    one = node("one")
    one["status"]["nodeInfo"] = {"kubeletVersion": version}

    (found,) = storage_classes.wrong_default_class(seen(one, *classes))
    assert said in found.evidence[1]


@pytest.mark.parametrize(("named", "count"), [({}, 1), ({"storageClassName": "fast"}, 0)])
def test_templates_that_leave_the_class_open(named: dict[str, str], count: int) -> None:
    store = made(STORE)
    store["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": named}]

    assert len(without_class(seen(store))) == count
    assert without_class(seen(made())) == []


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


def answered_by(server: str, address: str = "", state: str = "answered") -> Exchanged:
    """Return an answer to the name of the API's own Service: its address, or that there is none."""
    told = Evidence("asked", "pod", "target", "answer", 0.1)
    message = make_response(make_query(API, "A"))
    message.set_rcode(NOERROR if address else NXDOMAIN)
    if address:
        message.answer.append(from_text(API, 5, "IN", "A", address))
    return Exchanged(state, "", told, server, message if state == "answered" else None)


def test_pods_ask_the_clusters_own_dns() -> None:
    kube_dns = service("kube-dns")
    kube_dns["metadata"]["namespace"] = "kube-system"
    one, other = PodRef("shop", "web-a"), PodRef("shop", "web-b")
    own, foreign = answered_by("10.96.0.7", "10.96.0.1"), answered_by("8.8.8.8")

    assert dns.other_servers(seen(kube_dns), {one: [own], other: [own]}) == []
    (found,) = dns.other_servers(seen(kube_dns), {one: [own], other: [own, foreign]})
    assert (found.cause, found.subject.name) == ("NAME_RESOLVES_WRONGLY", "kube-dns")
    assert found.summary.startswith("shop/web-b asks 8.8.8.8 for names")
    assert len(dns.other_servers(seen(), {one: [foreign], other: [foreign]})) == 2


def dns_service(name: str, *, is_ready: bool = True) -> list[Object]:
    """Return a DNS Service as a distribution names it, with what is behind it."""
    found, behind = service(name), endpoints(name, "coredns-x")
    found["metadata"]["labels"] = {"k8s-app": "kube-dns"}
    found["spec"]["ports"] = [{"port": 53, "protocol": "UDP"}]
    for obj in (found, behind):
        obj["metadata"]["namespace"] = "kube-system"
    return [found, behind] if is_ready else [found]


POD = PodRef("shop", "web-a")


@pytest.mark.parametrize("name", ["kube-dns", "coredns", "rke2-coredns-rke2-coredns"])
def test_dns_service_may_have_any_name(name: str) -> None:
    there = seen(*dns_service(name))

    assert dns.missing_servers(there) == []
    assert dns.other_servers(there, {POD: [answered_by("10.96.0.7", "10.96.0.1")]}) == []
    (found,) = dns.missing_servers(seen(*dns_service(name, is_ready=False)))
    assert (found.cause, found.subject.name) == ("DNS_DOWN", name)


@pytest.mark.parametrize("cache", ["169.254.20.10", "10.96.0.10", "fd00::a"])
def test_cache_on_the_node_is_no_other_dns(cache: str) -> None:
    served = {POD: [answered_by(cache, "10.96.0.1")]}

    assert dns.other_servers(seen(*dns_service("kube-dns")), served) == []
    assert dns.missing_servers(seen(), lambda: served) == []
    assert dns.missing_servers(seen(*dns_service("kube-dns", is_ready=False)), lambda: served) == []


@pytest.mark.parametrize("address", ["", "10.96.0.1"])
def test_dns_that_no_service_leads_to_is_down_where_pods_ask_that_service(address: str) -> None:
    there = seen(*dns_service("kube-dns", is_ready=False))
    asked = {
        POD: [answered_by("10.96.0.7", address, state="timeout" if not address else "answered")]
    }

    assert causes(dns.missing_servers(there, lambda: asked)) == [("DNS_DOWN", "kube-dns")]


@pytest.mark.parametrize("server", ["", "169.254.20.10", "8.8.8.8"])
@pytest.mark.parametrize("state", ["timeout", "unreachable", "refused"])
def test_server_that_gave_no_answer_is_no_wrong_server(server: str, state: str) -> None:
    asked = {POD: [answered_by(server, state=state)] * 3}

    assert dns.other_servers(seen(*dns_service("kube-dns")), asked) == []
    assert causes(dns.failing_dns(asked)) == [("DNS_DOWN", "kube-dns")]


def resolver(*search: str) -> Resolving:
    told = Evidence("resolver", "pod", "/etc/resolv.conf", "read", 0.1)
    return Resolving("read", "", told, ("10.96.0.10",), search)


@pytest.mark.parametrize(
    ("search", "cause"),
    [
        (("shop.svc.corp.example", "svc.corp.example", "corp.example"), "ZONE_MISNAMED"),
        (("shop.svc.corp.example.", "svc.corp.example.", "corp.example."), "ZONE_MISNAMED"),
        (("shop.svc.cluster.local", "svc.cluster.local", "cluster.local"), "DNS_WRONG_ANSWER"),
        (("example.org",), "DNS_WRONG_ANSWER"),
        ((), "DNS_WRONG_ANSWER"),
    ],
)
def test_zone_of_the_cluster_is_read_from_the_search_list(
    search: tuple[str, ...], cause: str
) -> None:
    asked = {POD: [answered_by("10.96.0.10")] * 3}
    found = dns.failing_dns(asked, lambda: other_zone({POD: resolver(*search)}, "cluster.local"))

    assert causes(found) == [(cause, "kube-dns")]
    if cause == "ZONE_MISNAMED":
        assert found[0].cure == "write `zone: corp.example` into nova.yaml"
