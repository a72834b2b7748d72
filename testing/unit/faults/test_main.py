from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from testing.faults import __main__ as program
from testing.faults import clusters
from testing.faults.fault import Fault
from testing.faults.reading import CATALOGUE
from testing.faults.runner import Manner
from testing.faults.verdict import Verdict

FAULT = """\
title: A Service selects by a label that no pod has
break:
  - patch: {kind: Service, namespace: here, name: front, patch: {spec: {selector: {a: b}}}}
expect:
  cause: SELECTOR_MATCHES_NOTHING
  tests: ["tests/*"]
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Sequence[Fault], Manner]]:
    """What would be run, and how."""
    calls: list[tuple[Sequence[Fault], Manner]] = []

    def run(
        faults: Sequence[Fault], _cluster: str, manner: Manner, _records: Path
    ) -> tuple[list[Verdict], dict[str, float]]:
        calls.append((faults, manner))
        return [], {}

    monkeypatch.setattr(program, "_run", run)
    monkeypatch.setattr(program, "own_directory", lambda _reports: tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.delenv("ALL", raising=False)
    return calls


def test_faults_of_another_directory_are_run(
    asked: list[tuple[Sequence[Fault], Manner]], tmp_path: Path
) -> None:
    file = tmp_path / "services" / "one.yaml"
    file.parent.mkdir()
    file.write_text(FAULT)

    assert program.main([f"--catalogue={tmp_path}"]) == 0

    assert [fault.name for fault in asked[0][0]] == ["one"]


def test_directory_without_faults_is_a_wrong_use(
    asked: list[tuple[Sequence[Fault], Manner]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.main([f"--catalogue={tmp_path}"]) == 2

    assert "holds no fault" in capsys.readouterr().err
    assert asked == []


def test_seed_is_another_each_time_unless_it_is_given(
    asked: list[tuple[Sequence[Fault], Manner]],
) -> None:
    for arguments in ([], [], ["--seed=41"]):
        program.main(["selects-nothing", *arguments])

    seeds = [manner.seed for _, manner in asked]
    assert len(set(seeds[:2])) == 2  # by chance the same once in a million
    assert seeds[2] == 41


def test_environment_asks_for_all_tests_and_an_option_for_one_fault_at_a_time(
    asked: list[tuple[Sequence[Fault], Manner]], monkeypatch: pytest.MonkeyPatch
) -> None:
    program.main(["selects-nothing"])
    monkeypatch.setenv("ALL", "1")
    program.main(["selects-nothing", "--one-by-one"])

    assert [(manner.every, manner.one_by_one) for _, manner in asked] == [
        (False, False),
        (True, True),
    ]


def test_several_clusters_are_led_alike(
    asked: list[tuple[Sequence[Fault], Manner]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    led: list[tuple[list[str], list[str], list[str], Path]] = []

    def run(
        faults: Sequence[Fault], names: Sequence[str], options: Sequence[str], records: Path
    ) -> int:
        led.append(([each.name for each in faults], [*names], [*options], records))
        return 1

    monkeypatch.setattr(clusters, "run", run)

    assert program.main(["selects-*", "--cluster=it", "--clusters=2", "--seed=5"]) == 1

    ((faults, names, options, records),) = led
    assert faults == ["selects-nothing", "selects-others-too"]
    assert names == ["it", "it-2"]
    assert options == [f"--catalogue={CATALOGUE}", "--seed=5"]
    assert records == tmp_path
    assert asked == []
