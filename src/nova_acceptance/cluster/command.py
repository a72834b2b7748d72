"""Running a program: its output in a log, its progress shown, its failure explained."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.progress import Step

ResultT = TypeVar("ResultT")

TAIL = 15
"""Lines of a failed program's output that are shown."""


def _whole_line(line: str) -> str:
    return line


class Programs:
    """The programs that several threads run, to be ended together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._is_over = False

    def of(self, work: Callable[[], ResultT]) -> ResultT:
        """Do something in this thread, whose programs are among these meanwhile."""
        _thread.programs = self
        try:
            return work()
        finally:
            del _thread.programs

    def end(self) -> None:
        """End all of them, and whatever is begun later."""
        with self._lock:
            self._is_over = True
            running = list(self._running)
        for process in running:
            _end(process)

    @contextlib.contextmanager
    def having(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """Count a program among these while it runs."""
        with self._lock:
            self._running.add(process)
            is_over = self._is_over
        try:
            if is_over:
                _end(process)
            yield
        finally:
            with self._lock:
                self._running.discard(process)


_thread = threading.local()
"""Whose programs a thread runs: `programs`."""


def run(
    argv: Sequence[str | Path],
    *,
    log: Path,
    timeout: float,
    step: Step | None = None,
    detail: Callable[[str], str] = _whole_line,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> list[str]:
    """Run a program to its end and return the lines it wrote.

    Args:
        argv: the program and its arguments.
        log: the file its output is appended to, as it comes.
        timeout: seconds after which it is ended.
        step: where its progress is shown.
        detail: what to show of a line; an empty string shows nothing new.
        environment: variables on top of this process's own.
        stdin: a file descriptor to read from.

    Raises:
        ClusterError: it failed, took too long or is not there; with the last lines it wrote.
    """
    name = Path(argv[0]).name
    if shutil.which(str(argv[0])) is None:
        raise ClusterError(
            f"{name} is not installed", hint="run `nova-cluster doctor` to see what is missing"
        )
    process = subprocess.Popen(
        [*_tied(), *(str(argument) for argument in argv)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        text=True,
        errors="replace",
        start_new_session=True,
    )
    is_overdue = threading.Event()

    def expire() -> None:
        is_overdue.set()
        _end(process)

    overdue = threading.Timer(timeout, expire)
    overdue.start()
    lines: list[str] = []
    programs: Programs = getattr(_thread, "programs", None) or Programs()
    try:
        with programs.having(process), log.open("a") as file:
            for line in process.stdout or ():
                file.write(line)
                lines.append(line.rstrip())
                if step and (shown := detail(line.strip())):
                    step.update(shown[:100])
            status = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        overdue.cancel()
    if status != 0:
        ended = (
            f"was ended after {timeout:.0f} s"
            if is_overdue.is_set()
            else f"failed with status {status}"
        )
        raise ClusterError(
            f"{' '.join(str(argument) for argument in argv[:3])} {ended}",
            evidence=[line for line in lines if line][-TAIL:],
            hint=f"the whole output is in {log}",
        )
    return lines


def _tied() -> list[str]:
    """Return a prefix by which a program ends with this process, even a killed one."""
    return ["setpriv", "--pdeathsig=KILL", "--"] if shutil.which("setpriv") else []


def _end(process: subprocess.Popen[str]) -> None:
    """End the program and its children: it leads a session of its own.

    Also when it has ended itself: a child that lives on would hold its output open.
    """
    # macOS does not permit signals to a group that has ended and was not waited for.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=timeouts.COMMAND_END)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
