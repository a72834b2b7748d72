"""Everything is rendered, and what fails loses nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import TemplateError

from nova_acceptance.errors import NovaError
from nova_acceptance.report import load, page
from nova_acceptance.report.record import SCHEMA
from nova_acceptance.report.rendering import render, write_all
from testing.unit.report.events import END, HEALTH, REDIS, START, collected, finished, write
from testing.unit.report.every_event import events as every_event
from testing.unit.report.runs import recorded

RENDERED = {
    "junit.xml",
    "metrics.prom",
    "pytest-html.html",
    "report.html",
    "run.json",
    "summary.md",
}


@pytest.mark.parametrize(
    "events",
    [
        [],
        [START],
        [START, collected(REDIS)],
        [
            {"type": "phase"},
            {"type": "cluster", "nodes": 3},
            {"type": "deployment", "seconds": "x"},
        ],
        [START | {"options": None, "manifests": "none"}, {"type": "snapshot", "limits": "none"}],
    ],
    ids=["empty", "begun", "collected", "odd", "odder"],
)
def test_every_file_is_rendered_from_any_record(
    tmp_path: Path, events: list[dict[str, object]]
) -> None:
    directory = write(tmp_path / "a-run", *events)

    assert write_all(load(directory), directory) == {}

    assert {path.name for path in directory.iterdir()} == RENDERED | {"run.jsonl"}


ODD: list[Any] = [
    *(None, True, -1, 10**400, 1e308, float("nan"), float("inf")),
    *("", "9" * 5000, "\ud800", "\x1b[31m\x00", "../..", "2030-01-01T00:00:00"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *([], [1], [[]], [[1, 2]], ["a", None, {"b": 1}], {}, {"name": {"x": []}}, [{"a": None}]),
]


def filled(value: Any, odd: object) -> Any:
    """Return a copy in which every value that holds no others is another one."""
    if isinstance(value, dict):
        return {name: filled(each, odd) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, odd) for each in value]
    return odd


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_record_of_odd_values_is_rendered(tmp_path: Path, odd: object) -> None:
    known = [{"type": event["type"], "schema": SCHEMA} for event in every_event()]
    fields = [dict.fromkeys(event, odd) for event in every_event()]
    leaves = [filled(event, odd) for event in every_event()]
    for name, events in {"fields": fields, "leaves": leaves}.items():
        told = [event | kind for event, kind in zip(events, known, strict=True)]
        directory = write(tmp_path / name, *told)

        assert write_all(load(directory), directory) == {}


def test_record_that_is_cut_anywhere_is_rendered(tmp_path: Path) -> None:
    whole = (write(tmp_path / "whole", *every_event()) / "run.jsonl").read_bytes()
    directory = tmp_path / "cut"
    directory.mkdir()
    for length in range(0, len(whole), len(whole) // 16):
        (directory / "run.jsonl").write_bytes(whole[:length])

        run = load(directory)

        assert write_all(run, directory) == {}
        assert run.verdict != "accepted"


@pytest.mark.parametrize("error", [TemplateError("no such filter"), OSError("no space left")])
def test_file_that_fails_loses_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise error

    directory = recorded(tmp_path / "a-run", REDIS)
    monkeypatch.setattr(page, "render", fail)

    unwritten = write_all(load(directory), directory)

    assert unwritten == {"report.html": f"{type(error).__name__}: {error}"}
    assert {path.name for path in directory.iterdir()} == RENDERED - {"report.html"} | {"run.jsonl"}


def test_render_tells_what_it_could_not_write(tmp_path: Path) -> None:
    directory = recorded(tmp_path / "a-run", REDIS)
    (directory / "junit.xml").mkdir()

    with pytest.raises(NovaError, match="not everything could be written") as failure:
        render(directory)

    (reason,) = failure.value.evidence
    assert reason.startswith("junit.xml: IsADirectoryError: ")


def test_rendering_again_compares_with_the_same_runs(tmp_path: Path) -> None:
    recorded(tmp_path / "reports" / "earlier", REDIS)
    directory = recorded(tmp_path / "reports" / "later", REDIS, "failed")
    render(tmp_path / "reports" / "earlier")

    render(directory)
    first = (directory / "summary.md").read_bytes()
    render(directory)

    assert b"`earlier`" in first
    assert (directory / "summary.md").read_bytes() == first


def test_run_is_found_through_the_link_to_the_latest(tmp_path: Path) -> None:
    recorded(tmp_path / "reports" / "earlier", REDIS)
    write(tmp_path / "reports" / "later", START, *finished(HEALTH), END)
    (tmp_path / "reports" / "latest").symlink_to("later")

    run, path = render(tmp_path / "reports" / "latest")

    assert run.name == "a-run"
    assert path == tmp_path / "reports" / "latest" / "report.html"
    assert path.is_file()
