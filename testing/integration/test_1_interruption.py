"""A start that is interrupted or killed half-way leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess

import pytest

from nova_acceptance.cluster.kind.provider import Provider
from testing.integration.conftest import NAME, nova_cluster
from testing.integration.footprint import Footprint

pytestmark = pytest.mark.integration


@pytest.fixture
def half_way(provider: Provider) -> subprocess.Popen[str]:
    """Start a cluster and come back while its nodes are being made."""
    provider.down(NAME)
    process = nova_cluster("up", NAME, "--nodes=2")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("· creating kind cluster"):
            break
    else:
        pytest.fail("the start ended before it made nodes")
    return process


@pytest.fixture
def before(provider: Provider) -> Footprint:
    provider.down(NAME)
    return Footprint.now()


def test_ctrl_c_takes_away_what_was_half_made(
    before: Footprint, half_way: subprocess.Popen[str]
) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        half_way.wait(timeout=3)  # far enough that nodes are being made
    half_way.send_signal(signal.SIGINT)
    output, _ = half_way.communicate(timeout=120)

    assert half_way.returncode == 130
    assert "nova-cluster: interrupted" in output
    assert Footprint.now().left_behind(before) == {}


def test_down_removes_what_a_killed_start_left(
    before: Footprint, half_way: subprocess.Popen[str], provider: Provider
) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        half_way.wait(timeout=3)
    half_way.kill()
    half_way.wait()
    assert Footprint.now().left_behind(before), "a killed start has no chance to clean up"

    provider.down(NAME)

    assert Footprint.now().left_behind(before) == {}
