"""From which pods a component is asked, and by which clients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import load
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.access import Clients, RunAccess
from testing.unit.report.test_texts import ROOT

NOVA = load(ROOT / "nova.yaml")


@pytest.mark.parametrize(
    ("running", "asked"),
    [
        (["redis", "etcd", "user-service", "auth-service"], ["user-service", "auth-service"]),
        (["redis", "etcd"], ["etcd"]),
        (["redis"], ["redis"]),
        ([], []),
    ],
)
def test_component_is_asked_from_its_users_or_else_from_what_runs(
    running: list[str], asked: list[str]
) -> None:
    pods = {name: PodRef("n", name) for name in running}
    nothing: Any = None
    access = RunAccess(
        transcript=nothing,
        connections=Connections(nothing, NOVA, nothing, nothing, nothing, pods),
        secrets=nothing,
    )

    assert [pod.name for pod in access._pods_to_ask(NOVA.component("redis"))] == asked


def test_client_by_another_way_stands_on_the_components_own() -> None:
    access: Any = SimpleNamespace(
        transcript=Transcript(),
        pods=lambda _: [PodRef("n", "postgres-0")],
        password=lambda *_: "word",
        to_service=lambda _: Route(1, "a", "primary"),
        to_role=lambda _, role: Route(2, "a", role),
    )
    postgres, clients = NOVA.component("postgres"), Clients(access)

    by_primary = clients.of(postgres, "by_primary")
    by_replicas = clients.of(postgres, "by_replicas")

    assert by_primary.postgres is by_replicas.postgres is clients.of(postgres)
    assert by_primary.server.route.target == "primary"
    assert by_replicas.server.route.target == "replica"
