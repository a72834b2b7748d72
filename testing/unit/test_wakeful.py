"""A signal ends what the main thread waits for, whichever thread it reached."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Final

import pytest

from nova_acceptance.wakeful import wakeful

_WITHIN: Final = 30.0
"""Seconds for a process to come to its end, on the slowest of machines."""
_REACHED: Final = """
import signal, threading, time
from nova_acceptance.wakeful import wakeful

signal.signal(signal.SIGTERM, signal.default_int_handler)

def reached():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

with wakeful():
    threading.Thread(target=reached).start()
    try:
        {waits}
    except KeyboardInterrupt:
        print("woken", end="")
"""


@pytest.mark.parametrize(
    "waits",
    [
        "time.sleep(600)",
        "threading.Event().wait()",
        "lock = threading.Lock(); lock.acquire(); lock.acquire(timeout=600)",
    ],
)
def test_signal_that_reached_another_thread_cuts_a_wait_short(waits: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", _REACHED.format(waits=waits)],
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        check=True,
    )

    assert (found.stdout, found.stderr) == ("woken", "")


def test_everything_is_as_it_was_afterwards() -> None:
    threads = threading.active_count()
    with wakeful():
        assert threading.active_count() == threads + 1

    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == threads


def test_whoever_is_told_of_signals_already_stays_so() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    try:
        with wakeful():
            assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
    finally:
        told_before = signal.set_wakeup_fd(-1)
        os.close(reader)
        os.close(writer)

    assert told_before == writer


def test_block_of_another_thread_runs_as_ever() -> None:
    seen = []

    def elsewhere() -> None:
        with wakeful():
            seen.append(signal.getsignal(signal.SIGURG))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert seen == [signal.SIG_DFL]
