"""One start at a time: the second waits, and says for whom."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress

HOLD = """
import sys, time
from pathlib import Path
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.progress import Progress
with exclusive(Path(sys.argv[1]), "starting nova", Progress()):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(path: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_second_waits_for_the_first_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    shown = io.StringIO()
    with holder(path, 0.8) as first:
        started = time.monotonic()
        with exclusive(path, "starting nova", Progress(shown)):
            waited = time.monotonic() - started

    assert waited > 0.3
    assert f"waiting for process {first.pid} (starting nova)" in shown.getvalue()


def test_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = holder(path, 600)
    first.kill()
    first.wait()

    started = time.monotonic()
    with exclusive(path, "starting nova", Progress(io.StringIO())):
        assert time.monotonic() - started < 5


def test_wait_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "LOCK", 0.3)
    path = tmp_path / "lock"
    first = holder(path, 600)
    try:
        with (
            pytest.raises(ClusterError, match=f"process {first.pid} .* is not done after"),
            exclusive(path, "starting nova", Progress(io.StringIO())),
        ):
            pytest.fail("the lock was taken from its holder")
    finally:
        first.kill()
        first.wait()
