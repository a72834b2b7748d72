"""A run that is ended from outside leaves a report all the same, and says what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nova_acceptance.report.model import Problem
from testing.unit.waiting import wait_until

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

PATIENCE = 60.0
"""Seconds for a pytest of its own to start, end or be reported on a busy machine."""

ENDLESS = """
import pathlib, time
import pytest

@pytest.fixture(scope="session")
def system():
    yield
    pathlib.Path("torn-down").touch()

def test_first(system): pass

def test_second(system):
    pathlib.Path("reached").touch()
    time.sleep(600)

def test_third(system): pass
"""

Start = Callable[..., "subprocess.Popen[str]"]


def watchers(directory: Path) -> list[int]:
    """Return the processes that watch a run or render it: those whose arguments name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(directory.resolve()).encode() in words:
            found.append(int(process.name))
    return found


def is_rendered(suite: Suite) -> bool:
    """Whether a killed run's report is there."""
    # a process has no arguments while it becomes another one
    return (suite.latest / "report.html").exists() and not watchers(suite.latest)


@pytest.fixture
def start(suite: Suite) -> Iterator[Start]:
    """Start a pytest of its own, in a process group of its own, until its second test runs."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        suite.write("tests/services/test_a.py", ENDLESS)
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=suite.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
            **options,
        )
        started.append(process)
        wait_until(
            lambda: (suite.path / "reached").exists() or process.poll() is not None, PATIENCE
        )
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_killed_run_is_reported_with_what_is_missing(suite: Suite, start: Start) -> None:
    process = start()

    process.kill()
    process.communicate()

    wait_until(lambda: is_rendered(suite), PATIENCE)
    assert suite.outcomes() == {
        "test_first": "passed",
        "test_second": "no result",
        "test_third": "no result",
    }
    assert suite.model.verdict == "incomplete"
    assert Problem("cut-off") in suite.model.problems
    assert "the run was cut off: its record has no end" in suite.page()
    summary = (suite.latest / "summary.md").read_text(encoding="utf-8")
    assert "2 collected tests have no result" in summary


def test_run_killed_with_its_process_group_is_reported_too(suite: Suite, start: Start) -> None:
    pytest.importorskip("xdist")
    process = start("-n", "2")

    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    wait_until(lambda: is_rendered(suite), PATIENCE)
    assert suite.model.verdict == "incomplete"
    assert suite.outcomes()["test_third"] == "no result"


def test_killed_run_is_reported_in_its_language(suite: Suite, start: Start) -> None:
    process = start("--report-lang", "zh-Hant")

    process.kill()
    process.communicate()

    wait_until(lambda: is_rendered(suite), PATIENCE)
    assert '<html lang="zh-Hant">' in suite.page()


def test_sigterm_tears_down_and_reports(suite: Suite, start: Start) -> None:
    process = start()

    process.terminate()
    output, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert (suite.path / "torn-down").exists()
    assert suite.model.finished
    assert Problem("interrupted", {"text": "SIGTERM"}) in suite.model.problems
    assert suite.outcomes()["test_second"] == "no result"
    assert output.splitlines()[-1].startswith("report: reports/")
    assert not watchers(suite.latest)


def test_sigterm_that_another_thread_got_ends_a_run_that_waits(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
import signal, threading, time

def reached():
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

def test_first():
    threading.Thread(target=reached).start()
    time.sleep(600)
""",
    )

    result = suite.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert Problem("interrupted", {"text": "SIGTERM"}) in suite.model.problems


def test_sigterm_to_the_process_group_tears_down_in_workers(suite: Suite, start: Start) -> None:
    pytest.importorskip("xdist")
    process = start("-n", "1")

    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=PATIENCE)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert (suite.path / "torn-down").exists()
    assert suite.model.finished
    assert suite.model.verdict == "incomplete"


def test_second_sigterm_does_not_keep_a_run_from_tearing_down(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
import os, pathlib, signal
import pytest

@pytest.fixture(scope="session")
def system():
    yield
    os.kill(os.getpid(), signal.SIGTERM)
    pathlib.Path("torn-down").touch()

def test_first(system): os.kill(os.getpid(), signal.SIGTERM)
""",
    )

    result = suite.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert (suite.path / "torn-down").exists()
    assert result.outlines[-1].startswith("report: reports/")


@pytest.mark.parametrize(("number", "said"), [("SIGTERM", "SIGTERM"), ("SIGINT", "Ctrl-C")])
def test_signal_that_is_lost_on_its_way_ends_the_run_before_the_next_test(
    suite: Suite, number: str, said: str
) -> None:
    # whatever started these tests: a shell's background jobs ignore Ctrl-C
    usual = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
    suite.write("conftest.py", usual)
    suite.write(
        "tests/services/test_a.py",
        f"""
import os, signal

def test_first():
    try:
        os.kill(os.getpid(), signal.{number})
    except KeyboardInterrupt:
        pass
def test_second(): pass
""",
    )

    result = suite.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert suite.outcomes() == {"test_first": "passed", "test_second": "no result"}
    assert Problem("interrupted", {"text": said}) in suite.model.problems


def test_signal_at_an_instruction_without_a_line_ends_the_run_as_any_other(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
def lineless(): raise KeyboardInterrupt
# one entry for each instruction: "no location" (CPython, Objects/locations.md, code 15)
entries = bytes([0x80 | 15 << 3]) * (len(lineless.__code__.co_code) // 2)
lineless.__code__ = lineless.__code__.replace(co_linetable=entries)

def test_first(): lineless()
""",
    )

    result = suite.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert Problem("interrupted", {"text": "Ctrl-C"}) in suite.model.problems


def test_sigterm_is_left_to_whoever_took_it_before(suite: Suite) -> None:
    suite.write(
        "conftest.py",
        """
import pathlib, signal
signal.signal(signal.SIGTERM, lambda *_: pathlib.Path("theirs").touch())
""",
    )
    suite.write(
        "tests/services/test_a.py",
        "import os, signal\ndef test_first(): os.kill(os.getpid(), signal.SIGTERM)",
    )

    result = suite.run(isolated=True)

    result.assert_outcomes(passed=1)
    assert (suite.path / "theirs").exists()


def test_signal_is_given_back_at_the_end(suite: Suite) -> None:
    suite.write("tests/services/test_a.py", "def test_first(): pass")
    before = signal.getsignal(signal.SIGTERM)

    suite.run()

    assert signal.getsignal(signal.SIGTERM) is before


def test_signal_that_was_taken_meanwhile_stays_taken(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
import signal
def test_first(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
""",
    )
    before = signal.getsignal(signal.SIGTERM)
    try:
        suite.run().assert_outcomes(passed=1)

        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_nobody_watches_a_run_that_is_over(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
import pathlib
def test_first():
    run = str(pathlib.Path("reports/latest").resolve())
    lines = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
    assert any(run.encode() in line for line in lines)
""",
    )

    suite.run().assert_outcomes(passed=1)

    assert not watchers(suite.latest)


def test_run_goes_on_where_nobody_can_watch(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise OSError("cannot allocate memory")

    suite.write("tests/services/test_a.py", "def test_first(): pass")
    monkeypatch.setattr("nova_acceptance.report.watch.subprocess.Popen", no_memory)

    suite.run().assert_outcomes(passed=1)

    assert suite.model.verdict == "accepted"


def test_watcher_that_is_gone_does_not_disturb_the_end(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
import os, pathlib, signal
def test_first():
    run = str(pathlib.Path("reports/latest").resolve()).encode()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        if run in path.read_bytes().split(b"\\0"):
            os.kill(int(path.parent.name), signal.SIGKILL)
""",
    )

    result = suite.run(isolated=True)

    result.assert_outcomes(passed=1)
    assert result.outlines[-1].startswith("report: reports/")
