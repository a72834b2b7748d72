"""How modules are split, what the shards of a run agree on, and when one has ended."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.report import shards as subject
from nova_acceptance.report.shards import Shard, Shards, every, seconds_by_module, split
from testing.unit.report.events import END, HEALTH, REDIS, START, finished, write
from testing.unit.report.runs import keep, past

MODULES = {f"tests/test_{letter}.py": 3 for letter in "abcdefgh"}


@pytest.mark.parametrize("of", range(1, 9))
def test_split_gives_each_module_one_shard_and_each_shard_a_module(of: int) -> None:
    numbers = split(MODULES, of, {})

    assert numbers.keys() == MODULES.keys()
    assert set(numbers.values()) == set(range(1, of + 1))


def test_split_does_not_depend_on_the_order_of_collection() -> None:
    backwards = dict(reversed(MODULES.items()))

    assert split(MODULES, 3, {}) == split(backwards, 3, {})


def test_split_balances_by_the_seconds_that_are_known() -> None:
    weights = dict.fromkeys(MODULES, 1.0) | {"tests/test_h.py": 7.0}

    numbers = split(MODULES, 2, weights)

    alone = numbers["tests/test_h.py"]
    assert [module for module in MODULES if numbers[module] == alone] == ["tests/test_h.py"]


def test_module_without_a_weight_counts_by_its_tests() -> None:
    tests = {"tests/test_old.py": 2, "tests/test_new.py": 20, "tests/test_other.py": 2}
    weights = {"tests/test_old.py": 4.0, "tests/test_other.py": 4.0}

    numbers = split(tests, 2, weights)

    assert numbers["tests/test_old.py"] == numbers["tests/test_other.py"]
    assert numbers["tests/test_new.py"] != numbers["tests/test_old.py"]


@pytest.mark.parametrize("text", ["", "1", "1/", "0/1", "2/1", "1/101", "-1/3", "1/3/4", "٢/٣"])
def test_what_names_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no shard"):
        Shard.parse(text)


@pytest.mark.parametrize("text", ["", ".", "..", "../a", "a/b", "-a", "a" * 65, "a b"])
def test_identifier_is_a_name_and_no_path(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a run's identifier"):
        Shards(tmp_path, text)


def test_wait_ends_as_soon_as_the_others_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "EVERY", 0.01)
    shards = Shards(tmp_path, "run-1")
    first, second = every(2)
    write(shards.place(first), START, *finished(REDIS), END)
    write(shards.place(second), START)
    later = threading.Timer(0.2, write, (shards.place(second), START, *finished(HEALTH), END))
    later.start()

    assert shards.await_end((first, second), within=20) == []
    later.join()


def test_wait_gives_up_at_its_budget_and_says_for_whom(tmp_path: Path) -> None:
    shards = Shards(tmp_path, "run-1")
    first, second, third = every(3)
    write(shards.place(first), START, *finished(REDIS), END)
    path = write(shards.place(second), START, *finished(HEALTH)) / "run.jsonl"
    with path.open("a") as record:
        record.write('{"type": "run-fin')  # it is being written, or was cut off

    assert shards.await_end((first, second, third), within=0) == [second, third]


def test_weights_are_those_of_the_first_that_asked(tmp_path: Path) -> None:
    keep(tmp_path, past("a-run", tests={REDIS: ("passed", 2.5), f"{REDIS}_too": ("failed", 1.0)}))
    module = REDIS.partition("::")[0]
    first = Shards(tmp_path, "run-1").weights()
    keep(tmp_path, past("b-run", tests={HEALTH: "passed"}))

    assert first == {module: 3.5}
    assert Shards(tmp_path, "run-1").weights() == first
    assert len(Shards(tmp_path, "run-2").weights()) == 2
    left = [path.name for path in Shards(tmp_path, "run-1").directory.iterdir()]
    assert left == ["weights.json"]


@pytest.mark.parametrize("text", ["[]", "{", '{"a": "b"}', "null"])
def test_weights_that_cannot_be_read_are_told(tmp_path: Path, text: str) -> None:
    shards = Shards(tmp_path, "run-1")
    shards.directory.mkdir(parents=True)
    (shards.directory / "weights.json").write_text(text)

    with pytest.raises(NovaError, match="the shards cannot agree here"):
        shards.weights()


def test_seconds_are_of_the_newest_run_that_had_the_module(tmp_path: Path) -> None:
    older = {REDIS: ("passed", 1.0), HEALTH: ("passed", 5.0)}
    keep(tmp_path, past("20300101T000000Z-aaaaaa", tests=older))
    keep(tmp_path, past("20300102T000000Z-aaaaaa", tests={REDIS: ("passed", 2.0)}))
    (tmp_path / "20300103T000000Z-aaaaaa").mkdir()

    found = seconds_by_module(tmp_path)

    assert found == {REDIS.partition("::")[0]: 2.0, HEALTH.partition("::")[0]: 5.0}
