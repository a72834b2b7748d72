"""Measures the peers and the suite in turns, on the cluster that runs."""

from __future__ import annotations

import os
import shlex
import statistics
import sys
from pathlib import Path
from typing import Final

from benchmarks.commands import ROOT, timed
from benchmarks.place import Place
from benchmarks.table import cells, heading, spread
from nova_acceptance.components.registry import load

ROUNDS: Final = 5
CLOSE: Final = 0.05
"""What two medians may differ by of each other, and count as the same."""
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


def measure_peers(place: Place, rounds: int) -> None:
    """Print what the same work takes by each, and how many times that is of what it takes here.

    Args:
        place: the cluster, on which Nova is ready.
        rounds: how often each does it, all in turns.
    """
    kubeconfig, kubectl = place.kubeconfig, place.asking
    suite = [sys.executable, *_PYTEST, "--cluster", place.cluster]
    python = [sys.executable, *_PYTEST, "-c", os.devnull, f"--rootdir={HERE}"]
    ways = {
        "this suite": [*suite, "--no-deploy", *SELECTION],
        "`kubectl run --rm` for each check": ["bash", str(HERE / "by_run.sh"), *kubectl],
        "a script of `kubectl exec`": ["bash", str(HERE / "by_exec.sh"), *kubectl],
        "pytest-kubernetes": [
            *(*python, f"--k8s-kubeconfig={kubeconfig}"),
            str(HERE / "test_pytest_kubernetes.py"),
        ],
        "pytest with the kubernetes client": [
            *("env", f"KUBECONFIG={kubeconfig}", f"KUBECTL={place.kubectl}"),
            *(*python, str(HERE / "test_plain.py")),
        ],
    }
    environment = {"PATH": f"{Path(place.kubectl).parent}:{os.environ['PATH']}"}
    _compared("the same checks", ways, environment, rounds)
    asked = shlex.join(kubectl)
    workloads = load(ROOT / "nova.yaml").every_workload
    named = [f"-n {it.namespace} {it.kind.lower()}/{it.name}" for it in workloads]
    of_deployments = f"{asked} wait --for=condition=Available -n {SERVICES_IN} deployment --all"
    ready = "tests/infrastructure/test_workloads.py::test_workload_pods_are_ready"
    restarted = f"{asked} rollout restart -n {SERVICES_IN} deployment >/dev/null"
    until_done = "; ".join(f"{asked} rollout status {it}" for it in named)
    waits = {
        "this suite": shlex.join([*suite, ready]),
        "`kubectl rollout status` of each": until_done,
        # It is content with the pods of before: they serve until those of the restart are ready.
        "`kubectl wait --for=condition=Available`, of the five alone": of_deployments,
    }
    _compared(
        "five services restarted, until all workloads are ready",
        {name: ["bash", "-ec", f"{restarted}; {then}"] for name, then in waits.items()},
        environment,
        rounds,
        # whoever is content before all is ready leaves the next one a restart that is under way
        before=["bash", "-ec", until_done],
    )


def _compared(
    work: str,
    ways: dict[str, list[str]],
    environment: dict[str, str],
    rounds: int,
    *,
    before: list[str] | None = None,
) -> None:
    """Run each way in turns, the suite's first, and print a table; a failure ends it.

    Args:
        work: what is measured.
        ways: the commands, by their names in the table.
        environment: variables for all of them.
        rounds: times that each is run.
        before: is run before each of them, and not measured.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, argv in ways.items():
            if before:
                timed(before, environment=environment)
            seconds[name].append(timed(argv, environment=environment))
    heading(work, "median", "spread", "against this suite's time")
    ours = statistics.median(next(iter(seconds.values())))
    for number, (name, each) in enumerate(seconds.items()):
        median = statistics.median(each)
        cells(name, f"{median:.1f} s", spread(each), verdict(median / ours) if number else "")


def verdict(ratio: float) -> str:
    """Say what a median is against that of the suite."""
    if abs(ratio - 1) <= CLOSE:
        return f"{ratio:.2f} of it: as fast"
    return f"{ratio:.2f} of it: {'slower' if ratio > 1 else 'faster'}"
