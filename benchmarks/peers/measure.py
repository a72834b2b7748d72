"""Measures the peers and the suite in turns, on the cluster that runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.table import row, spread

ROUNDS: Final = 5
HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
BIN: Final = Path(sys.executable).parent
SELECTION: Final = (
    "tests/infrastructure/test_redis.py::test_redis_answers_ping",
    "tests/infrastructure/test_redis.py::test_redis_refuses_without_a_password",
    "tests/infrastructure/test_denials.py::test_wrong_password_is_refused",
    "tests/networking/test_names.py::test_service_resolves_in_every_form",
    "tests/services/test_health.py::test_service_answers_health",
)
"""The tests of the suite that ask this and more: every Service's name, in three forms."""
WORKLOADS: Final = {
    "nova-redis": ("statefulset/redis",),
    "nova-database": ("statefulset/etcd", "statefulset/postgres"),
    "nova-services": tuple(
        f"deployment/{name}"
        for name in (
            *("user-service", "auth-service", "search-service", "streaming-api"),
            "messaging-service",
        )
    ),
}
_PYTEST: Final = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


def measure_peers(kubeconfig: Path) -> None:
    """Print what the same work takes by each, and how many times that is of what it takes here.

    Args:
        kubeconfig: leads to the cluster, on which Nova is ready.
    """
    kubectl = [str(BIN / "kubectl"), f"--kubeconfig={kubeconfig}"]
    python = [sys.executable, *_PYTEST, "-c", os.devnull, f"--rootdir={HERE}"]
    ours = [sys.executable, *_PYTEST, "--cluster", "kind", "--no-deploy", *SELECTION]
    ways = {
        "this suite": ours,
        "`kubectl run --rm` for each check": ["bash", str(HERE / "by_run.sh"), *kubectl],
        "a script of `kubectl exec`": ["bash", str(HERE / "by_exec.sh"), *kubectl],
        "pytest-kubernetes": [
            *(*python, f"--k8s-kubeconfig={kubeconfig}"),
            str(HERE / "test_pytest_kubernetes.py"),
        ],
        "pytest with the kubernetes client": [*python, str(HERE / "test_plain.py")],
    }
    _compared(ways, {"KUBECONFIG": str(kubeconfig), "KUBECTL": str(BIN / "kubectl")})
    waits = "; ".join(
        f"kubectl rollout status -n {namespace} {workload}"
        for namespace, workloads in WORKLOADS.items()
        for workload in workloads
    )
    ready = "tests/infrastructure/test_workloads.py::test_workload_pods_are_ready"
    restart = "kubectl rollout restart -n nova-services deployment >/dev/null; "
    _compared(
        {
            "five services restarted, and told ready by this suite": [
                *("bash", "-ec"),
                f"{restart} exec {' '.join([*ours[: -len(SELECTION)], ready])}".replace(
                    "--no-deploy ", ""
                ),
            ],
            "… by `kubectl rollout status` of each workload": ["bash", "-ec", restart + waits],
        },
        {"KUBECONFIG": str(kubeconfig), "PATH": f"{BIN}:{os.environ['PATH']}"},
    )


def _compared(ways: dict[str, list[str]], environment: dict[str, str]) -> None:
    """Run each way in turns, and print its row; a failure ends the measurement."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, argv in ways.items():
            seconds[name].append(_timed(argv, environment))
    ours = statistics.median(next(iter(seconds.values())))
    for name, each in seconds.items():
        ratio = statistics.median(each) / ours
        row(name, statistics.median(each), f"{spread(each)}; {ratio:.2f} of this suite's time")


def _timed(argv: list[str], environment: dict[str, str]) -> float:
    started = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{argv} failed:\n{done.stdout[-3000:]}")
    return time.monotonic() - started
