"""What a verification costs as the system grows: Nova with more and more services of its kind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from benchmarks.commands import ROOT
from benchmarks.table import row
from nova_acceptance.report import load

SIZES: Final = (5, 25, 50, 100)
"""How many services; Nova has the first of these."""
NAMESPACE: Final = "nova-services"
_PATTERN: Final = "user-service"
"""The service that the others are made after."""
_REQUESTS: Final = re.compile(
    r"^apiserver_request_total\{[^}]*subresource=\"(exec|portforward)\"[^}]*\} (\S+)$", re.MULTILINE
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


def measure_scale(pytest: list[str | Path], kubectl: list[str | Path]) -> None:
    """Deploy Nova with more and more services, print what each verification takes, and remove them.

    Args:
        pytest: the command that runs the suite on the cluster, on which Nova is deployed.
        kubectl: the command that runs kubectl there.
    """
    more = [f"more-{number}" for number in range(1, max(SIZES) - SIZES[0] + 1)]
    try:
        for size in SIZES:
            with tempfile.TemporaryDirectory() as scratch:
                files = _files(Path(scratch), more[: size - SIZES[0]])
                workloads = "tests/infrastructure/test_workloads.py"
                started = time.monotonic()
                _run([*pytest, *files, workloads])
                deployed = time.monotonic() - started
                before = _streams(kubectl)
                cost = _run([*pytest, *files, "--no-deploy", "-m", "not disruptive"])
                after = _streams(kubectl)
                asked = [now - then for then, now in zip(before, after, strict=True)]
                _tell(size, cost, deployed, asked)
    finally:
        for name in more:
            made = f"deployment/{name}", f"service/{name}", f"secret/{name}-secrets"
            _said([*kubectl, "delete", "-n", NAMESPACE, "--ignore-not-found", *made])
        _run([*pytest, "tests/infrastructure/test_workloads.py"])


def _files(scratch: Path, more: list[str]) -> list[str]:
    """Write manifests and a nova.yaml with more services, and return the options for them."""
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
    assert len(yaml.safe_load(spec.read_text("utf-8"))["components"]) > len(more)
    return [f"--manifests={scratch / 'manifests'}", f"--spec={spec}"]


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


def _said(argv: list[str | Path]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _streams(kubectl: list[str | Path]) -> tuple[int, int]:
    """Return how many execs and port-forwards the API has been asked for, by its own count."""
    found = {"exec": 0, "portforward": 0}
    for stream, count in _REQUESTS.findall(_said([*kubectl, "get", "--raw", "/metrics"])):
        found[stream] += int(float(count))
    return found["exec"], found["portforward"]


def _tell(size: int, cost: Cost, deployed: float, streams: list[int]) -> None:
    latest = (ROOT / "reports" / "latest").resolve()
    written = {path.name: path.stat().st_size for path in latest.iterdir() if path.is_file()}
    row(
        f"{size} services: {len(load(latest).tests)} tests",
        cost.seconds,
        f"{cost.busy:.1f} s of CPU, {cost.memory:.0f} MB of memory; report.html "
        f"{written['report.html'] / 1e6:.1f} MB, record {written['run.jsonl'] / 1e6:.1f} MB, all "
        f"files {sum(written.values()) / 1e6:.1f} MB; {streams[0]} execs, {streams[1]} "
        f"port-forwards; deployed before in {deployed:.0f} s",
    )
