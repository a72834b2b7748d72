"""What kind is told to make."""

from __future__ import annotations

import pytest

from nova_acceptance.cluster.kind.cluster import KUBELETS, SCHEDULABLE, configuration


@pytest.mark.parametrize(
    ("nodes", "roles"),
    [(1, ["control-plane"]), (3, ["control-plane", "worker", "worker"])],
)
def test_the_first_node_is_the_control_plane(nodes: int, roles: list[str]) -> None:
    made = configuration("nova", nodes, 6443)

    assert [node["role"] for node in made["nodes"]] == roles
    assert made["networking"] == {"apiServerAddress": "127.0.0.1", "apiServerPort": 6443}


def test_control_plane_among_others_takes_pods() -> None:
    assert configuration("nova", 2, 6443)["kubeadmConfigPatches"] == [KUBELETS, SCHEDULABLE]


def test_taint_of_a_node_alone_is_left_to_kind_which_fails_without_it() -> None:
    assert configuration("nova", 1, 6443)["kubeadmConfigPatches"] == [KUBELETS]
