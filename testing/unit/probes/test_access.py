"""From which pods a component is asked."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.registry import load
from nova_acceptance.kube import PodRef
from nova_acceptance.verification.access import RunAccess
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
