"""One shard in a pod of a Job: which it is, and with what the pod ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from testing.unit.images.conftest import IMAGES

PROGRAM = IMAGES / "acceptance" / "run-shard"
WITHIN = 20.0


class Pod:
    """A directory with stand-ins for what the program runs, which take down how they are run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log"
        self.write("pytest", "exit 1")
        self.write("nova-report", "exit 6")

    def write(self, name: str, text: str) -> None:
        program = self.path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.log}"\n{text}\n')
        program.chmod(0o755)

    def start(self, index: str | None) -> subprocess.Popen[str]:
        environment = {"PATH": f"{self.path}/bin:/usr/bin:/bin", "NOVA_RUN_ID": "run-1"}
        if index is not None:
            environment["JOB_COMPLETION_INDEX"] = index
        return subprocess.Popen(
            [PROGRAM, "3", "--no-deploy", "-m", "not disruptive"],
            cwd=self.path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, index: str | None = None) -> tuple[int, str]:
        with self.start(index) as process:
            _, said = process.communicate(timeout=WITHIN)
        return process.returncode, said

    @property
    def ran(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(tmp_path)


def test_index_is_counted_from_0_and_a_shard_from_1(pod: Pod) -> None:
    status, _ = pod.run("0")

    assert pod.ran == ["pytest --shard 1/3 --no-deploy -m not disruptive"]
    assert status == 0, "a red shard must not end the others"


def test_last_shard_gathers_and_ends_as_the_run_does(pod: Pod) -> None:
    status, _ = pod.run("2")

    assert pod.ran[1:] == ["nova-report gather reports run-1 --of 3"]
    assert status == 6


def test_pods_without_an_index_take_each_number_once(pod: Pod) -> None:
    processes = [pod.start(None) for _ in range(4)]
    ended = [(process.communicate(timeout=WITHIN)[1], process.returncode) for process in processes]

    shards = [line.split()[2] for line in pod.ran if line.startswith("pytest")]
    assert sorted(shards) == ["1/3", "2/3", "3/3"]
    assert sorted(status for _, status in ended) == [0, 0, 1, 6]
    (said,) = [said for said, _ in ended if said]
    assert said == "run-shard: the 3 shards of run run-1 are taken\n"


def test_pod_that_is_ended_hands_it_on(pod: Pod) -> None:
    trap = f'trap "echo ended >> {pod.log}; exit 2" TERM'
    pod.write("pytest", f"{trap}\necho trapped >> {pod.log}\nwhile :; do sleep 0.05; done")
    process = pod.start("0")
    deadline = time.monotonic() + WITHIN
    while pod.ran[-1:] != ["trapped"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=WITHIN)

    assert pod.ran[-1] == "ended"
