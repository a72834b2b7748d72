from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.kube import Object, PodRef
from testing.faults import expiry
from testing.faults.expiry import expire
from testing.faults.fault import Pods
from testing.faults.ground import GroundError
from testing.faults.undo import UndoStack

WANTED = Pods(namespace="here", workload="front")


class StubGround:
    """A workload of one pod; its node ends it, and another becomes ready if it may."""

    def __init__(self, *, is_replaced: bool = True) -> None:
        self.is_replaced = is_replaced
        self.phases = {"front-a": "Running"}
        self.changes: list[Any] = []
        workload = SimpleNamespace(replicas=1)
        self.system = SimpleNamespace(component=lambda _: SimpleNamespace(workload=workload))

    def pods(self, wanted: Pods) -> list[PodRef]:
        names = sorted(self.phases)
        return [PodRef("here", it) for it in (names if wanted.number is None else names[:1])]

    def pod(self, ref: PodRef) -> Object:
        phase = self.phases[ref.name]
        ready = [{"type": "Ready", "status": str(phase == "Running")}]
        return {"metadata": {"name": ref.name}, "status": {"phase": phase, "conditions": ready}}

    def patch(self, kind: str, namespace: str, name: str, change: dict[str, Any]) -> None:
        self.changes.append((kind, namespace, name, change))
        self.phases[name] = "Failed"
        self.phases["front-b"] = "Running" if self.is_replaced else "Pending"

    def delete(self, kind: str, namespace: str, name: str) -> None:
        assert (kind, namespace) == ("Pod", "here")
        del self.phases[name]


def test_pod_is_ended_by_its_node_and_taken_away_at_the_end() -> None:
    ground, undo = StubGround(), UndoStack()
    expire(ground, WANTED, undo)  # type: ignore[arg-type]

    assert ground.changes == [("Pod", "here", "front-a", {"spec": {"activeDeadlineSeconds": 1}})]
    assert ground.phases == {"front-a": "Failed", "front-b": "Running"}
    assert undo.unwind() == []
    assert ground.phases == {"front-b": "Running"}


def test_pod_in_whose_place_none_is_ready_is_no_left_over(monkeypatch: Any) -> None:
    monkeypatch.setattr(expiry, "REPLACED_WITHIN", 0.0)
    ground = StubGround(is_replaced=False)

    with pytest.raises(GroundError, match="no other is ready in its place") as raised:
        expire(ground, WANTED, UndoStack())  # type: ignore[arg-type]
    assert list(raised.value.evidence) == ["front-a: Failed", "front-b: Pending"]
