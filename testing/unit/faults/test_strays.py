"""A member of PostgreSQL that follows nobody for too long is made anew, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from nova_acceptance.kube import Object, PodRef
from testing.faults.ground import NAME_LABEL, Ground
from testing.faults.strays import STRAY, Strays

Look = Callable[[float], list[str]]
"""Looks at a moment, in seconds, and returns who was made anew by then."""


class Members:
    """A ground with three members, of which the first leads."""

    def __init__(self) -> None:
        self.system = load(project() / "nova.yaml")
        self.kube = self
        self.postgres = next(it for it in self.system.components if it.name == "postgres")
        self.following = ["postgres-1", "postgres-2"]
        self.unready: list[str] = []
        self.made_anew: list[str] = []

    def members(self, on: str) -> list[PodRef]:
        assert on == "leader"
        return [PodRef("nova-database", "postgres-0")]

    def psql(self, pod: PodRef, _database: str, _statement: str) -> str:
        assert pod.name == "postgres-0"
        return "\n".join(self.following)

    def list(self, _version: str, _kind: str, *, namespace: str) -> list[Object]:
        names = ("postgres-0", "postgres-1", "postgres-2")
        return [self._pod(name, namespace) for name in names]

    def run_in(self, pod: PodRef, argv: Sequence[str]) -> str:
        assert (pod.name, argv[0], argv[3]) == ("postgres-0", "patronictl", "reinit")
        self.made_anew.append(argv[-1])
        return ""

    def _pod(self, name: str, namespace: str) -> Object:
        ready = str(name not in self.unready)
        return {
            "metadata": {"name": name, "namespace": namespace, "labels": {NAME_LABEL: "postgres"}},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }


@pytest.fixture
def ground() -> Members:
    return Members()


@pytest.fixture
def look(ground: Members, monkeypatch: pytest.MonkeyPatch) -> Look:
    seen = Strays(cast(Ground, ground))

    def at(moment: float) -> list[str]:
        monkeypatch.setattr(time, "monotonic", lambda: moment)
        seen.look()
        return ground.made_anew

    return at


def test_member_that_follows_nobody_for_too_long_is_made_anew_once(
    ground: Members, look: Look
) -> None:
    ground.following.remove("postgres-2")

    assert look(0.0) == []
    assert look(STRAY - 1) == []
    assert look(STRAY) == ["postgres-2"]
    assert look(STRAY + 1) == ["postgres-2"]


def test_member_that_found_back_meanwhile_is_left_alone(ground: Members, look: Look) -> None:
    ground.following.remove("postgres-2")
    look(0.0)
    ground.following.append("postgres-2")
    look(STRAY / 2)
    ground.following.remove("postgres-2")

    assert look(STRAY) == []


def test_member_that_is_not_ready_is_left_to_patroni(ground: Members, look: Look) -> None:
    ground.following.remove("postgres-2")
    ground.unready.append("postgres-2")
    look(0.0)

    assert look(STRAY) == []
