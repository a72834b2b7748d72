"""NetworkPolicies against the ways that the configuration needs."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.placement import selects
from nova_acceptance.components.kubernetes.policies import Peer, allows
from nova_acceptance.components.network.enforcement import open_despite
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.system import Passage
from testing.unit.diagnosis.rendered import Nova, system

POLICY = Ref("NetworkPolicy", "nova-redis", "closed")
SERVICES = {"kubernetes.io/metadata.name": "nova-services"}


def policy(namespace: str = "nova-redis", **spec: Any) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


def rule(*ports: Any, peers: Any = None, **port: Any) -> dict[str, Any]:
    return {
        **({"ports": [{"port": it, **port} for it in ports]} if ports else {}),
        **({"from": peers} if peers is not None else {}),
    }


@pytest.mark.parametrize("knows_nova", [True, False])
@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"policyTypes": ["Ingress"], "ingress": []},
        {"ingress": [rule(peers=[{"podSelector": {}}])]},
        {"ingress": [rule(peers=[{"namespaceSelector": {"matchLabels": {"team": "other"}}}])]},
        {"ingress": [rule(6380)]},
        {"ingress": [rule("http")]},
        {"ingress": [rule(6379, protocol="UDP")]},
        {"ingress": [rule(6000, endPort=6100)]},
    ],
)
def test_policy_that_closes_redis(spec: dict[str, Any], *, knows_nova: bool) -> None:
    nova = Nova()
    nova.add(policy(**spec))

    assert nova.causes(knows_nova=knows_nova) == {"NETWORK_POLICY_DENIES": POLICY}


@pytest.mark.parametrize(
    "spec",
    [
        {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "somebody"}}},
        {"policyTypes": ["Ingress"], "ingress": [{}]},
        {"ingress": [rule(6379)]},
        {"ingress": [rule("redis")]},
        {"ingress": [rule(6000, endPort=7000)]},
        {"ingress": [rule(6379, peers=[{"namespaceSelector": {"matchLabels": SERVICES}}])]},
        {"ingress": [rule(peers=[{"namespaceSelector": {}, "podSelector": {}}])]},
        {"ingress": [rule(peers=[{"ipBlock": {"cidr": "10.0.0.0/8"}}])]},
        {"ingress": [rule(1), rule(6379)]},
    ],
)
def test_policy_that_lets_the_services_in(spec: dict[str, Any]) -> None:
    nova = Nova()
    nova.add(policy(**spec))

    assert nova.causes() == {}


def test_what_several_policies_allow_adds_up() -> None:
    nova = Nova()
    other = policy(ingress=[rule(6379)])
    other["metadata"]["name"] = "open"
    nova.add(policy(), other)

    assert nova.causes() == {}


def test_policy_that_keeps_the_services_in() -> None:
    nova = Nova()
    to_database = {"namespaceSelector": {"matchLabels": {"x": "y"}}}
    nova.add(policy("nova-services", policyTypes=["Egress"], egress=[{"to": [to_database]}]))

    (found,) = nova.diagnoses(knows_nova=False)
    assert found.subject == POLICY._replace(namespace="nova-services")
    assert any("redis-service" in line for line in found.evidence)


def to_redis(passage: Passage) -> bool:
    return passage.door.front.namespace == "nova-redis"


@pytest.mark.parametrize(
    ("word", "is_seen"), [("open", True), ("timeout", False), ("refused", False), ("", False)]
)
def test_policy_that_nothing_enforces_is_seen_by_an_open_connection(
    word: str, *, is_seen: bool
) -> None:
    nova = Nova()
    nova.add(policy())
    there = nova.snapshot()
    said = open_despite(there, system(), lambda it: word if to_redis(it) else "open")

    assert bool(said) is is_seen
    if said:
        assert said.startswith("NetworkPolicies are not enforced on this cluster: NetworkPolicy ")


def test_open_connection_that_policies_allow_shows_nothing_of_them() -> None:
    nova = Nova()
    nova.add(policy(ingress=[rule(6379)]))

    assert open_despite(nova.snapshot(), system(), lambda _: "open") is None
    assert open_despite(Nova().snapshot(), system(), lambda _: "open") is None


def test_policy_that_nothing_enforces_is_no_cause() -> None:
    nova = Nova()
    nova.add(policy())
    there = nova.snapshot(knows_nova=False)
    there.are_policies_enforced = False

    concerned = [Ref("Service", "nova-redis", "redis-service")]
    assert Doctor(there).explain(concerned).causes == ()


def test_closed_way_explains_a_test_that_was_about_it() -> None:
    nova = Nova()
    nova.add(policy())
    concerned = [Ref("Service", "nova-redis", "redis-service")]

    explanation = Doctor(nova.snapshot(knows_nova=False)).explain(concerned)
    assert explanation.causes[0].root.cause == "NETWORK_POLICY_DENIES"
    assert explanation.chain[-1] == POLICY


@pytest.mark.parametrize(
    ("expression", "is_met"),
    [
        ({"key": "app", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["a"]}, True),
    ],
)
def test_selector_by_expressions(expression: dict[str, Any], *, is_met: bool) -> None:
    assert selects({"matchExpressions": [expression]}, {"app": "a"}) is is_met


@pytest.mark.parametrize(("ip", "is_let_in"), [("10.1.0.1", True), ("10.2.0.1", False)])
def test_block_of_addresses_with_an_exception(ip: str, *, is_let_in: bool) -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/16"]}}
    closed = policy(ingress=[{"from": [block]}])
    listener = Peer("nova-redis", {}, {})

    client = Peer("nova-services", {}, {}, (ip,))
    assert allows(closed, "ingress", client, (6379, "TCP"), listener) is is_let_in
