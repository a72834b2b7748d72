"""NetworkPolicies that allow just what is used close nothing; those that allow less do."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.network.plugins import are_policies_enforced
from nova_acceptance.kube import Object
from testing.unit.diagnosis.elsewhere import (
    address,
    cluster,
    deployment,
    endpoints,
    made,
    pod,
    said_of,
    service,
    template,
)

DENIED = ["NETWORK_POLICY_DENIES"]
TO_DNS = {"ports": [{"port": 53, "protocol": "UDP"}]}
STORE = {"matchLabels": {"app": "store"}}


def policy(name: str, spec: dict[str, Any], **metadata: Any) -> Object:
    return made("NetworkPolicy", name, {"podSelector": {}, **spec}, **metadata)


def closed() -> list[Object]:
    """Return what closes a namespace but for asking DNS."""
    return [
        policy("closed", {"policyTypes": ["Ingress", "Egress"]}),
        policy("names", {"policyTypes": ["Egress"], "egress": [TO_DNS]}),
    ]


def way(to: str, origin: str, port: Any) -> list[Object]:
    """Return what opens one port of the pods of an app to those of another."""
    ports = [{"port": port}]
    selectors = [{"podSelector": {"matchLabels": {"app": app}}} for app in (origin, to)]
    return [
        policy(
            f"in-{to}-{origin}",
            {
                "podSelector": selectors[1]["podSelector"],
                "ingress": [{"from": selectors[:1], "ports": ports}],
            },
        ),
        policy(
            f"out-{origin}-{to}",
            {
                "podSelector": selectors[0]["podSelector"],
                "policyTypes": ["Egress"],
                "egress": [{"to": selectors[1:], "ports": ports}],
            },
        ),
    ]


def store(*ports: int) -> list[Object]:
    """Return a store and its Service with these ports."""
    there = deployment("store", {"ports": [{"containerPort": number} for number in ports]})
    front = service("store")
    front["spec"]["ports"] = [{"name": f"p{number}", "port": number} for number in ports]
    return [*there, front, endpoints("store", address(there[-1]))]


def user(name: str = "web", **variables: str) -> list[Object]:
    env = [{"name": key, "value": value} for key, value in variables.items()]
    return deployment(name, {"env": env})


@pytest.mark.parametrize(
    "url", ["redis://store:6379", "redis://store", "redis://store.app.svc.cluster.local:6379/0"]
)
def test_port_that_is_used_is_enough(url: str) -> None:
    there = [*store(6379, 9121), *user(STORE_URL=url), *closed()]

    assert said_of(cluster(*there, *way("store", "web", 6379))) == []
    assert said_of(cluster(*there, *way("store", "web", 9121))) == DENIED


def test_any_port_will_do_where_none_is_said_nor_usual() -> None:
    there = [*store(9000, 9001), *user(STORE_HOST="store"), *closed()]

    assert said_of(cluster(*there, *way("store", "web", 9001))) == []
    assert said_of(cluster(*there)) == DENIED


@pytest.mark.parametrize("half", [0, 1])
def test_way_that_is_open_at_one_end_alone_is_closed(half: int) -> None:
    there = [*store(6379), *user(STORE_URL="redis://store:6379"), *closed()]

    assert said_of(cluster(*there, way("store", "web", 6379)[half])) == DENIED


def role_of(name: str, role: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"app": name, "role": role}}}


def database() -> list[Object]:
    """Return a database of two members, whose roles their programs put on their pods."""
    of = template("db", {"ports": [{"containerPort": 5432}]})
    counted = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "observedGeneration": 1}
    spec = {"replicas": 2, "serviceName": "db", "template": of}
    workload = made("StatefulSet", "db", spec, counted)
    members = [pod(f"db-{number}", of, workload) for number in range(2)]
    for member, role in zip(members, ("primary", "replica"), strict=True):
        member["metadata"]["labels"] = {"app": "db", "role": role}
    front = service("db-primary", {"app": "db", "role": "primary"}, port=5432)
    return [workload, *members, front, endpoints("db-primary", address(members[0]))]


@pytest.mark.parametrize(
    ("role", "is_there", "said"),
    [("primary", True, []), ("replica", True, DENIED), ("primary", False, [])],
)
def test_policy_may_follow_a_label_that_is_put_on_pods_while_they_run(
    role: str, said: list[str], *, is_there: bool
) -> None:
    egress = {"policyTypes": ["Egress"], "egress": [{"to": [role_of("db", role)]}, TO_DNS]}
    web = {"podSelector": {"matchLabels": {"app": "web"}}}
    members = database()
    if not is_there:  # before the first of them has been made
        members = [it for it in members if it["kind"] != "Pod"]
        members[-1]["subsets"] = []
        members[0]["status"] |= {"replicas": 0, "updatedReplicas": 0, "readyReplicas": 0}
    found = said_of(
        cluster(
            *members, *user(DB_URL="postgres://u@db-primary:5432/x"), policy("db", web | egress)
        )
    )

    assert [it for it in found if it in DENIED] == said


def test_ingress_of_one_role_alone_is_closed() -> None:
    members = [*database(), *user(DB_URL="postgres://u@db-primary:5432/x")]
    for role, said in (("primary", DENIED), ("replica", [])):
        on_it = policy("role", {**role_of("db", role), "policyTypes": ["Ingress"]})
        assert said_of(cluster(*members, on_it)) == said


def shared(*names: str) -> list[Object]:
    """Return workloads that are all given one ConfigMap as a whole, and that ConfigMap."""
    held = made("ConfigMap", "addresses") | {"data": {"STORE_URL": "http://store:8080"}}
    given = {"envFrom": [{"configMapRef": {"name": "addresses"}}]}
    return [held, *(obj for name in names for obj in deployment(name, given))]


def test_address_that_several_are_given_is_used_by_one_of_them_at_least() -> None:
    there = [*store(8080), *shared("web", "jobs", "store-2"), *closed()]

    assert said_of(cluster(*there, *way("store", "jobs", 8080))) == []
    assert said_of(cluster(*there)) == DENIED


def test_own_address_among_those_that_several_are_given_opens_nothing() -> None:
    there = [*store(8080), *shared("web", "jobs")]
    there[0]["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [
        {"configMapRef": {"name": "addresses"}}
    ]
    assert said_of(cluster(*there, *closed())) == DENIED


def test_pod_reaches_itself() -> None:
    there = store(8080)
    own = {"name": "PUBLIC_URL", "value": "http://store:8080"}
    there[0]["spec"]["template"]["spec"]["containers"][0]["env"] = [own]
    assert said_of(cluster(*there, *closed())) == []

    there[0]["spec"]["replicas"] = 2
    there[0]["status"] |= dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), 2)
    there[0]["status"]["availableReplicas"] = 2
    assert said_of(cluster(*there, *closed())) == DENIED


ASKS = {"MAIL_URL": "smtp://mail.example.com:25"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], **TO_DNS}, []),
        ({"to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}], **TO_DNS}, []),
        ({"to": [{"namespaceSelector": {}}], **TO_DNS}, []),
        ({"to": [{"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}], **TO_DNS}, DENIED),
        ({"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], **TO_DNS}, DENIED),
        ({"ports": [{"port": 25}]}, DENIED),
    ],
    ids=["cache on the node", "Service", "pods", "own namespace", "elsewhere", "mail alone"],
)
def test_dns_may_be_let_through_by_where_it_answers(rule: dict[str, Any], said: list[str]) -> None:
    only = policy("egress", {"policyTypes": ["Egress"], "egress": [rule]})

    assert said_of(cluster(*user(**ASKS), only)) == said


def test_who_asks_another_server_needs_no_way_to_the_clusters() -> None:
    only = policy("egress", {"policyTypes": ["Egress"], "egress": [{"ports": [{"port": 25}]}]})
    web = deployment(
        "web",
        {"env": [{"name": "MAIL_URL", "value": "smtp://mail.example.com:25"}]},
        dnsPolicy="None",
        dnsConfig={"nameservers": ["192.0.2.53"]},
    )

    assert said_of(cluster(*web, only)) == []


@pytest.mark.parametrize(("is_newer", "said"), [(True, []), (False, DENIED)])
def test_namespace_is_named_by_a_label_that_older_servers_do_not_put_on(
    said: list[str], *, is_newer: bool
) -> None:
    by_name = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    rule = {"to": [by_name], **TO_DNS}
    only = policy("egress", {"policyTypes": ["Egress"], "egress": [rule]})
    seen = cluster(*user(**ASKS), only)
    if is_newer:
        home = seen.get("Namespace", "", "kube-system")
        assert home
        home["metadata"]["labels"] = {"kubernetes.io/metadata.name": "kube-system"}

    assert said_of(seen) == said


def plugin(name: str, *images: str, path: str = "/etc/cni/net.d") -> Object:
    of = template(name)
    of["spec"]["containers"] = [
        {"name": f"c{number}", "image": image} for number, image in enumerate(images)
    ]
    of["spec"]["volumes"] = [{"name": "cni", "hostPath": {"path": path}}]
    counted = dict.fromkeys(("desiredNumberScheduled", "currentNumberScheduled", "numberReady"), 1)
    counted |= {"updatedNumberScheduled": 1, "numberAvailable": 1, "observedGeneration": 1}
    return made("DaemonSet", name, {"template": of}, counted, namespace="kube-system")


FLANNEL = "docker.io/flannel/flannel:v0.25.1", "docker.io/flannel/flannel-cni-plugin:v1.4.1"


@pytest.mark.parametrize(
    ("plugins", "is_enforced"),
    [
        ([plugin("kube-flannel-ds", *FLANNEL)], False),
        ([plugin("kindnet", "docker.io/kindest/kindnetd:v20210326-1e038dc5")], False),
        ([plugin("net", f"registry.example:5000/mirror/flannel@sha256:{'0' * 64}")], False),
        ([plugin("kindnet", "docker.io/kindest/kindnetd:v20240813-c6f155d6")], True),
        ([plugin("canal", "docker.io/calico/node:v3.27.0", FLANNEL[0])], True),
        ([plugin("net", "example.org/some-plugin:1")], True),
        ([plugin("kube-flannel-ds", *FLANNEL), plugin("calico-node", "calico/node:v3")], True),
        ([plugin("logs", FLANNEL[0], path="/var/log")], True),
        ([], True),
    ],
    ids=[
        "flannel",
        "old kindnet",
        "mirror",
        "kindnet",
        "canal",
        "other",
        "two",
        "no plugin",
        "none",
    ],
)
def test_policy_is_no_cause_where_the_plugin_enforces_none(
    plugins: list[Object], *, is_enforced: bool
) -> None:
    there = [*store(6379), *user(STORE_URL="redis://store:6379"), *closed(), *plugins]
    seen = cluster(*there)

    assert are_policies_enforced(seen) is is_enforced
    assert said_of(seen) == (DENIED if is_enforced else [])


def test_what_was_tried_counts_more_than_what_the_plugin_is() -> None:
    seen = cluster(plugin("calico-node", "calico/node:v3"))
    seen.are_policies_enforced = False

    assert not are_policies_enforced(seen)
