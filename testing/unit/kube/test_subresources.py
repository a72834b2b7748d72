"""Which rights a connection into a pod takes, by the server's version."""

from __future__ import annotations

import pytest

from nova_acceptance.kube.refusals import verbs_into_pods


@pytest.mark.parametrize(
    ("version", "verbs"),
    [
        ("v1.20.2", ("get",)),
        ("v1.34.3+k3s1", ("get",)),
        ("v1.35.0", ("get", "create")),
        ("v1.36.2-gke.100", ("get", "create")),
        ("v1.37.0-alpha.1", ("get", "create")),
        ("", ("get",)),
        ("who knows", ("get",)),
    ],
)
def test_connection_takes_create_since_1_35(version: str, verbs: tuple[str, ...]) -> None:
    assert verbs_into_pods(version) == verbs
