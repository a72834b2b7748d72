"""A start that is interrupted or killed half-way leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.kind.cluster import Node
from nova_acceptance.cluster.kind.provider import Provider
from testing.integration.conftest import NAME, NODES, nova_cluster
from testing.integration.footprint import Footprint

pytestmark = pytest.mark.integration

NODES_POLL = 0.1


@pytest.fixture
def half_way(provider: Provider) -> Iterator[subprocess.Popen[str]]:
    """Start a cluster and come back while its nodes are being made."""
    provider.down(NAME)
    process = nova_cluster("up", NAME, f"--nodes={NODES}")
    overdue = threading.Timer(timeouts.BUILD, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("· creating kind cluster"):
                break
        else:
            pytest.fail("the start ended before it made nodes")
        there = provider.cluster(NAME)
        while [node.state for node in there.nodes()] != ["running"] * NODES:
            assert process.poll() is None, "the start ended before its nodes ran"
            time.sleep(NODES_POLL)
        assert not there.is_created, "what was to be interrupted was quicker"
        yield process
    finally:
        overdue.cancel()
        process.kill()
        process.wait()


@pytest.fixture
def before(provider: Provider) -> Footprint:
    provider.down(NAME)
    return Footprint.now()


def nodes(provider: Provider) -> list[Node]:
    """Return the nodes that are there; the engine may serve another cluster meanwhile."""
    engine = provider.engine
    return [] if engine and not engine.is_running else provider.cluster(NAME).nodes()


def test_ctrl_c_takes_away_what_was_half_made(
    before: Footprint, half_way: subprocess.Popen[str], provider: Provider
) -> None:
    half_way.send_signal(signal.SIGINT)
    output, _ = half_way.communicate(timeout=timeouts.CLUSTER_DELETE)

    assert half_way.returncode == 130
    assert "nova-cluster: interrupted" in output
    assert nodes(provider) == []
    assert Footprint.now().left_behind(before) == {}


def test_down_removes_what_a_killed_start_left(
    before: Footprint, half_way: subprocess.Popen[str], provider: Provider
) -> None:
    half_way.kill()
    half_way.wait()
    left = Footprint.now().left_behind(before) or nodes(provider)
    assert left, "a killed start has no chance to clean up"

    provider.down(NAME)

    assert nodes(provider) == []
    assert Footprint.now().left_behind(before) == {}
