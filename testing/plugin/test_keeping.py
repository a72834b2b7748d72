"""A history that is given, and how many runs stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nova_acceptance.report.kept import KeptHistory

if TYPE_CHECKING:
    from pathlib import Path

    from testing.plugin.conftest import Suite

PASSING = "def test_anything(system): pass"


def _runs(suite: Suite) -> list[Path]:
    return sorted(path for path in (suite.path / "reports").iterdir() if not path.is_symlink())


@pytest.mark.parametrize("form", ["history.tar.gz", "history.zip", "history"])
def test_run_is_added_to_the_history_that_its_report_shows(telling: Suite, form: str) -> None:
    telling.write("tests/services/test_any.py", PASSING)
    telling.run("--history", form).assert_outcomes(passed=1)
    (first,) = _runs(telling)
    moved = telling.path / "of-another-runner"
    (telling.path / "reports").rename(moved)

    result = telling.run("--history", form)

    assert result.ret == 0
    (second,) = _runs(telling)
    assert KeptHistory(telling.path / form).read().keys() == {first.name, second.name}
    assert f'data-run="{first.name}"' in telling.page()
    assert f"../{first.name}/" not in telling.page()


def test_old_runs_go_from_reports_and_history(telling: Suite) -> None:
    telling.write("tests/services/test_any.py", PASSING)
    for _ in range(2):
        telling.run("--history=history.zip")
    before = _runs(telling)

    result = telling.run("--history=history.zip", "--keep-runs", "1")

    result.stdout.fnmatch_lines(["old runs removed: 2", "report: *"])
    (run,) = _runs(telling)
    assert run not in before
    assert telling.latest.resolve() == run
    assert list(KeptHistory(telling.path / "history.zip").read()) == [run.name]
    assert telling.model.options["keep-runs"] == 1


def test_run_that_failed_is_kept_as_well(telling: Suite) -> None:
    telling.write("tests/services/test_any.py", "def test_anything(system): assert False")

    result = telling.run("--history=history.zip", "--keep-runs=3")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    ((_, past),) = KeptHistory(telling.path / "history.zip").pasts()
    assert past.verdict == "rejected"


def test_nothing_is_removed_where_nothing_is_run(telling: Suite) -> None:
    telling.write("tests/services/test_any.py", PASSING)
    for _ in range(2):
        telling.run()

    telling.run("--collect-only", "--keep-runs=1")

    assert len(_runs(telling)) == 2


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_unusable_number_of_runs_ends_in_one_message(suite: Suite, number: str) -> None:
    result = suite.run(f"--keep-runs={number}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --keep-runs: '{number}' is not a number from 1 on"])


def test_unusable_history_ends_in_one_message(suite: Suite) -> None:
    suite.write("history.tar.gz", "not an archive")

    result = suite.run("--history=history.tar.gz")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --history: *history.tar.gz: the history is damaged*"])
    result.stderr.no_fnmatch_line("*Traceback*")
    assert not (suite.path / "reports").exists()


def test_history_that_is_lost_meanwhile_costs_the_run_nothing(telling: Suite) -> None:
    telling.write(
        "tests/services/test_any.py",
        "def test_anything(system):\n"
        "    from pathlib import Path\n"
        f"    Path({str(telling.path / 'history.zip')!r}).write_text('half an arch')\n",
    )

    result = telling.run("--history=history.zip")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*history.zip: the history is damaged*", "report: *"])
    assert (telling.path / "history.zip").read_text() == "half an arch"


def test_workers_put_their_run_into_the_history_once(telling: Suite) -> None:
    telling.write("tests/services/test_any.py", PASSING)

    result = telling.run("-n", "2", "--history=history.zip", "--keep-runs=1", isolated=True)

    assert result.ret == 0
    assert list(KeptHistory(telling.path / "history.zip").read()) == [_runs(telling)[0].name]
