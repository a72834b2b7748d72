"""nova-report: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nova_acceptance.report import load
from nova_acceptance.report.command import main
from testing.unit.report.events import END, HEALTH, REDIS, START, finished, write
from testing.unit.report.runs import recorded

RENDERED = {
    "junit.xml",
    "metrics.prom",
    "pytest-html.html",
    "report.html",
    "run.json",
    "run.jsonl",
    "summary.md",
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_render_writes_everything_from_the_record(tmp_path: Path) -> None:
    directory = recorded(tmp_path / "a-run", REDIS)

    result = run("render", directory)

    assert result.output == f"accepted: {directory / 'report.html'}\n"
    assert result.exit_code == 0
    assert {path.name for path in directory.iterdir()} == RENDERED


def test_render_takes_several_directories(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", REDIS), recorded(tmp_path / "b", REDIS, "failed")

    result = run("render", first, second)

    assert [line.partition(":")[0] for line in result.output.splitlines()] == [
        "accepted",
        "rejected",
    ]


@pytest.mark.parametrize(
    ("asked", "recorded_as", "heading"),
    [
        ([], {}, "## ✓ Nova: accepted"),
        (["--report-lang", "zh-Hant"], {}, "通過驗收"),
        ([], {"report-lang": "zh-Hant"}, "通過驗收"),
        (["--report-lang", "en"], {"report-lang": "zh-Hant"}, "## ✓ Nova: accepted"),
        ([], {"report-lang": "tlh"}, "## ✓ Nova: accepted"),
        ([], {"report-lang": ["en"]}, "## ✓ Nova: accepted"),
    ],
)
def test_render_is_in_the_language_asked_for_or_the_run_s_own(
    tmp_path: Path, asked: list[str], recorded_as: dict[str, Any], heading: str
) -> None:
    directory = write(tmp_path / "a-run", START | {"options": recorded_as}, *finished(REDIS), END)

    run("render", directory, *asked)

    first = (directory / "summary.md").read_text(encoding="utf-8").splitlines()[0]
    assert heading in first


def test_what_cannot_be_written_is_told_and_the_rest_is_there(tmp_path: Path) -> None:
    directory = recorded(tmp_path / "a-run", REDIS)
    (directory / "summary.md").mkdir()

    result = run("render", directory)

    assert result.exit_code == 1
    assert "summary.md: IsADirectoryError" in result.output
    assert {path.name for path in directory.iterdir()} == RENDERED


def test_merge_renders_the_shards_as_one_run(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", REDIS), recorded(tmp_path / "b", HEALTH, "failed")

    result = run("merge", tmp_path / "whole", first, second)

    assert result.output == f"rejected: {tmp_path / 'whole' / 'report.html'}\n"
    assert result.exit_code == 0
    assert {test.nodeid for test in load(tmp_path / "whole").tests} == {REDIS, HEALTH}


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("passed", "passed", 0),
        ("failed", "failed", 0),
        ("failed", "passed", 0),
        ("passed", "failed", 1),
        ("passed", "skipped", 1),
    ],
)
def test_diff_ends_by_whether_anything_got_worse(
    tmp_path: Path, before: str, after: str, status: int
) -> None:
    first = recorded(tmp_path / "a", REDIS, before)
    second = recorded(tmp_path / "b", REDIS, after)

    assert run("diff", first, second).exit_code == status


def test_diff_with_a_run_that_was_cut_off_ends_as_worse(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", REDIS), write(tmp_path / "b", START)

    assert run("diff", first, second).exit_code == 1


def test_diff_prints_what_differs(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", REDIS), recorded(tmp_path / "b", REDIS, "failed")

    result = run("diff", first, second)

    assert result.output == (f"a: accepted → b: rejected\n1 test fails now\n  {REDIS}\n")


def test_diff_speaks_the_language_asked_for(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", REDIS), recorded(tmp_path / "b", REDIS, "failed")

    assert "1 項測試現在失敗" in run("diff", first, second, "--report-lang", "zh-Hant").output


def test_diff_of_equal_runs_says_that_nothing_changed(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", REDIS), recorded(tmp_path / "b", REDIS)

    assert "Nothing changed" in run("diff", first, second).output


def test_diff_prints_no_control_characters(tmp_path: Path) -> None:
    nodeid = "tests/a.py::test_a[\x1b[2J]"
    first, second = recorded(tmp_path / "a", nodeid), recorded(tmp_path / "b", nodeid, "failed")

    assert "\x1b" not in run("diff", first, second).output


def test_messages_hold_no_control_characters(tmp_path: Path) -> None:
    hostile = "\x1b[2J\n\x07"
    first = write(tmp_path / "a", START, {"type": "cluster", "name": hostile})
    second = write(tmp_path / "b", START, {"type": "cluster", "name": "nova"})
    newer = write(tmp_path / "newer", START | {"schema": hostile})

    for result in (run("merge", tmp_path / "whole", first, second), run("render", newer)):
        assert result.exit_code == 2
        assert not {"\x1b", "\x07"} & set(result.output)


def test_schema_is_printed_as_it_is_published() -> None:
    result = run("schema")

    assert result.exit_code == 0
    assert json.loads(result.output)["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["render"], "Missing argument"),
        (["render", "{}/absent"], "does not exist"),
        (["render", "{}/empty"], "nova-report: {}/empty: no record of a run could be read"),
        (["render", "{}/newer"], "written with schema 99"),
        (["render", "{}/empty", "--report-lang", "fr"], "'fr' is not one of"),
        (["merge", "{}/whole"], "Missing argument"),
        (["merge", "{}/whole", "{}/empty"], "no record of a run could be read"),
        (["merge", "{}/whole", "{}/newer"], "written with schema 99"),
        (["diff", "{}/empty"], "Missing argument"),
        (["diff", "{}/newer", "{}/absent"], "does not exist"),
        (["diff", "{}/empty", "{}/empty"], "no record of a run could be read"),
        (["nonsense"], "No such command"),
    ],
)
def test_what_cannot_be_used_ends_in_one_message(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "newer", START | {"schema": 99})

    result = run(*(argument.format(tmp_path) for argument in arguments))

    assert result.exit_code == 2
    assert message.format(tmp_path) in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "whole").exists()
