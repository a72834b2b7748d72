"""An engine's start, which is waited for, and its end."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.engine.daemon import Engine
from nova_acceptance.errors import ClusterError
from testing.unit.waiting import SOON, wait_until

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "run").mkdir()
    return Engine(tmp_path, tmp_path / "rootfs", is_isolated=False)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that only sleeps, with the arguments by which an engine knows its own."""
    argv = [sys.executable, "-c", SLEEP, "supervisor.py", "--run", str(tmp_path / "run")]
    with subprocess.Popen(argv) as process:
        try:
            yield process
        finally:
            process.kill()


def answer(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(64)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")


def test_start_is_over_once_the_engine_answers(
    engine: Engine, supervisor: subprocess.Popen[bytes]
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(engine.docker_socket))
        waiting = threading.Thread(target=engine._await, args=(supervisor,))
        waiting.start()
        listener.listen()  # nobody listens until now: a connection is refused
        answer(listener)
        waiting.join(SOON)

    assert not waiting.is_alive()


def test_engine_that_ends_while_it_starts_is_not_waited_for(engine: Engine) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process,
        pytest.raises(ClusterError, match="ended with status 3"),
    ):
        engine._await(process)


def test_engine_that_does_not_answer_in_time_is_told_of(
    engine: Engine, supervisor: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "ENGINE_START", 0.2)

    with pytest.raises(ClusterError, match=r"does not answer after 0\.2 s"):
        engine._await(supervisor)


def test_process_that_stays_has_not_ended(
    engine: Engine, supervisor: subprocess.Popen[bytes]
) -> None:
    wait_until(lambda: engine.is_running)

    assert not engine._have_ended([supervisor.pid], 0.1)


def test_process_that_ends_is_noticed(engine: Engine, supervisor: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: engine.is_running)
    threading.Timer(0.1, supervisor.kill).start()

    assert engine._have_ended([supervisor.pid], SOON)
