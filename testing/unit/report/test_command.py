"""nova-report: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report import load
from nova_acceptance.report.command import INCOMPLETE, main
from nova_acceptance.report.shards import Shards, every
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


def test_history_takes_runs_and_prints_those_that_it_holds(tmp_path: Path) -> None:
    names = [f"2029123{day}T000000Z-abcdef" for day in range(3)]
    runs = [recorded(tmp_path / name, REDIS) for name in names]
    path = tmp_path / "history.tar.gz"

    assert run("history", path, *runs[:2]).exit_code == 0
    result = run("history", path, runs[2], "--keep-runs", 2)

    assert result.output.splitlines() == [
        f"{names[2]}  accepted  1 tests  nova v1.33.1",
        f"{names[1]}  accepted  1 tests  nova v1.33.1",
    ]
    assert run("history", path).output == result.output


def test_render_shows_a_history_that_is_kept_elsewhere(tmp_path: Path) -> None:
    now = recorded(tmp_path / "now", REDIS)
    run("history", tmp_path / "history.zip", recorded(tmp_path / "x" / "earlier", REDIS))

    result = run("render", now, "--history", tmp_path / "history.zip")

    assert result.exit_code == 0
    assert (now / "report.html").read_text(encoding="utf-8").count("data-run=") == 2


def test_archive_that_is_none_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "history.zip").write_text("not one")

    result = run("history", tmp_path / "history.zip")

    assert result.exit_code == 2
    assert result.output.startswith("nova-report: ")
    assert "the history is damaged" in result.output


def gathered(reports: Path, *ends: dict[str, Any] | None) -> Result:
    """Gather the shards of a run, each with one test and its end; None is cut off."""
    shards = Shards(reports, "nightly")
    for each, end in zip(every(len(ends)), ends, strict=True):
        start = START | {"options": {"shard": str(each), "run-id": "nightly"}}
        nodeid = f"tests/services/test_{each.number}.py::test_a"
        failed = end is not None and end["exit_status"] == 1
        events = [start, *finished(nodeid, "failed" if failed else "passed")]
        write(shards.place(each), *events, *([end] if end else []))
    return run("gather", reports, "nightly", "--of", len(ends), "--within", 0)


def test_gather_ends_as_one_run_would_have(tmp_path: Path) -> None:
    green = gathered(tmp_path / "green", END, END)
    red = gathered(tmp_path / "red", END, END | {"exit_status": 1})

    assert (green.exit_code, green.output.partition(":")[0]) == (0, "accepted")
    assert (red.exit_code, red.output.partition(":")[0]) == (1, "rejected")
    (merged,) = (tmp_path / "red").glob("2*")
    assert (tmp_path / "red" / "latest").resolve() == merged
    assert {path.name for path in merged.iterdir()} == RENDERED
    assert not (tmp_path / "red" / "shards" / "nightly").exists()


def test_gather_keeps_what_a_shard_without_an_end_left(tmp_path: Path) -> None:
    result = gathered(tmp_path, END, None)

    assert result.exit_code == INCOMPLETE == int(ExitStatus.NOT_ASKED)
    assert "shard 2/2 did not end" in result.output
    assert (tmp_path / "shards" / "nightly" / "2-of-2" / "run.jsonl").is_file()


def test_gather_of_nothing_is_one_message(tmp_path: Path) -> None:
    result = run("gather", tmp_path, "nightly", "--of", 3, "--within", 0)

    assert result.exit_code == 2
    assert "no shard of the run nightly has left a record" in result.output
    assert "→ every shard takes the same --run-id" in result.output
