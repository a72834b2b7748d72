"""What is lost, silent or slow follows from a node, where the objects show that it is there."""

from __future__ import annotations

import pytest

from nova_acceptance.diagnosis import Ranked
from nova_acceptance.diagnosis.folding import Folding
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis import members, recorded
from testing.unit.diagnosis.members import DATABASE, REDIS, moved
from testing.unit.diagnosis.test_folding import finding, folded


def spread(**homes: str) -> Snapshot:
    """Return three members of etcd and a pod of Redis, each on the node that is given."""
    etcd = members.stateful_set("etcd", DATABASE, 3, ready=2)
    redis = members.stateful_set("redis", REDIS, 1)
    pods = [members.member(etcd, number, ready=number != 0) for number in range(3)]
    pods.append(members.member(redis, 0))
    for each in pods:
        each["spec"]["nodeName"] = homes[each["metadata"]["name"].replace("-", "_")]
    nodes = [recorded.node(name) for name in ("ash", "elm", "oak")]
    return members.snapshot(etcd, redis, *pods, *nodes)


AT_ASH = {"etcd_0": "ash", "etcd_1": "elm", "etcd_2": "oak", "redis_0": "ash"}
CUT = finding("NETWORK_CUT", "Node", "ash")
MEMBER = finding("ETCD_MEMBER_LOST", "StatefulSet", "etcd", DATABASE)


def test_member_that_is_lost_on_a_node_that_is_cut_off_follows_from_that() -> None:
    assert folded(spread(**AT_ASH), MEMBER, CUT) == {"NETWORK_CUT": ["ETCD_MEMBER_LOST"]}


def test_member_that_is_lost_elsewhere_stands_by_itself() -> None:
    seen = spread(**{**AT_ASH, "etcd_0": "oak", "etcd_2": "ash"})

    assert folded(seen, MEMBER, CUT) == {"NETWORK_CUT": [], "ETCD_MEMBER_LOST": []}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("ash", {"NETWORK_CUT": ["TWO_LEADERS"]}),
        ("oak", {"NETWORK_CUT": [], "TWO_LEADERS": []}),
    ],
)
def test_leader_on_a_node_that_is_cut_off_and_its_successor_are_two_for_that(
    node: str, expected: dict[str, list[str]]
) -> None:
    postgres = members.stateful_set("postgres", DATABASE, 2)
    pods = [members.member(postgres, number) for number in range(2)]
    for pod, home in zip(pods, (node, "elm"), strict=True):
        pod["spec"]["nodeName"] = home
    nodes = [recorded.node(name) for name in ("ash", "elm", "oak")]
    leaders = finding("TWO_LEADERS", "StatefulSet", "postgres", DATABASE)

    assert folded(members.snapshot(postgres, *pods, *nodes), leaders, CUT) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("ash", {"NETWORK_CUT": ["DNS_SLOW"]}),
        ("elm", {"NETWORK_CUT": [], "DNS_SLOW": []}),
    ],
)
def test_dns_of_which_a_server_is_on_a_node_that_is_cut_off_is_slow_for_that(
    node: str, expected: dict[str, list[str]]
) -> None:
    seen, labels = spread(**AT_ASH), {"k8s-app": "kube-dns"}
    servers = members.stateful_set("coredns", "kube-system", 1)
    server = members.member(servers, 0)
    server["spec"]["nodeName"] = node
    for template in (servers["spec"]["template"], server):
        template["metadata"]["labels"] = labels
    dns = moved(recorded.service("kube-dns", selector=labels), "kube-system")
    for obj in (dns, servers, server):
        seen.update("ADDED", obj)
    slow = finding("DNS_SLOW", "Service", "kube-dns", "kube-system")

    assert folded(seen, slow, CUT) == expected


def unheard(*pods: tuple[str, str]) -> Finding:
    """Return that the cluster's DNS answers others, and not these pods."""
    concerns = tuple(Ref("Pod", *each) for each in pods)
    return finding("NETWORK_CUT", "Namespace", REDIS, concerns=concerns)


def test_pods_that_the_dns_does_not_answer_are_under_the_cut_of_their_node() -> None:
    silent = unheard((REDIS, "redis-0"), (DATABASE, "etcd-0"))

    (only,) = Folding(spread(**AT_ASH)).folded(map(Ranked, (silent, CUT)))

    assert (only.root, only.symptoms) == (CUT, (silent,))


@pytest.mark.parametrize(
    "silent",
    [
        unheard((REDIS, "redis-0"), (DATABASE, "etcd-1")),
        unheard((REDIS, "redis-9")),
        finding("NETWORK_CUT", "Node", "elm"),
    ],
    ids=["one of them is elsewhere", "nobody knows where it is", "another node"],
)
def test_cut_that_the_node_does_not_explain_stands_by_itself(silent: Finding) -> None:
    found = Folding(spread(**AT_ASH)).folded(map(Ranked, (silent, CUT)))

    assert {each.root.key for each in found} == {silent.key, CUT.key}
    assert not any(each.symptoms for each in found)


def unanswered(*pods: tuple[str, str], cause: str = "PORT_SILENT") -> Finding:
    """Return that Redis answers none of these pods; its own is on the node ash."""
    asked_from = tuple(Ref("Pod", *each) for each in pods)
    return finding(cause, "Service", "redis-service", REDIS, asked_from=asked_from)


@pytest.mark.parametrize("cause", ["NETWORK_CUT", "NODE_NOT_READY"])
def test_silence_is_under_what_is_wrong_with_the_node_of_all_who_asked(cause: str) -> None:
    silent, at_elm = unanswered((DATABASE, "etcd-1")), finding(cause, "Node", "elm")

    (only,) = Folding(spread(**AT_ASH)).folded(map(Ranked, (silent, at_elm)))

    assert (only.root, only.symptoms) == (at_elm, (silent,))


@pytest.mark.parametrize(
    ("pods", "node"),
    [
        (((DATABASE, "etcd-1"), (DATABASE, "etcd-2")), "elm"),
        (((DATABASE, "etcd-9"),), "elm"),
        (((DATABASE, "etcd-1"), (DATABASE, "etcd-9")), "elm"),
        (((DATABASE, "etcd-1"),), "oak"),
    ],
    ids=["others, too", "nobody knows where it is", "or of one of them", "another node"],
)
def test_silence_that_the_node_of_who_asked_does_not_explain_stands_by_itself(
    pods: tuple[tuple[str, str], ...], node: str
) -> None:
    silent, cut = unanswered(*pods), finding("NETWORK_CUT", "Node", node)

    assert folded(spread(**AT_ASH), silent, cut) == {"NETWORK_CUT": [], "PORT_SILENT": []}


def test_silence_is_under_the_node_of_what_is_asked_wherever_it_is_asked_from() -> None:
    seen = spread(**AT_ASH)
    seen.update("ADDED", moved(recorded.service("redis-service", selector={"app": "redis"}), REDIS))
    for obj in (seen.get("StatefulSet", REDIS, "redis"), seen.get("Pod", REDIS, "redis-0")):
        assert obj is not None
        of = obj["spec"]["template"] if obj["kind"] == "StatefulSet" else obj
        of["metadata"]["labels"] = {"app": "redis"}
    silent = unanswered((DATABASE, "etcd-1"), (DATABASE, "etcd-2"))

    assert folded(seen, silent, CUT) == {"NETWORK_CUT": ["PORT_SILENT"]}


def test_silence_is_not_under_the_settings_of_who_asked() -> None:
    seen = spread(**AT_ASH)
    pod = seen.get("Pod", DATABASE, "etcd-1")
    assert pod is not None
    pod["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "settings"}}]
    blank = finding("VALUE_WITH_BLANKS", "Secret", "settings", DATABASE)

    assert folded(seen, unanswered((DATABASE, "etcd-1")), blank) == {
        "PORT_SILENT": [],
        "VALUE_WITH_BLANKS": [],
    }


def test_silence_is_not_under_a_cordoned_node_on_which_who_asked_runs() -> None:
    cordoned = finding("NODE_CORDONED", "Node", "elm")

    assert folded(spread(**AT_ASH), unanswered((DATABASE, "etcd-1")), cordoned) == {
        "NODE_CORDONED": [],
        "PORT_SILENT": [],
    }


def test_cut_of_one_namespace_is_not_under_that_of_another() -> None:
    silent = unheard((REDIS, "redis-0"), (DATABASE, "etcd-0"))
    other = finding("NETWORK_CUT", "Namespace", DATABASE)

    assert len(Folding(spread(**AT_ASH)).folded(map(Ranked, (silent, other)))) == 2
