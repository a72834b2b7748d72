"""What a verification costs as the system grows: Nova with more and more services of its kind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.commands import ROOT
from benchmarks.place import Place
from benchmarks.table import cells, heading
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.registry import load as load_spec
from nova_acceptance.errors import UsageError
from nova_acceptance.report import load, outcomes

SIZES: Final = (5, 25, 50, 100)
"""How many services; Nova has the first of these."""
NAMESPACE: Final = "nova-services"
READY: Final = "tests/infrastructure/test_workloads.py::test_workload_pods_are_ready"
"""What is run after a deployment, which comes first and is waited for."""
_PATTERN: Final = "user-service"
"""The service that the others are made after."""
_GONE_WITHIN: Final = 120.0
"""Seconds within which pods that are replaced have ended."""
_PAUSE: Final = 1.0
"""Seconds between two looks at whether they have."""
_COLUMNS: Final = (
    *("services", "tests", "wall", "CPU", "memory", "report.html", "record", "all files"),
    *("API requests", "execs", "connections", "deployed in"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one verification took.

    Attributes:
        seconds: from typing to the report.
        busy: seconds of CPU of the runner.
        memory: of the runner at most, in MB.
    """

    seconds: float
    busy: float
    memory: float


def measure_scale(place: Place, sizes: Sequence[int]) -> None:
    """Deploy Nova with more and more services, print what each verification takes, and remove them.

    Args:
        place: the cluster, on which Nova is deployed.
        sizes: how many services, the fewest first.

    Raises:
        UsageError: one is less than Nova itself has.
    """
    own = len(load_spec(ROOT / "nova.yaml").of(Http))
    if min(sizes) < own:
        raise UsageError(f"--sizes: Nova itself has {own} services")
    more = [f"more-{number}" for number in range(1, max(sizes) - own + 1)]
    suite: list[str | Path] = [sys.executable, "-m", "pytest", "--cluster", place.cluster, "-q"]
    heading(*_COLUMNS)
    try:
        for size in sizes:
            with tempfile.TemporaryDirectory() as scratch:
                manifests, spec = write(Path(scratch), more[: size - own])
                files = [f"--manifests={manifests}", f"--spec={spec}"]
                began = time.monotonic()
                _run([*suite, *files, READY])
                deployed = time.monotonic() - began
                if size > own:
                    _begin_anew(place, [*suite, *files, READY])
                cost = _run([*suite, *files, "--no-deploy", "-m", "not disruptive"])
                _tell(size, cost, deployed)
    finally:
        kinds = ("deployment/{}", "service/{}", "secret/{}-secrets")
        made = [kind.format(name) for name in more for kind in kinds]
        if made:
            _said(place, "delete", "-n", NAMESPACE, "--ignore-not-found", *made)
        _run([*suite, READY])
        if made:
            _begin_anew(place, [*suite, READY])


def _begin_anew(place: Place, waiting: list[str | Path]) -> None:
    """Restart the services, each of which has from its start where the others are.

    Returns once those of before are gone as well: a verification would find them left over.
    """
    _said(place, "rollout", "restart", "-n", NAMESPACE, "deployment")
    _run(waiting)
    going = ("get", "pods", "-n", NAMESPACE, "-o", "jsonpath={..metadata.deletionTimestamp}")
    until = time.monotonic() + _GONE_WITHIN
    while _said(place, *going).strip():
        if time.monotonic() > until:
            sys.exit(f"pods of {NAMESPACE} are still going after {_GONE_WITHIN:.0f} s")
        time.sleep(_PAUSE)


def _said(place: Place, *arguments: str) -> str:
    argv = [*place.asking, *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def write(scratch: Path, more: list[str]) -> tuple[Path, Path]:
    """Write manifests and a nova.yaml of Nova with more services, and return where they are.

    Args:
        scratch: an empty directory.
        more: the names of the others.
    """
    shutil.copytree(ROOT / "manifests", scratch / "manifests")
    services = scratch / "manifests" / "base" / "services"
    pattern = (services / f"{_PATTERN}.yaml").read_text("utf-8")
    declared = (ROOT / "nova.yaml").read_text("utf-8")
    (line,) = (each for each in declared.splitlines() if f"name: {_PATTERN}," in each)
    own = line.replace("&own {names_itself: service}", "*own")
    for name in more:
        (services / f"{name}.yaml").write_text(pattern.replace(_PATTERN, name), "utf-8")
    last = max(declared.splitlines(), key=lambda each: ("kind: http" in each, declared.find(each)))
    added = "".join(f"\n{own.replace(_PATTERN, name)}" for name in more)
    spec = scratch / "nova.yaml"
    spec.write_text(declared.replace(last, last + added), "utf-8")
    return scratch / "manifests", spec


def _run(argv: list[str | Path]) -> Cost:
    """Run the suite; a failure ends the measurement."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            list(map(str, argv)), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{argv} failed:\n{output.read()[-3000:]}")
    busy = used.ru_utime + used.ru_stime
    return Cost(time.monotonic() - started, busy, used.ru_maxrss / 1024)


def _tell(size: int, cost: Cost, deployed: float) -> None:
    latest = (ROOT / "reports" / "latest").resolve()
    written = {path.name: path.stat().st_size for path in latest.iterdir() if path.is_file()}
    used = outcomes.read(latest).usage
    cells(
        *(f"{size}", f"{len(load(latest).tests):,}", f"{cost.seconds:.1f} s"),
        *(f"{cost.busy:.1f} s", f"{cost.memory:.0f} MB"),
        *(f"{written[name]:,} B" for name in ("report.html", "run.jsonl")),
        f"{sum(written.values()):,} B",
        *(f"{used[name]:,}" for name in ("requests", "execs", "forwards")),
        f"{deployed:.0f} s",
    )
