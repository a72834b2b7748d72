"""Images that are handed to containerd once it listens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.kind import store
from nova_acceptance.errors import ClusterError
from testing.unit.probes.clock import Clock


class Builder:
    """An engine in which containerd does not listen for so many questions.

    Attributes:
        said: what ctr was asked, without the arguments that are the same every time.
    """

    def __init__(self, refusals: float) -> None:
        self.said: list[str] = []
        self._refusals = refusals

    def docker(self, *arguments: str, stdin: int | None = None) -> list[str]:
        self.said.append(arguments[-1] if stdin is None else f"import {stdin}")
        if len(self.said) <= self._refusals:
            raise ClusterError(f"refused the {len(self.said)}. time")
        return []

    @contextlib.contextmanager
    def saved(self, _names: list[str]) -> Iterator[int]:
        yield 7


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(store, "time", stopped)
    return stopped


def test_images_are_imported_once_containerd_listens(clock: Clock) -> None:
    builder: Any = Builder(refusals=2)

    store._import(builder, ["an-image"])

    assert builder.said == ["version", "version", "version", "import 7"]
    assert clock.now == pytest.approx(0.4)


def test_containerd_that_does_not_listen_in_time_is_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeouts, "ENGINE_START", 0.3)
    builder: Any = Builder(refusals=9)

    with pytest.raises(ClusterError, match=r"refused the 3\. time"):
        store._import(builder, ["an-image"])
    assert builder.said == ["version", "version", "version"]
