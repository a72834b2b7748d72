"""Relays of the engine's supervisor, in one namespace: what counts is that they carry and end."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.engine.daemon import SUPERVISOR, Engine
from nova_acceptance.errors import ClusterError
from testing.unit.waiting import wait_until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A supervisor of a program that only sleeps, where an engine expects its own."""
    found = Engine(tmp_path, tmp_path / "rootfs", is_isolated=False)
    (tmp_path / "run").mkdir()
    argv = [
        sys.executable,
        "-I",
        str(SUPERVISOR),
        "--run",
        str(tmp_path / "run"),
        "--",
        "sleep",
        "60",
    ]
    with subprocess.Popen(argv) as process:
        try:
            wait_until(lambda: listens(tmp_path / "run" / "supervisor.sock"))
            yield found
        finally:
            process.terminate()


def listens(path: Path) -> bool:
    """Whether somebody listens there: the socket's file is there a moment before."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as visitor:
        try:
            visitor.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers in capitals."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                # is_open leaves without a word
                with connection, contextlib.suppress(ConnectionError):
                    connection.sendall(connection.recv(64).upper())

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])


def ask(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeouts.CONNECT) as connection:
        connection.sendall(b"nova")
        return connection.recv(64)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeouts.CONNECT).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: closed while we were in line
        return False
    return True


def relayed(engine: Engine, port: int) -> int:
    """Hand over a listening socket; return its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine.relay(listener, port)
        return int(listener.getsockname()[1])


def test_relay_carries_both_ways(engine: Engine, echo: int) -> None:
    assert ask(relayed(engine, echo)) == b"NOVA"


def test_relay_ends_when_told(engine: Engine, echo: int) -> None:
    outside = relayed(engine, echo)
    assert ask(outside) == b"NOVA"

    engine.unrelay(echo)

    wait_until(lambda: not is_open(outside))


def test_visitor_that_goes_away_costs_nobody_the_relays(engine: Engine, echo: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as rude:
        rude.connect(str(engine.docker_socket.with_name("supervisor.sock")))
        rude.send(b"relay")

    assert ask(relayed(engine, echo)) == b"NOVA"


def test_nonsense_is_refused(engine: Engine) -> None:
    with pytest.raises(ClusterError, match="refused to dance 7"):
        engine._tell("dance 7", [])
