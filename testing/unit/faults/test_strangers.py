"""A script that runs in a container as soon as the container can be entered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from nova_acceptance.kube import PodRef
from testing.faults import strangers
from testing.faults.ground import GroundError

POD = PodRef("here", "etcd-0")


class Starting:
    """A pod that can be entered after so many attempts."""

    def __init__(self, refusals: int) -> None:
        self.attempts: list[Sequence[str]] = []
        self._refusals = refusals

    def run_in(self, _pod: PodRef, argv: Sequence[str]) -> str:
        self.attempts.append(argv)
        if len(self.attempts) <= self._refusals:
            raise GroundError(f"refused the {len(self.attempts)}. time")
        return ""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "_PAUSE", 0)


def test_script_runs_once_the_container_can_be_entered() -> None:
    pod: Any = Starting(refusals=2)

    strangers._in_running(pod, POD, "true")

    assert pod.attempts == [["sh", "-c", "true"]] * 3


def test_container_that_is_never_entered_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "_RUNS_WITHIN", 0)
    pod: Any = Starting(refusals=9)

    with pytest.raises(GroundError, match=r"refused the 1\. time"):
        strangers._in_running(pod, POD, "true")
    assert len(pod.attempts) == 1
