"""What of Nova is still amiss, by a cluster that has one pod."""

from __future__ import annotations

from typing import cast

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from nova_acceptance.kube import Object
from testing.faults import health
from testing.faults.ground import Ground


class OnePod:
    """A ground whose only object is a pod; those that it is told to delete at once are kept."""

    def __init__(self, pod: Object) -> None:
        self.system = load(project() / "nova.yaml")
        self.kube = self
        self.deleted: list[str] = []
        self._pod = pod

    def list(self, _version: str, kind: str, *, namespace: str = "") -> list[Object]:
        own = self._pod["metadata"]["namespace"]
        return [self._pod] if (kind, namespace) == ("Pod", own) else []

    def get(self, *_: object) -> None:
        return None

    def delete(self, _kind: str, _namespace: str, name: str, *, now: bool = False) -> None:
        assert now
        self.deleted.append(name)


def going(owner: str) -> Object:
    """A pod that is on its way out."""
    return {
        "metadata": {
            "namespace": "nova-services",
            "name": "work-x7x2q",
            "deletionTimestamp": "2026-01-02T03:04:05Z",
            "ownerReferences": [{"kind": owner, "name": "work"}],
        },
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("owner", "deleted"),
    [("Job", ["work-x7x2q"]), ("ReplicaSet", ["work-x7x2q"]), ("StatefulSet", [])],
)
def test_pod_without_identity_is_not_given_its_grace(
    owner: str, deleted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_of_postgres", lambda _: ())
    ground = OnePod(going(owner))

    amiss = list(health.ailments(cast(Ground, ground)))

    assert ground.deleted == deleted
    assert "pod nova-services/work-x7x2q is on its way out" in amiss
