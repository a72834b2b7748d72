"""The same question to several: all at once, and heard by whoever asked."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nova_acceptance.components.patroni import client
from nova_acceptance.components.patroni.client import Patroni, View
from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.at_once import of_each
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript, apart
from testing.unit.waiting import SOON


def test_all_are_asked_at_once() -> None:
    together = threading.Barrier(3)

    def ask(name: str) -> str:
        together.wait(SOON)
        return name.upper()

    asked = of_each(["a", "b", "c"], ask)
    assert {name: it.result() for name, it in asked.items()} == {"a": "A", "b": "B", "c": "C"}


def test_what_one_raises_is_its_own() -> None:
    def ask(number: int) -> float:
        return 1 / number

    asked = of_each([0, 2], ask)
    assert asked[2].result() == 0.5
    assert isinstance(asked[0].exception(), ZeroDivisionError)


def test_nobody_is_asked_where_there_is_none() -> None:
    assert of_each([], str) == {}


def test_what_is_asked_of_patroni_ahead_is_no_evidence_of_the_test_that_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = '{"members": [{"name": "a", "role": "leader", "state": "running", "timeline": 3}]}'
    monkeypatch.setattr(client, "exchange", lambda *_: (200, body))
    transcript = Transcript()
    routes: dict[str, Any] = {name: Route(1, "runner", f"pod {name}") for name in "ab"}
    ahead: list[Evidence] = []
    running: list[Evidence] = []

    with transcript.listening(running.append), apart(ahead.append):
        views = Patroni(routes, transcript).views

    assert views == dict.fromkeys("ab", View("a", frozenset(), frozenset({3})))
    assert sorted(each.target for each in ahead) == ["pod a", "pod b"]
    assert running == []
