"""However a verification ends, the cluster's objects are as they were before it, compared whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import project
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.kube import Kube, Object
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.vantage.left_over import left_over, remove_left_over
from testing.integration.conftest import NAMESPACES, Accepted, accept, nova_cluster
from testing.integration.inventory import Inventory, changes, inventory

pytestmark = pytest.mark.integration

BY_PROBE_PODS = ("--no-deploy", "--probe-pods", "-m", "not disruptive")
INTERRUPTED = 2
"""pytest's exit status after Ctrl-C."""
EVERY = 0.05


@pytest.fixture
def before(cluster: Cluster, kube: Kube, accepted: Accepted) -> Inventory:
    """All objects of the cluster with Nova on it, before a verification begins."""
    assert accepted.done.returncode == 0
    assert probe_pods(kube) == []
    return inventory(cluster)


@pytest.fixture
def half_way(cluster: Cluster, kube: Kube, before: Inventory) -> Iterator[subprocess.Popen[str]]:
    """A verification that asks from probe pods, at least one of which runs."""
    process = subprocess.Popen(
        # A shell's background jobs ignore Ctrl-C, and so would what they start.
        [
            *("env", "--default-signal=INT", sys.executable, "-m", "pytest", *BY_PROBE_PODS),
            *("--cluster", f"context:{cluster.context}"),
        ],
        cwd=project(),
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    runs: set[str] = set()
    try:
        deadline = time.monotonic() + timeouts.ROLLOUT
        while not any(pod["status"].get("phase") == "Running" for pod in probe_pods(kube)):
            assert process.poll() is None, "the run ended before it had a probe pod"
            assert time.monotonic() < deadline, "the run made no probe pod"
            time.sleep(EVERY)
        runs |= {pod["metadata"]["labels"][RUN_LABEL] for pod in probe_pods(kube)}
        assert inventory(cluster).keys() - before.keys(), "the comparison sees no probe pod"
        yield process
    finally:
        process.kill()
        process.wait()
        remove_left_over(kube, NAMESPACES, lambda run: run not in runs)


def probe_pods(kube: Kube) -> list[Object]:
    return left_over(kube, NAMESPACES)


def killed(process: subprocess.Popen[str], kube: Kube) -> None:
    """Kill a run where it stands, and see that it leaves something."""
    process.kill()
    process.communicate(timeout=timeouts.COMMAND_END)
    assert probe_pods(kube), "a killed run has no chance to clean up"


def test_run_by_probe_pods_leaves_nothing(cluster: Cluster, before: Inventory) -> None:
    run = accept(cluster, *BY_PROBE_PODS)

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert "asked from probe pods in place of" in (run.directory / "run.jsonl").read_text()
    assert changes(cluster, before) == {}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted_run_leaves_nothing(
    cluster: Cluster, before: Inventory, half_way: subprocess.Popen[str], sent: signal.Signals
) -> None:
    half_way.send_signal(sent)
    output, _ = half_way.communicate(timeout=timeouts.ROLLOUT)

    assert half_way.returncode == INTERRUPTED, output[-3000:]
    assert changes(cluster, before) == {}


def test_next_run_removes_what_a_killed_one_left(
    cluster: Cluster, kube: Kube, before: Inventory, half_way: subprocess.Popen[str]
) -> None:
    killed(half_way, kube)

    run = accept(cluster, "--no-deploy", "-m", "infra and cluster")

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert changes(cluster, before) == {}


def test_next_run_spares_what_another_still_uses(
    cluster: Cluster, kube: Kube, before: Inventory, half_way: subprocess.Popen[str]
) -> None:
    half_way.send_signal(signal.SIGSTOP)  # so that it does not end meanwhile
    there = {pod["metadata"]["name"] for pod in probe_pods(kube)}
    run = accept(cluster, "--no-deploy", "-m", "infra and cluster")
    still = {pod["metadata"]["name"] for pod in probe_pods(kube)}
    half_way.send_signal(signal.SIGCONT)
    half_way.send_signal(signal.SIGINT)
    half_way.communicate(timeout=timeouts.ROLLOUT)

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert there
    assert there <= still
    assert changes(cluster, before) == {}


def test_remove_takes_away_what_a_killed_run_left_where_the_namespaces_stay(
    cluster: Cluster,
    kube: Kube,
    before: Inventory,
    half_way: subprocess.Popen[str],
    tmp_path: Path,
) -> None:
    # Nothing of these manifests was ever deployed: only their namespaces are there.
    for namespace in NAMESPACES:
        metadata = {"name": "never-deployed", "namespace": namespace}
        never = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        (tmp_path / f"{namespace}.yaml").write_text(yaml.safe_dump(never))
    killed(half_way, kube)
    left = [pod["metadata"]["name"] for pod in probe_pods(kube)]

    process = nova_cluster(
        *("remove", "--yes", "--context", cluster.context, "--manifests", str(tmp_path)),
        kubeconfig=cluster.kubeconfig,
    )
    output, _ = process.communicate(timeout=timeouts.REMOVE)

    assert process.returncode == 0, output
    assert all(f"/{name}, which a killed run had left" in output for name in left)
    assert changes(cluster, before) == {}
