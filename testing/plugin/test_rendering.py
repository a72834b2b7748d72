"""What is rendered when a run ends, and what is said where it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite


def test_reports_that_cannot_be_written_end_in_one_message(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_first(): pass")
    telling.write("reports", "a file, not a directory")

    result = telling.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *reports: no record can be written here: *"])


def test_record_is_kept_when_no_page_can_be_written(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py",
        """
import pathlib
def test_first(): pathlib.Path("reports/latest/report.html").mkdir()
""",
    )

    result = telling.run()

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "verdict: ACCEPTED  1 passed",
            "report.html could not be written: IsADirectoryError: *",
            f"the record is kept: nova-report render reports/{telling.model.name}",
        ]
    )
    assert telling.junit()


def test_report_is_named_when_only_another_page_cannot_be_written(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py",
        """
import pathlib
def test_first(): pathlib.Path("reports/latest/summary.md").mkdir()
""",
    )

    result = telling.run()

    result.stdout.fnmatch_lines(
        [
            "summary.md could not be written: IsADirectoryError: *",
            f"report: reports/{telling.model.name}/report.html",
        ]
    )


def test_everything_is_rendered_at_the_end(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_first(): pass")

    telling.run()

    assert {path.name for path in telling.latest.iterdir()} == {
        "junit.xml",
        "metrics.prom",
        "pytest-html.html",
        "report.html",
        "run.json",
        "run.jsonl",
        "summary.md",
    }


def test_report_is_in_the_language_asked_for(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_first(): pass")

    telling.run("--report-lang", "zh-Hant")

    assert telling.model.options["report-lang"] == "zh-Hant"
    assert '<html lang="zh-Hant">' in telling.page()
    assert "通過驗收" in (telling.latest / "summary.md").read_text(encoding="utf-8")
