"""Who holds the connections, and which limit they have reached, asked of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from nova_acceptance.components.postgres import connect
from nova_acceptance.components.postgres.checks.holders import exhausted, taken_connections
from nova_acceptance.errors import ClusterError
from testing.unit.probes.a_server import SHOP, Shop, running


@pytest.fixture(scope="module")
def server() -> Iterator[Shop]:
    with running("max_connections=12", "superuser_reserved_connections=6") as port:
        yield Shop(port)


@pytest.fixture
def shop(server: Shop) -> Shop:
    server.again()
    server.postgres.pod_at = {"127.0.0.1": "Pod shop/checkout-7c9-x"}.get  # type: ignore[assignment]
    return server


def refusal(shop: Shop, role: str) -> str:
    with pytest.raises(psycopg.OperationalError) as raised:
        shop.connected(role)
    return str(raised.value)


def test_nothing_is_found_while_connections_are_left(shop: Shop) -> None:
    with shop.connected("till"):
        assert taken_connections(shop.postgres) == []


def test_holder_of_all_connections_is_named_with_its_pod(shop: Shop) -> None:
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(shop.connected("bookkeeping"))
        with suppress(psycopg.OperationalError):
            for _ in range(12):
                stack.enter_context(shop.connected("till"))
        said = refusal(shop, "till")

        found = exhausted(shop.postgres, said)
        (same,) = taken_connections(shop.postgres)

    assert found is not None
    assert found.summary == same.summary
    assert "the server allows 6 connections (max_connections), and " in found.summary
    assert "by till in orders from Pod shop/checkout-7c9-x at 127.0.0.1 (no app" in found.summary
    assert any(": bookkeeping in orders" in line for line in found.evidence)
    assert "usename = 'till' AND client_addr = '127.0.0.1' AND state = 'idle'" in found.cure


def test_limit_of_a_role_is_told_as_that(shop: Shop) -> None:
    shop.do("ALTER ROLE till CONNECTION LIMIT 1")
    with shop.connected("till"):
        found = exhausted(shop.postgres, refusal(shop, "till"))

    assert found is not None
    assert found.summary.startswith(
        "role till allows 1 connections (rolconnlimit), and 1 are held: 1 of them by till"
    )
    assert found.cure.endswith("or `ALTER ROLE till CONNECTION LIMIT -1`")


def test_limit_of_a_database_that_nobody_may_have_is_told_as_that(shop: Shop) -> None:
    shop.postgres.forget_leader()
    shop.do("ALTER DATABASE orders CONNECTION LIMIT 0")

    found = exhausted(shop.postgres, refusal(shop, "till"))

    assert found is not None
    assert found.summary == "database orders allows 0 connections (datconnlimit), and none is held"
    assert found.cure == "`ALTER DATABASE orders CONNECTION LIMIT -1`"


def test_other_words_are_left_to_others(shop: Shop) -> None:
    assert exhausted(shop.postgres, 'password authentication failed for user "till"') is None


def a_pod(name: str, address: str, *, phase: str = "Running", **spec: object) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
        "status": {"podIP": address, "phase": phase},
    }


def test_address_is_a_pods_that_alone_has_it() -> None:
    pods = [
        a_pod("checkout", "10.1.0.4"),
        a_pod("migration", "10.1.0.4", phase="Succeeded"),
        a_pod("agent", "192.168.0.2", hostNetwork=True),
    ]
    access: Any = SimpleNamespace(
        kube=SimpleNamespace(list=lambda *_: pods),
        pods=lambda _: [],
        password=lambda *_: "",
    )
    postgres = connect(access, SHOP)

    assert postgres.pod_at("10.1.0.4") == "Pod shop/checkout"
    assert postgres.pod_at("192.168.0.2") == ""

    def forbidden(*_: object) -> list[object]:
        raise ClusterError("pods is forbidden")

    access.kube.list = forbidden
    assert postgres.pod_at("10.1.0.4") == ""
