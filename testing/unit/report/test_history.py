"""A run among those before it on its cluster."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.report import history, load, outcomes
from nova_acceptance.report.history import Flip, flips_of, history_of
from nova_acceptance.report.model import Manifests
from nova_acceptance.report.outcomes import Past, PastCluster
from testing.unit.report.events import REDIS, START, write
from testing.unit.report.runs import keep, past, recorded


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def _of_now(reports: Path, most: int = 20, outcome: str = "passed") -> history.History:
    """Return the history of a run of one test that begins at the hour 0."""
    return history_of(load(recorded(reports / "now", REDIS, outcome)), reports, most)


def _names(found: history.History) -> list[str]:
    return [run.name for run in found.runs]


def test_history_ends_with_the_run_itself(reports: Path) -> None:
    keep(reports, past("older", hours=-2))
    keep(reports, past("newer", hours=-1))

    assert _names(_of_now(reports)) == ["older", "newer", "now"]


def test_run_without_others_has_a_history_of_its_own(reports: Path) -> None:
    found = _of_now(reports)

    assert _names(found) == ["now"]
    assert found.since_green is None
    assert found.flips == ()


def test_nothing_leads_to_a_report_that_was_never_written(reports: Path) -> None:
    keep(reports, past("ended", hours=-2))
    (keep(reports, past("killed", hours=-1)) / history.PAGE).unlink()

    assert _of_now(reports).elsewhere == {"killed"}


@pytest.mark.parametrize(
    "cluster", [PastCluster("other", "kind"), PastCluster("nova", "context"), PastCluster()]
)
def test_history_is_of_one_cluster(reports: Path, cluster: PastCluster) -> None:
    keep(reports, past("elsewhere", hours=-1, cluster=cluster))

    assert _names(_of_now(reports)) == ["now"]


def test_later_run_is_no_history(reports: Path) -> None:
    keep(reports, past("later", hours=1))

    assert _names(_of_now(reports)) == ["now"]


def test_history_has_as_many_runs_as_wanted(reports: Path) -> None:
    for number in range(9):
        keep(reports, past(f"2029123{number % 2}T00000{number}Z-abcdef", hours=number - 100))

    assert len(_names(_of_now(reports, most=4))) == 4
    assert _names(_of_now(reports, most=1)) == ["now"]


def test_what_is_no_run_is_passed_over(reports: Path) -> None:
    keep(reports, past("good", hours=-1))
    (reports / "latest").symlink_to("good")
    (reports / "notes.txt").write_text("not a directory")
    (reports / "cluster-logs").mkdir()
    write(reports / "of-a-later-version", START | {"schema": 99})
    (reports / "20999999T999999Z-abcdef").mkdir()
    (reports / "20999999T999999Z-abcdef" / "run.jsonl").write_bytes(b"\xff\xfe\0 not json")
    unreadable = reports / "unreadable"
    unreadable.mkdir()
    (unreadable / "run.jsonl").mkdir()
    (reports / "pipes").mkdir()
    for name in ("run.json", "run.jsonl"):
        os.mkfifo(reports / "pipes" / name)

    assert _names(_of_now(reports)) == ["good", "now"]


def test_run_is_found_by_its_directory_whatever_it_calls_itself(reports: Path) -> None:
    keep(reports, past("one", hours=-1)).rename(reports / "another")

    assert _names(_of_now(reports)) == ["another", "now"]


def test_record_that_is_too_large_is_passed_over(
    reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(reports / "large", REDIS)
    monkeypatch.setattr(history, "LARGEST", 99)

    assert _names(_of_now(reports)) == ["now"]


def test_run_without_run_json_is_read_from_its_record(reports: Path) -> None:
    directory = recorded(reports / "of-an-earlier-version", REDIS)

    assert not (directory / "run.json").exists()
    assert _names(_of_now(reports)) == ["of-an-earlier-version", "now"]


def test_copy_of_a_run_counts_once(reports: Path) -> None:
    run = past("once", hours=-1)
    keep(reports, run)
    (keep(reports, run)).rename(reports / "a-copy")
    keep(reports, run)

    assert _names(_of_now(reports)) == ["once", "now"]


def test_few_records_are_read_in_full(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_RECORDS", 2)
    for number in range(5):
        recorded(reports / f"old-{number}", REDIS)
    keep(reports, past("in-short", hours=-1))
    os.utime(reports / "in-short" / "run.jsonl", (0, 1))

    names = _names(_of_now(reports))

    assert "in-short" in names
    assert len([name for name in names if name.startswith("old-")]) == 2


def test_no_more_is_read_than_is_shown(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        name = f"20291231T00000{number}Z-abcdef"
        keep(reports, past(name, hours=number - 100, tests={REDIS: "passed"}))
    run = load(recorded(reports / "now", REDIS))
    asked: list[str] = []

    def read(path: Path) -> Past:
        asked.append(path.name)
        return outcomes.read(path)

    monkeypatch.setattr(history, "read", read)

    history_of(run, reports, most=4)

    assert asked == [f"20291231T00000{number}Z-abcdef" for number in (8, 7, 6)]


def test_of_thousands_of_runs_no_more_are_looked_into_than_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"20291231T0000{second:02}Z-abcdef" for second in range(9)]
    for name in [*names, "by-another-name"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.jsonl").touch()
    os.utime(tmp_path / "by-another-name" / "run.jsonl", (0, 1_893_369_606.5))
    (tmp_path / names[8] / "run.jsonl").unlink()
    stat = Path.stat
    looked_into: list[str] = []

    def noted(path: Path, **how: bool) -> os.stat_result:
        looked_into.append(path.parent.name)
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", noted)
    found = [each.name for each in islice(history.directories(tmp_path), 3)]

    assert found == [names[7], "by-another-name", names[6]]
    assert set(looked_into) == {names[8], names[7], names[6], "by-another-name"}


def test_record_of_a_year_that_there_is_not_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.jsonl").touch()
    monkeypatch.setattr(Path, "stat", lambda *_: SimpleNamespace(st_mtime=1e18))

    assert not list(history.directories(tmp_path))


def test_last_green_run_is_compared_with(reports: Path) -> None:
    keep(reports, past("green", hours=-3, tests={REDIS: "passed"}))
    keep(reports, past("red", hours=-2, verdict="rejected", tests={REDIS: "failed"}))

    since = _of_now(reports, outcome="failed").since_green

    assert since is not None
    assert since.before.name == "green"
    assert since.after.name == "now"
    assert since.failing == (REDIS,)


def test_green_run_is_found_beyond_those_that_are_shown(reports: Path) -> None:
    keep(reports, past("20291230T000000Z-abcdef", hours=-30, tests={REDIS: "passed"}))
    for number in range(5):
        keep(
            reports, past(f"20291231T00000{number}Z-abcdef", hours=number - 20, verdict="rejected")
        )

    found = _of_now(reports, most=3)

    assert len(found.runs) == 3
    assert found.since_green is not None
    assert found.since_green.before.name == "20291230T000000Z-abcdef"


def test_green_run_of_other_tests_is_compared_with_only_for_want_of_another(reports: Path) -> None:
    keep(reports, past("of-all", hours=-3, tests={REDIS: "passed"}))
    keep(reports, past("of-another-layer", hours=-1, tests={"tests/x.py::test_x": "passed"}))

    since = _of_now(reports).since_green
    assert since is not None
    assert since.before.name == "of-all"

    (reports / "of-all" / "run.jsonl").unlink()
    since = _of_now(reports).since_green
    assert since is not None
    assert since.before.name == "of-another-layer"


def _runs(*came: str, **fields: Any) -> list[Past]:
    return [past(f"run-{n}", tests={"a": each}, **fields) for n, each in enumerate(came)]


@pytest.mark.parametrize(
    ("came", "flipped"),
    [
        (("passed", "passed", "passed"), ()),
        (("failed", "error", "failed"), ()),
        (("passed", "failed"), ("run-1",)),
        (("error", "passed"), ("run-1",)),
        (("passed", "failed", "passed"), ("run-1", "run-2")),
        (("passed", "skipped", "failed"), ("run-2",)),
        (("passed", "no result", "passed"), ()),
    ],
)
def test_test_flips_where_it_comes_out_otherwise(
    came: tuple[str, ...], flipped: tuple[str, ...]
) -> None:
    expected = [Flip("a", flipped)] if flipped else []

    assert flips_of(_runs(*came)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"manifests": Manifests("b" * 40, is_changed=False, digest="d" * 64)},
        {"manifests": Manifests("a" * 40, is_changed=False, digest="e" * 64)},
        {"overlay": "single-node"},
        {"cluster": PastCluster("nova", "kind", "v1.34.0", 3)},
        {"images": {"redis": ("redis:8",)}},
    ],
)
def test_test_that_fails_after_a_change_does_not_flip(change: dict[str, Any]) -> None:
    before, after = past(tests={"a": "passed"}), past("b", tests={"a": "failed"}, **change)

    assert flips_of([before, after]) == []


def test_run_that_deployed_nothing_is_of_the_overlay_that_was_there() -> None:
    runs = [past(tests={"a": "passed"}), past("b", tests={"a": "failed"}, overlay="")]

    assert flips_of(runs) == [Flip("a", ("b",))]


def test_unknown_manifests_may_have_changed() -> None:
    assert flips_of(_runs("passed", "failed", manifests=Manifests())) == []


def test_images_that_a_run_does_not_tell_are_no_change() -> None:
    before, after = past(tests={"a": "passed"}), past("b", tests={"a": "failed"}, images={})

    assert flips_of([before, after]) == [Flip("a", ("b",))]


def test_most_frequent_flips_come_first() -> None:
    came = [
        {"a": "passed", "b": "passed", "c": "passed"},
        {"a": "passed", "b": "failed", "c": "failed"},
        {"b": "failed", "c": "passed"},
        {"a": "failed", "b": "failed", "c": "passed"},
    ]
    runs = [past(f"run-{number}", tests=tests) for number, tests in enumerate(came)]

    assert flips_of(runs) == [
        Flip("c", ("run-1", "run-2")),
        Flip("a", ("run-3",)),
        Flip("b", ("run-1",)),
    ]
