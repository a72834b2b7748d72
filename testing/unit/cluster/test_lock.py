"""One start at a time: the second waits, and says for whom."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Progress

HOLD = """
import sys
from pathlib import Path
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.progress import Progress
with exclusive(Path(sys.argv[1]), "starting nova", Progress()):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its standard input is closed."""
    argv = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(argv, stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


class Shown(io.StringIO):
    """Lets the holder end once the wait for it is shown."""

    def __init__(self, first: subprocess.Popen[str]) -> None:
        super().__init__()
        self._first = first

    def write(self, text: str) -> int:
        if "waiting for" in text and self._first.stdin:
            self._first.stdin.close()
        return super().write(text)


def test_second_waits_for_the_first_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as first:
        shown = Shown(first)
        with exclusive(path, "starting nova", Progress(shown)):
            assert first.wait(timeouts.CONNECT) == 0

    assert f"waiting for process {first.pid} (starting nova)" in shown.getvalue()


def test_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as first:
        first.kill()
        first.wait()
        shown = io.StringIO()
        with exclusive(path, "starting nova", Progress(shown)):
            assert shown.getvalue() == ""


def test_wait_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "LOCK", 0.3)
    path = tmp_path / "lock"
    with (
        holder(path) as first,
        pytest.raises(ClusterError, match=f"process {first.pid} .* is not done after"),
        exclusive(path, "starting nova", Progress(io.StringIO())),
    ):
        pytest.fail("the lock was taken from its holder")
