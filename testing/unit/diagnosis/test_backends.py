"""What stands behind Services, in clusters of many and of few."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_acceptance.components.kubernetes import endpoints as endpoint_rules
from nova_acceptance.components.kubernetes import workloads
from nova_acceptance.components.kubernetes.backends import Endpoint, endpoints_of
from nova_acceptance.components.kubernetes.workloads import selected
from nova_acceptance.diagnosis import beforehand
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.elsewhere import (
    address,
    cluster,
    crashing,
    deployment,
    endpoints,
    said_of,
    service,
    slices,
)

MANY = 40


def pairs() -> Iterator[Object]:
    for number in range(MANY):
        yield deployment(f"web-{number}")[0]
        yield service(f"web-{number}")


def test_services_are_matched_with_what_has_their_rarest_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = cluster(*pairs())
    calls: list[object] = []
    matches = workloads.matches

    def counted(wanted: dict[str, str], labels: dict[str, str] | None) -> bool:
        calls.append(wanted)
        return matches(wanted, labels)

    monkeypatch.setattr(workloads, "matches", counted)
    names = [
        (each["metadata"]["name"], [it["metadata"]["name"] for it in selected(seen, each)])
        for each in seen.of_kind("Service", "app")
    ]

    assert names == [(f"web-{number}", [f"web-{number}"]) for number in range(MANY)]
    assert len(calls) <= MANY


def test_service_selects_by_all_of_its_labels() -> None:
    one, other = deployment("web")[0], deployment("job")[0]
    for each in (one, other):
        each["spec"]["template"]["metadata"]["labels"]["team"] = "front"
    seen = cluster(one, other)

    assert selected(seen, service("web", {"team": "front"})) == [one, other]
    assert selected(seen, service("web", {"team": "front", "app": "job"})) == [other]
    assert selected(seen, service("web", {"team": "front", "app": "none"})) == []


def test_pods_of_a_namespace_are_looked_at_once_for_all_its_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objects = [deployment(f"web-{number}") for number in range(MANY)]
    fronts = [
        it
        for workload, _, its in objects
        for name in (workload["metadata"]["name"],)
        for it in (service(name), endpoints(name, address(its)))
    ]
    seen = cluster(*(it for each in objects for it in each), *fronts)
    looks = 0
    of_kind = Snapshot.of_kind

    def counted(self: Snapshot, kind: str, namespace: str | None = None) -> Iterator[Object]:
        nonlocal looks
        looks += kind == "Pod"
        return of_kind(self, kind, namespace)

    monkeypatch.setattr(Snapshot, "of_kind", counted)
    assert list(endpoint_rules.endpoints(seen)) == []
    assert looks <= MANY + 2  # those that carry a Service's labels, and the addresses once


def test_slices_are_believed_before_endpoints_which_may_be_cut_off() -> None:
    *owners, its = deployment("web")
    cut = endpoints("web", "10.1.0.99")
    seen = cluster(*owners, its, service("web"), cut, slices("web", address(its)))

    assert [each.address for each in endpoints_of(seen, ref(service("web")))] == [address(its)]
    assert said_of(seen) == []


def test_slice_without_an_address_says_that_there_is_none() -> None:
    seen = cluster(service("web"), endpoints("web", "10.1.0.99"), slices("web"))

    assert endpoints_of(seen, ref(service("web"))) == []


def test_endpoints_serve_where_there_is_no_slice() -> None:
    found = endpoints("web")
    found["subsets"] = [
        {
            "addresses": [
                {
                    "ip": "10.244.0.9",
                    "hostname": "b-0",
                    "targetRef": {"kind": "Pod", "name": "b-0"},
                },
                {"ip": "10.244.0.3"},
            ],
            "notReadyAddresses": [{"ip": "10.244.0.5"}],
            "ports": [{"name": "http", "port": 80}],
        }
    ]
    ports = (("http", 80),)

    assert endpoints_of(cluster(found), ref(service("web"))) == [
        Endpoint("10.244.0.3", ports=ports),
        Endpoint("10.244.0.5", is_ready=False, ports=ports),
        Endpoint("10.244.0.9", pod="b-0", hostname="b-0", ports=ports),
    ]
    assert endpoints_of(cluster(found | {"subsets": None}), ref(service("web"))) == []


def test_address_of_several_slices_is_one_endpoint_with_all_ports() -> None:
    one, other, names = slices("web", "10.1.0.9"), slices("web", "10.1.0.9"), slices("web", "a.b")
    one["endpoints"][0] |= {
        "conditions": {"ready": False},
        "hostname": "web-0",
        "targetRef": {"kind": "Pod", "name": "web-0"},
    }
    one["ports"] = [{"name": "http", "port": 80}]
    other["metadata"]["name"] = "web-2"
    other["ports"] = [{"name": "tls", "port": 443}, {"name": "any", "port": None}]
    names["metadata"]["name"] = "web-3"
    names["addressType"] = "FQDN"

    assert endpoints_of(cluster(one, other, names), ref(service("web"))) == [
        Endpoint("10.1.0.9", True, "web-0", "web-0", (("http", 80), ("tls", 443)))
    ]


def of_ports() -> list[Object]:
    """Return a Deployment that declares one port, and a Service that leads to another."""
    *owners, its = deployment("mesh", {"ports": [{"containerPort": 8080}]})
    front = service("mesh", port=15012)
    return [*owners, its, front, endpoints("mesh", address(its))]


ASKING = {"env": [{"name": "MESH_URL", "value": "http://mesh:15012"}]}


def test_port_that_is_only_not_declared_is_no_cause() -> None:
    assert said_of(cluster(*of_ports(), *deployment("web", ASKING))) == []


def test_port_that_is_not_declared_is_a_cause_where_its_user_is_ill() -> None:
    assert "TARGET_PORT_WRONG" in said_of(cluster(*of_ports(), *crashing("web", ASKING)))


def test_port_that_is_not_declared_is_a_cause_where_nobody_is_ready_behind() -> None:
    *objects, _ = of_ports()

    assert "TARGET_PORT_WRONG" in {str(it.cause) for it in beforehand(cluster(*objects))}
