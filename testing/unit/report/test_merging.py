"""Records of shards are put together to one run, in which nothing is lost or counted twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.report import load
from nova_acceptance.report.merging import merge
from testing.unit.report.events import (
    END,
    HEALTH,
    NAMES,
    REDIS,
    START,
    collected,
    finished,
    phase,
    write,
)

CLUSTER = {"type": "cluster", "name": "nova", "provider": "kind"}
MANIFESTS = {"commit": "c" * 40, "changed": False, "digest": "d" * 64}


def shard(path: Path, *events: dict[str, Any], minute: int = 0, **start: Any) -> Path:
    """Write a shard's record that begins at a minute; its events are a second apart."""
    times = [f"2030-01-01T00:{minute:02}:{second:02}.000Z" for second in range(60)]
    every = (START | {"run": path.name, "manifests": MANIFESTS} | start, *events)
    return write(
        path, *({**event, "time": time} for event, time in zip(every, times, strict=False))
    )


def types(directory: Path) -> list[str]:
    lines = (directory / "run.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["type"] for line in lines]


def test_shards_become_one_run(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", CLUSTER, collected(REDIS), *finished(REDIS), END, minute=1)
    second = shard(tmp_path / "b", CLUSTER, collected(HEALTH), *finished(HEALTH, "failed"), END)

    merge(tmp_path / "whole", [first, second])

    run = load(tmp_path / "whole")
    assert run.name == "whole"
    assert run.started == load(second).started
    assert run.ended is not None
    assert run.seconds == 66.0
    assert run.finished
    assert run.problems == ()
    assert {test.nodeid: test.outcome for test in run.tests} == {REDIS: "passed", HEALTH: "failed"}
    assert run.verdict == "rejected"
    assert run.manifests.commit == "c" * 40
    assert run.notes == ("merged from a, b",)
    assert types(tmp_path / "whole").count("run-started") == 1
    assert types(tmp_path / "whole").count("collected") == 1
    assert types(tmp_path / "whole").count("run-finished") == 1


def test_events_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    late = shard(tmp_path / "a", {"type": "note", "text": "third"}, END, minute=9)
    early = shard(
        tmp_path / "b",
        {"type": "note", "text": "first"},
        {"type": "note", "text": "second"},
        END,
    )

    merge(tmp_path / "whole", [late, early])

    assert load(tmp_path / "whole").notes[:3] == ("first", "second", "third")


def test_event_without_a_time_stays_where_it_was(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", {"type": "note", "text": "one"}, {"type": "note", "text": "two"})
    lines = (first / "run.jsonl").read_text(encoding="utf-8").splitlines()
    without = {**json.loads(lines[2]), "time": None}
    (first / "run.jsonl").write_text("\n".join([*lines[:2], json.dumps(without)]) + "\n")
    second = shard(tmp_path / "b", {"type": "note", "text": "three"}, minute=1)

    merge(tmp_path / "whole", [second, first])

    assert load(tmp_path / "whole").notes[:3] == ("one", "two", "three")


def test_worst_result_of_a_test_in_several_shards_counts(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", *finished(REDIS, "failed", text="no PONG"), END)
    second = shard(tmp_path / "b", *finished(REDIS), END, minute=1)

    merge(tmp_path / "whole", [first, second])

    (test,) = load(tmp_path / "whole").tests
    assert test.outcome == "failed"
    assert test.seconds == 3.0


def test_test_that_another_shard_ran_is_not_left_out(tmp_path: Path) -> None:
    left_out = {"deselected": 2}
    first = shard(tmp_path / "a", collected(REDIS) | left_out, *finished(REDIS), END)
    second = shard(tmp_path / "b", collected(HEALTH) | left_out, *finished(HEALTH), END)

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").deselected == 1  # of three, as each of them knew


def test_layer_that_no_shard_collected_is_told(tmp_path: Path) -> None:
    told = {"uncollected": ["services"]}
    first = shard(tmp_path / "a", collected(REDIS) | told, *finished(REDIS), END)
    second = shard(tmp_path / "b", collected() | told, END)

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").uncollected == ("services",)


def test_what_workers_said_of_a_test_is_put_together(tmp_path: Path) -> None:
    named = {"type": "collected", "tests": [{"nodeid": REDIS, "layer": "infrastructure"}]}
    first = shard(tmp_path / "a", collected(REDIS, doc="A fact."), *finished(REDIS), END)
    second = shard(tmp_path / "b", named, END)

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").tests[0].doc == "A fact."


@pytest.mark.parametrize(
    "missing",
    [
        [collected(NAMES), phase(NAMES, "setup")],
        [*finished(NAMES), {"type": "interrupted", "text": "SIGTERM"}, END],
        [collected(NAMES), END],
    ],
    ids=["cut off", "interrupted", "without a result"],
)
def test_what_one_shard_lacks_the_whole_lacks(
    tmp_path: Path, missing: list[dict[str, Any]]
) -> None:
    first = shard(tmp_path / "a", collected(REDIS), *finished(REDIS), END)
    second = shard(tmp_path / "b", *missing)

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").verdict == "incomplete"


def test_damaged_lines_of_a_shard_are_told(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", *finished(REDIS), END)
    with (first / "run.jsonl").open("a") as record:
        record.write('{"type": "pha')
    second = shard(tmp_path / "b", *finished(HEALTH), END)

    merge(tmp_path / "whole", [first, second])

    run = load(tmp_path / "whole")
    (problem,) = run.problems
    assert "1 damaged line(s) in the record of a" in problem.values.values()
    assert run.verdict == "incomplete"


def test_worst_exit_status_counts(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", *finished(REDIS), END | {"exit_status": 1})
    second = shard(tmp_path / "b", *finished(HEALTH), END, minute=1)

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").exit_status == 1


@pytest.mark.parametrize(
    ("event", "start", "what"),
    [
        (CLUSTER | {"name": "other"}, {}, "different clusters"),
        (CLUSTER | {"provider": "k3d"}, {}, "different clusters"),
        (CLUSTER, {"manifests": MANIFESTS | {"commit": "e" * 40}}, "different manifests"),
        (CLUSTER, {"manifests": MANIFESTS | {"digest": "e" * 64}}, "different manifests"),
        (CLUSTER, {"manifests": MANIFESTS | {"changed": True}}, "different manifests"),
    ],
)
def test_shards_of_different_runs_are_refused(
    tmp_path: Path, event: dict[str, Any], start: dict[str, Any], what: str
) -> None:
    first = shard(tmp_path / "a", CLUSTER, END)
    second = shard(tmp_path / "b", event, END, **start)

    with pytest.raises(UsageError, match=what) as refused:
        merge(tmp_path / "whole", [first, second])

    assert str(first) in str(refused.value)
    assert str(second) in str(refused.value)
    assert not (tmp_path / "whole").exists()


def test_shard_that_found_no_cluster_contradicts_none(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", CLUSTER, *finished(REDIS), END)
    second = shard(tmp_path / "b", *finished(HEALTH, "failed"), END, minute=1)

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").cluster["name"] == "nova"


def test_record_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", END)
    before = (first / "run.jsonl").read_bytes()

    with pytest.raises(UsageError, match="there is a record already"):
        merge(first, [first])

    assert (first / "run.jsonl").read_bytes() == before


def test_what_was_collected_comes_along(tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        material = {
            "type": "collected-material",
            "cause": "IMAGE_PULL",
            "subject": name,
            "directory": "collected/IMAGE_PULL",
            "written": ["events.txt"],
        }
        found = {"type": "diagnosis", "cause": "IMAGE_PULL", "subject": name}
        paths.append(shard(tmp_path / name, found, material, END))
        kept = tmp_path / name / "collected" / "IMAGE_PULL"
        kept.mkdir(parents=True)
        (kept / "events.txt").write_text(f"of {name}")

    merge(tmp_path / "whole", paths)

    told = {named.subject: named.collected for named in load(tmp_path / "whole").causes}
    assert told == {
        "a": ("shards/1/collected/IMAGE_PULL/events.txt",),
        "b": ("shards/2/collected/IMAGE_PULL/events.txt",),
    }
    for subject, (file,) in told.items():
        assert (tmp_path / "whole" / file).read_text() == f"of {subject}"


def test_merged_run_lasts_as_long_as_its_shards_did(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", *finished(REDIS))
    second = shard(tmp_path / "b", *finished(HEALTH), minute=1)
    lines = (second / "run.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (second / "run.jsonl").write_text("".join(["damaged\n", *lines[1:]]), encoding="utf-8")

    merge(tmp_path / "whole", [first, second])
    merge(tmp_path / "without-its-start", [second])

    assert load(tmp_path / "whole").seconds == 63.0
    assert load(tmp_path / "without-its-start").seconds == 2.0


def test_what_cannot_be_copied_ends_in_one_message(tmp_path: Path) -> None:
    material = {"type": "collected-material", "cause": "X", "directory": "collected"}
    first = shard(tmp_path / "a", material, END)
    (first / "collected").mkdir()
    os.mkfifo(first / "collected" / "pipe")

    with pytest.raises(NovaError, match="the merged run cannot be written"):
        merge(tmp_path / "whole", [first])


@pytest.mark.parametrize("elsewhere", ["../secret", "/etc", "", ".", "link", "../secret\0", 7])
def test_nothing_is_taken_from_outside_a_shard(tmp_path: Path, elsewhere: object) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("a secret")
    material = {"type": "collected-material", "cause": "X", "directory": elsewhere}
    first = shard(tmp_path / "a", material, END)
    (first / "link").symlink_to(secret)

    merge(tmp_path / "whole", [first])

    assert [path.name for path in (tmp_path / "whole").rglob("*")] == ["run.jsonl"]


def of(number: int, **more: Any) -> dict[str, Any]:
    """Return how a shard of three begins."""
    return {"options": {"shard": f"{number}/3", "run-id": "nightly", "no-deploy": True} | more}


def test_missing_shard_is_told_and_the_run_is_incomplete(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", collected(REDIS), *finished(REDIS), END, **of(1))
    third = shard(tmp_path / "b", collected(HEALTH), *finished(HEALTH), END, **of(3))

    merge(tmp_path / "whole", [first, third])

    run = load(tmp_path / "whole")
    assert [(each.kind, each.values) for each in run.problems] == [
        ("shard-missing", {"shard": "2/3"})
    ]
    assert run.verdict == "incomplete"
    assert run.options == {"no-deploy": True}


def test_shard_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    first = shard(tmp_path / "a", collected(REDIS), *finished(REDIS), END, **of(1))
    again = shard(tmp_path / "b", collected(REDIS), *finished(REDIS), END, **of(1))

    with pytest.raises(UsageError, match="one of them is there twice"):
        merge(tmp_path / "whole", [first, again])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"shard": "2/4"}, "different numbers of shards"),
        ({"run-id": "another"}, "different runs"),
    ],
)
def test_shards_that_say_they_are_of_different_runs_are_refused(
    tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    first = shard(tmp_path / "a", collected(REDIS), *finished(REDIS), END, **of(1))
    second = shard(tmp_path / "b", collected(HEALTH), *finished(HEALTH), END, **of(2, **other))

    with pytest.raises(UsageError, match=said):
        merge(tmp_path / "whole", [first, second])


def test_shards_that_were_split_in_different_ways_are_refused(tmp_path: Path) -> None:
    told = {"type": "shard", "of": 3, "tests": 2}
    ran = [collected(REDIS), *finished(REDIS), END]
    first = shard(tmp_path / "a", {**told, "number": 1, "split": "a" * 64}, *ran, **of(1))
    second = shard(tmp_path / "b", {**told, "number": 2, "split": "b" * 64}, *ran, **of(2))

    with pytest.raises(UsageError, match="different ways to split it"):
        merge(tmp_path / "whole", [first, second])


def test_failure_is_said_before_what_was_not_asked(tmp_path: Path) -> None:
    failed = END | {"exit_status": 1}
    unasked = END | {"exit_status": 6}
    first = shard(tmp_path / "a", *finished(REDIS, "failed"), failed, **of(1))
    second = shard(tmp_path / "b", *finished(HEALTH), unasked, **of(2))

    merge(tmp_path / "whole", [first, second])

    assert load(tmp_path / "whole").exit_status == 1
