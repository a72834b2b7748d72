"""Programs: what they write, how they fail, and that they end with us."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nova_acceptance.cluster import command
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress
from testing.unit.waiting import wait_until


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_run_returns_and_logs_what_the_program_wrote(log: Path) -> None:
    lines = command.run(["printf", "one\\ntwo\\n"], log=log, timeout=10)

    assert lines == ["one", "two"]
    assert log.read_text() == "one\ntwo\n"


def test_failure_shows_the_last_lines_and_the_log(log: Path) -> None:
    script = "for i in $(seq 40); do echo line $i; done; exit 3"

    with pytest.raises(ClusterError, match="failed with status 3") as failure:
        command.run(["sh", "-c", script], log=log, timeout=10)

    assert failure.value.evidence[-1] == "line 40"
    assert len(failure.value.evidence) == command.TAIL
    assert str(log) in failure.value.hint


def test_program_that_takes_too_long_is_ended_with_its_children(log: Path) -> None:
    started = time.monotonic()

    with pytest.raises(ClusterError, match="was ended after 0 s"):
        command.run(["sh", "-c", "sleep 600 & sleep 600"], log=log, timeout=0.3)

    assert time.monotonic() - started < 600


def test_missing_program_is_named(log: Path) -> None:
    with pytest.raises(ClusterError, match="no-such-program is not installed"):
        command.run(["no-such-program"], log=log, timeout=1)


def test_step_shows_only_what_detail_makes_of_a_line(log: Path) -> None:
    with Progress(io.StringIO()).step("building") as step:
        command.run(
            ["printf", "Step 1\\nnoise\\n"],
            log=log,
            timeout=10,
            step=step,
            detail=lambda line: line if line.startswith("Step") else "",
        )

        assert step.detail == "Step 1"


def test_program_ends_with_a_killed_caller(tmp_path: Path) -> None:
    """What a killed start was running must not go on by itself."""
    mark = tmp_path / "pid"
    script = (
        "from pathlib import Path; from nova_acceptance.cluster import command; "
        f"command.run(['sh', '-c', 'echo $$ >{mark}; exec sleep 600'], "
        f"log=Path({str(tmp_path / 'log')!r}), timeout=600)"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as caller:
        try:
            wait_until(lambda: mark.exists() and mark.read_text().endswith("\n"))
        finally:
            caller.kill()

    wait_until(lambda: not lives(mark.read_text().strip()))


def lives(pid: str) -> bool:
    try:
        return bool(Path("/proc", pid, "cmdline").read_bytes())  # nothing, once it has ended
    except (FileNotFoundError, ProcessLookupError):
        return False
