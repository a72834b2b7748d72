"""Services: of their type, at their ports, in front of their pods."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import services
from nova_acceptance.components.kubernetes.services import without_load_balancer
from nova_acceptance.kube import Object
from testing.unit.kubernetes.there import (
    STORE,
    WEB,
    causes,
    endpoints,
    front,
    made,
    pod,
    seen,
    service,
)

FRONT = front()


def wrong(there: Object, **more: Any) -> list[tuple[str, str]]:
    return causes(services.wrong_service(seen(there, made()), front(**more)))


def test_service_that_is_right() -> None:
    assert wrong(service()) == []
    assert wrong(service(clusterIP="None"), headless=True) == []


def test_service_that_is_missing_is_found_and_nothing_else() -> None:
    (found,) = services.wrong_service(seen(service("others")), FRONT)

    assert (found.cause, found.subject.name) == ("SERVICE_MISSING", "web")
    assert found.evidence == ("Services of shop: others",)


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer", "ExternalName"])
def test_service_of_another_type_is_found(kind: str) -> None:
    assert wrong(service(type=kind)) == [("SERVICE_TYPE_WRONG", "web")]


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_service_that_is_to_be_open_to_the_outside(kind: str) -> None:
    assert wrong(service(type=kind), type=kind) == []
    assert wrong(service(), type=kind) == [("SERVICE_TYPE_WRONG", "web")]


def test_both_directions_of_headless_have_causes_of_their_own() -> None:
    lost = services.wrong_service(seen(service()), front(headless=True))
    unwanted = services.wrong_service(seen(service(clusterIP="None")), FRONT)

    assert [each.cause for each in (*lost, *unwanted)] == ["HEADLESS_LOST", "HEADLESS_UNWANTED"]
    assert "create it with `clusterIP: None`" in lost[0].headline
    assert "create it without `clusterIP: None`" in unwanted[0].headline


@pytest.mark.parametrize(
    "ports",
    [
        [{"name": "http", "port": 81}],
        [{"name": "web", "port": 80}],
        [{"port": 81}],
        [{"name": "http", "port": 80}, {"name": "admin", "port": 81}],
    ],
)
def test_other_ports_are_found(ports: list[dict[str, Any]]) -> None:
    assert wrong(service("web", *ports)) == [("SERVICE_PORT_WRONG", "web")]


def test_single_port_needs_no_name_where_one_is_declared() -> None:
    assert wrong(service("web", {"port": 80})) == []
    assert wrong(service("web", {"port": 80}), ports={"http": 80, "admin": 81}) == [
        ("SERVICE_PORT_WRONG", "web")
    ]


@pytest.mark.parametrize(
    ("target", "wanted", "is_right"),
    [
        ("http", 8080, True),
        (8080, "http", True),
        (8080, 8080, True),
        (9090, 8080, False),
        ("admin", "http", False),
        (None, 8080, False),
    ],
)
def test_target_is_that_of_nova_yaml(target: object, wanted: object, *, is_right: bool) -> None:
    port = {"name": "http", "port": 80, **({"targetPort": target} if target else {})}

    found = wrong(service("web", port), targets={"http": wanted})
    assert found == ([] if is_right else [("SERVICE_PORT_WRONG", "web")])


def behind(*names: str, spec: Any = FRONT) -> list[tuple[str, str]]:
    pods = [pod("web-a"), pod("web-b"), pod("store-0", STORE)]
    there = seen(made(), *pods, service(), endpoints("web", *names))
    return causes(services.wrong_backends(there, spec))


def test_service_leads_to_exactly_its_pods() -> None:
    assert behind("web-a", "web-b") == []
    assert behind("web-a") == [("SERVICE_WITHOUT_ENDPOINTS", "web")]
    assert behind() == [("SERVICE_WITHOUT_ENDPOINTS", "web")]
    assert behind("web-a", "web-b", "store-0") == [("SELECTOR_WRONG", "web")]


def test_service_of_a_role_leads_to_those_in_it() -> None:
    primary, replica = front(role="primary"), front(role="replica")

    assert behind("web-a", spec=primary) == behind("web-b", spec=replica) == []
    assert behind("web-a", "web-b", spec=primary) == [("PRIMARY_SERVICE_ASTRAY", "web")]
    assert behind(spec=primary) == [("SERVICE_WITHOUT_ENDPOINTS", "web")]
    assert behind("web-a", "web-b", spec=replica) == [("PRIMARY_SERVICE_ASTRAY", "web")]


def test_nothing_is_behind_the_replicas_of_a_single_member() -> None:
    alone = WEB.model_copy(update={"replicas": 1})
    spec = front(alone, role="replica")

    assert services.wrong_backends(seen(made(alone), pod("web-a"), service()), spec) == []


@pytest.mark.parametrize(
    ("status", "names"),
    [
        ({}, ["web"]),
        ({"loadBalancer": {}}, ["web"]),
        ({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, []),
    ],
)
def test_load_balancer_that_has_given_no_address_is_known(
    status: dict[str, Any], names: list[str]
) -> None:
    there = seen({**service(type="LoadBalancer"), "status": status}, service("plain"))

    assert [each.name for each in without_load_balancer(there)] == names
