"""The cluster's DNS, and templates that lose its search list."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.diagnosis import examine
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.rendered import Nova, system

LABELS = {"k8s-app": "kube-dns"}
DNS = Ref("Service", "kube-system", "kube-dns")


def metadata(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "kube-system", "uid": f"uid-{name}", **more}


def dns(*, name: str = "kube-dns", replicas: int = 1, ready: bool = True) -> list[Object]:
    """Return kube-system with a DNS of one pod."""
    owner = {"kind": "DaemonSet", "name": "coredns", "uid": "uid-coredns"}
    addresses = [{"ip": "10.0.0.9"}]
    return [
        {"kind": "Namespace", "metadata": {"name": "kube-system"}},
        {
            "kind": "Service",
            "metadata": metadata(name, labels=LABELS),
            "spec": {"selector": LABELS, "ports": [{"port": 53, "protocol": "UDP"}]},
        },
        {
            "kind": "Endpoints",
            "metadata": metadata(name),
            "subsets": [{"addresses" if ready else "notReadyAddresses": addresses}],
        },
        {
            "kind": "DaemonSet",
            "metadata": metadata("coredns"),
            "spec": {
                "replicas": replicas,
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": {"containers": [{"name": "coredns", "image": "coredns"}]},
                },
            },
        },
        {
            "kind": "Pod",
            "metadata": metadata("coredns-x", labels=LABELS, ownerReferences=[owner]),
            "spec": {"containers": [{"name": "coredns"}]},
            "status": {
                "phase": "Running",
                "podIP": "10.0.0.9",
                "conditions": [{"type": "Ready", "status": str(ready)}],
            },
        },
    ]


def found_in(objects: list[Object]) -> list[Finding]:
    return [it for it in examine(Snapshot.of(objects)) if it.cause == "DNS_DOWN"]


@pytest.mark.parametrize("name", ["kube-dns", "rke2-coredns"])
def test_dns_that_is_well(name: str) -> None:
    assert found_in(dns(name=name)) == []


def test_dns_whose_pods_are_not_ready() -> None:
    (found,) = found_in(dns(ready=False))

    assert found.subject == DNS
    assert "not ready" in found.evidence[0]


def test_dns_whose_service_is_gone() -> None:
    (found,) = found_in([it for it in dns() if it["kind"] != "Service"])

    assert found.subject == DNS


def test_dns_that_is_scaled_away() -> None:
    objects = [it for it in dns(replicas=0, ready=False) if it["kind"] != "Pod"]
    for obj in objects:
        if obj["kind"] == "DaemonSet":
            obj["kind"] = "Deployment"
    (found,) = found_in(objects)

    assert found.subject == Ref("Deployment", "kube-system", "coredns")
    assert "scale deployment coredns --replicas=2" in found.cure


def test_dns_without_any_pod() -> None:
    objects = [it for it in dns() if it["kind"] not in ("Pod", "Endpoints")]

    assert len(found_in(objects)) == 1


def test_dns_of_a_cluster_that_keeps_it_elsewhere() -> None:
    elsewhere: Object = {"kind": "Namespace", "metadata": {"name": "openshift-dns"}}

    assert found_in([dns()[0], elsewhere]) == []


def test_dns_that_is_in_no_pod_and_behind_no_service_is_not_down() -> None:
    assert found_in([dns()[0]]) == []


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_dns_is_not_down_where_slices_lead_to_its_servers(version: str) -> None:
    served: Object = {
        "apiVersion": f"discovery.k8s.io/{version}",
        "kind": "EndpointSlice",
        "metadata": metadata("kube-dns-x", labels={"kubernetes.io/service-name": "kube-dns"}),
        "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": True}}],
    }
    objects = [it for it in dns() if it["kind"] != "Endpoints"]

    assert len(found_in(objects)) == 1
    assert found_in([*objects, served]) == []


def test_dns_is_not_down_where_kube_system_may_not_be_read() -> None:
    snapshot = Snapshot.of([dns()[0]])
    snapshot.listed = {("Namespace", ""), ("Service", "nova-services")}

    assert [it for it in examine(snapshot) if it.cause == "DNS_DOWN"] == []


@pytest.mark.parametrize("knows_nova", [True, False])
@pytest.mark.parametrize(
    "spec",
    [
        {"dnsPolicy": "Default"},
        {"hostNetwork": True},
        {"dnsPolicy": "None", "dnsConfig": {"searches": ["example.org"]}},
    ],
)
def test_template_that_loses_the_search_list(spec: dict[str, Any], *, knows_nova: bool) -> None:
    nova = Nova()
    nova["Deployment/user-service"]["spec"]["template"]["spec"].update(spec)

    workload = Ref("Deployment", "nova-services", "user-service")
    assert nova.causes(knows_nova=knows_nova) == {"SEARCH_PATH_LOST": workload}


def test_full_names_need_no_search_list() -> None:
    nova = Nova()
    nova["Deployment/user-service"]["spec"]["template"]["spec"] |= {
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.96.0.10"]},
    }

    assert nova.causes(knows_nova=False) == {}
    assert list(nova.causes()) == ["SEARCH_PATH_LOST"]  # of whose pods short names are asked


@pytest.mark.parametrize(
    "spec",
    [
        {"dnsPolicy": "ClusterFirst"},
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        {"dnsConfig": {"options": [{"name": "ndots", "value": "2"}]}},
        {
            "dnsPolicy": "None",
            "dnsConfig": {
                "nameservers": ["10.96.0.10"],
                "searches": ["nova-services.svc.cluster.local", "svc.cluster.local"],
            },
        },
    ],
)
def test_template_that_keeps_the_search_list(spec: dict[str, Any]) -> None:
    nova = Nova()
    nova["Deployment/user-service"]["spec"]["template"]["spec"].update(spec)

    assert nova.causes() == {}


def test_program_of_the_nodes_own_network_that_asks_for_no_service() -> None:
    nova = Nova()
    agent = nova["Deployment/user-service"]
    agent["metadata"] |= {"name": "agent"}
    agent["spec"]["template"]["spec"] = {
        "hostNetwork": True,
        "containers": [{"name": "agent", "args": ["--server=https://node-0:6443"]}],
    }

    assert "SEARCH_PATH_LOST" not in nova.causes(knows_nova=False)


COREFILE = """
# of kubeadm
.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes %s {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
    }
    cache 30
}
"""


def configured_dns(corefile: str) -> list[Object]:
    """Return the cluster's DNS with a ConfigMap that its pods mount."""
    objects = dns()
    for obj in objects:
        if obj["kind"] == "DaemonSet":
            volume = {"name": "config", "configMap": {"name": "coredns"}}
            obj["spec"]["template"]["spec"]["volumes"] = [volume]
    config = {"kind": "ConfigMap", "metadata": metadata("coredns"), "data": {"Corefile": corefile}}
    return [*objects, config]


@pytest.mark.parametrize(
    ("corefile", "is_lost"),
    [
        (COREFILE % "cluster.local in-addr.arpa ip6.arpa", False),
        (COREFILE % "cluster.local. in-addr.arpa", False),
        (COREFILE % "nova.local in-addr.arpa ip6.arpa", True),
        (COREFILE % "", False),  # the zones of its block, of which the root is one
        ("dns://cluster.local:53 {\n  kubernetes\n}", False),
        ("example.org {\n  kubernetes\n}", True),
        (".:53 {\n  forward . 10.0.0.1\n}", True),
        (".:53 {\n  import more/*\n}", False),
    ],
)
def test_zone_that_the_dns_does_not_serve(corefile: str, *, is_lost: bool) -> None:
    snapshot = Snapshot.of(configured_dns(corefile), system=system())
    found = [it for it in examine(snapshot) if it.cause == "DNS_ZONE_LOST"]

    assert [it.subject for it in found] == [Ref("ConfigMap", "kube-system", "coredns")] * is_lost


@pytest.mark.parametrize(("zones", "is_lost"), [("kubernetes nova.local", False), ("cache", True)])
def test_any_zone_may_be_that_of_a_cluster_which_nothing_is_known_of(
    zones: str, *, is_lost: bool
) -> None:
    snapshot = Snapshot.of(configured_dns(f".:53 {{\n  {zones}\n}}"))

    assert ("DNS_ZONE_LOST" in {it.cause for it in examine(snapshot)}) is is_lost


@pytest.mark.parametrize(
    ("address", "own", "is_wrong"),
    [
        ("10.96.0.7", {"clusterIP": "10.96.0.7"}, False),
        ("10.96.9.9", {"clusterIP": "10.96.0.7"}, True),
        ("10.96.9.9", {"clusterIP": "None"}, False),
        ("10.96.9.9", {}, False),  # rendered: it has no address yet
    ],
)
def test_hosts_file_against_the_service(
    address: str, own: dict[str, str], *, is_wrong: bool
) -> None:
    nova = Nova()
    nova["Service/redis-service"]["spec"].update(own)
    alias = {"ip": address, "hostnames": ["db.example.com", "redis-service.nova-redis"]}
    nova["Deployment/user-service"]["spec"]["template"]["spec"]["hostAliases"] = [alias]

    wanted = Ref("Deployment", "nova-services", "user-service") if is_wrong else None
    assert nova.causes().get("HOST_ALIAS_WRONG") == wanted
