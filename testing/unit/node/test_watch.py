"""A collection followed through everything that goes wrong on the way."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Sequence

import pytest

from nova_node import watch
from nova_node.api import Object
from nova_node.watch import Change, follow_in_thread
from testing.unit.node.stub_api import StubApi
from testing.unit.waiting import SOON

NODES = "/api/v1/nodes"


def node(name: str, colour: str = "") -> Object:
    return {"metadata": {"name": name}, "colour": colour}


@pytest.fixture
def batches(stub_api: StubApi, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Sequence[Change]]:
    """The next batch, of a watch that began when the collection held node a."""
    monkeypatch.setattr(watch, "RETRY_SECONDS", 0.02)
    stub_api.put(NODES, node("a"))
    found: queue.SimpleQueue[Sequence[Change]] = queue.SimpleQueue()
    follow_in_thread(stub_api.api, NODES, found.put)
    return lambda: found.get(timeout=SOON)


def brief(batch: Sequence[Change]) -> list[tuple[str, str | None]]:
    return [(c.key, None if c.obj is None else c.obj["colour"]) for c in batch]


def test_first_batch_is_the_whole_list(batches: Callable[[], Sequence[Change]]) -> None:
    assert brief(batches()) == [("/a", "")]


def test_empty_list_is_a_batch_too(stub_api: StubApi) -> None:
    """Nothing there is an answer; no answer yet is not."""
    found: queue.SimpleQueue[Sequence[Change]] = queue.SimpleQueue()
    follow_in_thread(stub_api.api, NODES, found.put)

    assert found.get(timeout=SOON) == []


def test_every_change_follows(stub_api: StubApi, batches: Callable[[], Sequence[Change]]) -> None:
    batches()
    stub_api.put(NODES, node("b"))
    stub_api.put(NODES, node("b", "red"))
    stub_api.remove(NODES, node("b"))

    assert [brief(batches()) for _ in range(3)] == [[("/b", "")], [("/b", "red")], [("/b", None)]]


def test_cut_watch_is_resumed_without_a_second_list(
    stub_api: StubApi, batches: Callable[[], Sequence[Change]]
) -> None:
    batches()
    stub_api.put(NODES, node("b"))
    batches()
    stub_api.cut()
    stub_api.put(NODES, node("c"))

    assert brief(batches()) == [("/c", "")]
    assert stub_api.requests.count(("GET", NODES)) == 1


def test_gap_is_bridged_by_a_list_that_names_what_vanished(
    stub_api: StubApi, batches: Callable[[], Sequence[Change]]
) -> None:
    """410: the server no longer knows what happened since."""
    batches()
    stub_api.refuse = 503
    stub_api.cut()
    stub_api.remove(NODES, node("a"))
    stub_api.put(NODES, node("b"))
    stub_api.compact()
    stub_api.refuse = None

    assert brief(batches()) == [("/b", ""), ("/a", None)]


def test_gap_told_by_the_status_of_the_answer_is_bridged_too(
    stub_api: StubApi, batches: Callable[[], Sequence[Change]]
) -> None:
    batches()
    stub_api.refuse = 410
    stub_api.cut()
    stub_api.put(NODES, node("b"))
    stub_api.wait_for_requests(2, NODES)
    stub_api.refuse = None

    assert brief(batches()) == [("/a", ""), ("/b", "")]


def test_same_trouble_is_told_once(
    stub_api: StubApi,
    batches: Callable[[], Sequence[Change]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    batches()
    stub_api.refuse = 503
    stub_api.cut()
    before = len(stub_api.requests)
    stub_api.wait_for_requests(before + 5)
    stub_api.refuse = None
    stub_api.put(NODES, node("b"))
    batches()

    assert caplog.text.count("refused to order") == 1


def test_error_that_nobody_foresaw_ends_the_process(
    stub_api: StubApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The kubelet starts it again; a thread that died unseen would leave it stale."""
    ends: queue.SimpleQueue[int] = queue.SimpleQueue()
    monkeypatch.setattr(os, "_exit", ends.put)

    def deliver(_: Sequence[Change]) -> None:
        raise KeyError("name")

    follow_in_thread(stub_api.api, NODES, deliver)

    assert ends.get(timeout=SOON) == 1
    assert "can no longer be followed" in caplog.text
