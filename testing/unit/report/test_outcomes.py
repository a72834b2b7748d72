"""What came of a run is kept in short, and is there whatever became of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.errors import UsageError
from nova_acceptance.report import load, outcomes
from nova_acceptance.report.outcomes import Past, outcome_of, read
from testing.unit.report.events import END, HEALTH, REDIS, START, finished, phase, write

FOUND = {"cause": "IMAGE_PULL", "subject": "Pod a/b", "summary": "it is so"}
EVENTS: list[dict[str, Any]] = [
    {
        **START,
        "schema": 2,
        "manifests": {"commit": "c" * 40, "changed": True, "digest": "d" * 64},
    },
    {
        "type": "cluster",
        "name": "nova",
        "provider": "kind",
        "version": "v1.33.1",
        "nodes": ["a", "b"],
    },
    {"type": "deployment", "overlay": "multi-node"},
    {
        "type": "snapshot",
        "rows": [
            {"layer": "infrastructure", "component": "redis", "image": "redis:7"},
            # The same component as the network sees it has no image.
            {"layer": "networking", "component": "redis"},
        ],
    },
    *finished(HEALTH),
    phase(REDIS, "setup"),
    phase(REDIS, "call", "failed", diagnosis=FOUND),
    phase(REDIS, "teardown"),
    {"type": "usage", "requests": 40, "execs": 5, "forwards": 3},
    {"type": "usage", "requests": 2, "execs": 2, "forwards": 0},  # of another worker
    END | {"exit_status": 1},
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write(tmp_path / "a-run", *EVENTS)


def _kept(directory: Path) -> Past:
    past = outcome_of(load(directory))
    (directory / outcomes.FILE_NAME).write_text(outcomes.render(past), encoding="utf-8")
    return past


def test_run_json_tells_what_came_of_the_run(directory: Path) -> None:
    _kept(directory)

    told = json.loads((directory / "run.json").read_text(encoding="utf-8"))

    assert told == {
        "schema": 1,
        "is_partial": True,
        "usage": {"requests": 42, "execs": 7, "forwards": 3},
        "name": "a-run",
        "started": "2030-01-01T00:00:00+00:00",
        "seconds": 12.0,
        "verdict": "rejected",
        "finished": True,
        "exit_status": 1,
        "cluster": {"name": "nova", "provider": "kind", "version": "v1.33.1", "nodes": 2},
        "overlay": "multi-node",
        "manifests": {"commit": "c" * 40, "is_changed": True, "digest": "d" * 64},
        "versions": {"python": "3.11"},
        "images": {"redis": ["redis:7"]},
        "causes": [{"cause": "IMAGE_PULL", "subject": "Pod a/b", "tests": 1}],
        "tests": {HEALTH: ["passed", 1.5], REDIS: ["failed", 1.5]},
    }


def test_run_json_says_the_same_as_the_record(directory: Path) -> None:
    past = _kept(directory)
    (directory / "run.jsonl").write_text("not read")

    assert read(directory) == past


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        '{"schema": 1}',
        '{"schema": 99, "name": "of a later version"}',
        '{"schema": 1, "name": "x", "verdict": "fine", "tests": {}}',
        '{"schema": 1, "name": "x", "started": null, "seconds": NaN, "verdict": "accepted",'
        ' "finished": true, "exit_status": 0}',
        "[" * 100_000,
        "\udcff",
    ],
    ids=range(10),
)
def test_record_is_read_where_run_json_cannot_be(directory: Path, text: str | None) -> None:
    past = _kept(directory)
    (directory / "run.json").unlink()
    if text is not None:
        (directory / "run.json").write_text(text, errors="surrogateescape")

    assert read(directory) == past


def test_directory_with_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no record of a run could be read"):
        read(tmp_path)


def test_text_that_is_no_unicode_is_kept_as_text_that_is(tmp_path: Path) -> None:
    directory = write(tmp_path / "a-run", START, *finished("tests/a.py::test_a[\ud800\n\0]"), END)

    _kept(directory)

    assert list(read(directory).tests) == ["tests/a.py::test_a[\\ud800\n\0]"]


def test_nothing_is_left_beside_run_json(directory: Path) -> None:
    _kept(directory)

    assert {path.name for path in directory.iterdir()} == {"run.jsonl", "run.json"}
