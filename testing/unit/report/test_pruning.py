"""Old runs are removed, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_acceptance.report import Record
from nova_acceptance.report.pruning import goes_on, prune
from testing.unit.report.events import END, START, write
from testing.unit.report.runs import keep, past

NAMES = [f"2029123{day}T000000Z-abcdef" for day in range(5)]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Five runs that ended, the newest of which is the current one."""
    for name in NAMES:
        write(keep(tmp_path, past(name)), START, END)
    (tmp_path / "latest").symlink_to(NAMES[-1])
    return tmp_path


def _left(reports: Path) -> list[str]:
    return sorted(path.name for path in reports.iterdir())


def test_newest_runs_stay(reports: Path) -> None:
    assert prune(reports, 2, reports / NAMES[-1]) == NAMES[:3]
    assert _left(reports) == [*NAMES[3:], "latest"]
    assert (reports / "latest").resolve().name == NAMES[-1]


def test_nothing_goes_where_there_are_not_more(reports: Path) -> None:
    assert prune(reports, 5, reports / NAMES[-1]) == []
    assert _left(reports) == [*NAMES, "latest"]


def test_current_run_and_the_latest_stay(reports: Path) -> None:
    (reports / "latest").unlink()
    (reports / "latest").symlink_to(NAMES[1])

    assert prune(reports, 1, reports / NAMES[0]) == NAMES[2:4]
    assert (reports / "latest" / "run.jsonl").is_file()


def test_run_that_goes_on_stays(reports: Path) -> None:
    record = Record(reports / NAMES[0])

    assert prune(reports, 1, reports / NAMES[-1]) == NAMES[1:4]

    record.close()
    assert prune(reports, 1, reports / NAMES[-1]) == NAMES[:1]


def test_run_of_another_machine_goes_on_while_it_is_written_to(tmp_path: Path) -> None:
    directory = write(tmp_path / NAMES[0], START)
    assert goes_on(directory)

    long_ago = time.time() - 7200
    os.utime(directory / "run.jsonl", (long_ago, long_ago))
    assert not goes_on(directory)


def test_run_without_its_record_has_ended(tmp_path: Path) -> None:
    (keep(tmp_path, past(NAMES[0])) / "run.jsonl").unlink()

    assert not goes_on(tmp_path / NAMES[0])


def _a_file(path: Path) -> None:
    path.write_text("mine")


def _without_record(path: Path) -> None:
    path.mkdir()
    (path / "notes.txt").write_text("mine")


def _linked(path: Path) -> None:
    path.symlink_to(write(path.parent.parent / "elsewhere", START, END))


def _linked_record(path: Path) -> None:
    path.mkdir()
    (path / "run.jsonl").symlink_to("/dev/null")


@pytest.mark.parametrize("make", [_a_file, _without_record, _linked, _linked_record])
def test_foreign_entry_with_a_run_s_name_stays(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    reports = tmp_path / "reports"
    write(reports / NAMES[1], START, END)
    make(reports / NAMES[0])

    assert prune(reports, 1, reports / NAMES[1]) == []
    assert _left(reports) == NAMES[:2]


@pytest.mark.parametrize("name", ["faults-20291231T000000Z", "whole", "20291230", ".hidden"])
def test_record_in_a_directory_of_another_name_stays(reports: Path, name: str) -> None:
    write(reports / name, START, END)

    prune(reports, 1, reports / NAMES[-1])

    assert (reports / name / "run.jsonl").is_file()


def test_what_a_link_in_a_run_leads_to_stays(reports: Path) -> None:
    outside = reports / "kept-by-hand"
    outside.mkdir()
    (outside / "note.txt").write_text("mine")
    (reports / NAMES[0] / "link").symlink_to(outside)

    assert NAMES[0] in prune(reports, 1, reports / NAMES[-1])
    assert (outside / "note.txt").read_text() == "mine"


def test_removal_that_was_broken_off_is_finished(reports: Path) -> None:
    (reports / NAMES[0]).rename(reports / f".{NAMES[0]}.removed")

    prune(reports, 5, reports / NAMES[-1])

    assert _left(reports) == [*NAMES[1:], "latest"]
