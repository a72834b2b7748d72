"""Measures the peers and the suite in turns, on the cluster that runs."""

from __future__ import annotations

import os
import shlex
import statistics
import sys
from pathlib import Path
from typing import Final

from benchmarks.commands import BIN, ROOT, timed
from benchmarks.table import row, spread
from nova_acceptance.components.registry import load

ROUNDS: Final = 5
SERVICES_IN: Final = "nova-services"
HERE: Final = Path(__file__).parent
SELECTION: Final = (
    "tests/infrastructure/test_redis.py::test_redis_answers_ping",
    "tests/infrastructure/test_redis.py::test_redis_refuses_without_a_password",
    "tests/infrastructure/test_denials.py::test_wrong_password_is_refused",
    "tests/networking/test_names.py::test_service_resolves_in_every_form",
    "tests/services/test_health.py::test_service_answers_health",
)
"""The tests of the suite that ask this and more: every Service's name, in three forms."""
_PYTEST: Final = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


def measure_peers(kubeconfig: Path) -> None:
    """Print what the same work takes by each, and how many times that is of what it takes here.

    Args:
        kubeconfig: leads to the cluster, on which Nova is ready.
    """
    kubectl = [str(BIN / "kubectl"), f"--kubeconfig={kubeconfig}"]
    python = [sys.executable, *_PYTEST, "-c", os.devnull, f"--rootdir={HERE}"]
    suite = [sys.executable, *_PYTEST, "--cluster", "kind"]
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "KUBECTL": kubectl[0],
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    ways = {
        "this suite": [*suite, "--no-deploy", *SELECTION],
        "`kubectl run --rm` for each check": ["bash", str(HERE / "by_run.sh"), *kubectl],
        "a script of `kubectl exec`": ["bash", str(HERE / "by_exec.sh"), *kubectl],
        "pytest-kubernetes": [
            *(*python, f"--k8s-kubeconfig={kubeconfig}"),
            str(HERE / "test_pytest_kubernetes.py"),
        ],
        "pytest with the kubernetes client": [*python, str(HERE / "test_plain.py")],
    }
    _compared(ways, environment)
    awaited = "; ".join(
        f"kubectl rollout status -n {it.namespace} {it.kind.lower()}/{it.name}"
        for it in load(ROOT / "nova.yaml").every_workload
    )
    ready = "tests/infrastructure/test_workloads.py::test_workload_pods_are_ready"
    restarted = f"kubectl rollout restart -n {SERVICES_IN} deployment >/dev/null"
    waits = {
        "five services restarted, and told ready by this suite": shlex.join([*suite, ready]),
        "… by `kubectl rollout status` of each workload": awaited,
    }
    _compared(
        {name: ["bash", "-ec", f"{restarted}; {then}"] for name, then in waits.items()}, environment
    )


def _compared(ways: dict[str, list[str]], environment: dict[str, str]) -> None:
    """Run each way in turns, and print its row; a failure ends the measurement."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, argv in ways.items():
            seconds[name].append(timed(argv, environment=environment))
    ours = statistics.median(next(iter(seconds.values())))
    for name, each in seconds.items():
        ratio = statistics.median(each) / ours
        row(name, statistics.median(each), f"{spread(each)}; {ratio:.2f} of this suite's time")
