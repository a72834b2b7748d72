from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from testing.faults import __main__ as program
from testing.faults.fault import Fault
from testing.faults.runner import Manner

FAULT = """\
title: A Service selects by a label that no pod has
break:
  - patch: {kind: Service, namespace: here, name: front, patch: {spec: {selector: {a: b}}}}
expect:
  cause: SELECTOR_MATCHES_NOTHING
  tests: ["tests/*"]
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[Fault], Manner]]:
    """What would be run, and how."""
    calls: list[tuple[Sequence[Fault], Manner]] = []

    def run(faults: Sequence[Fault], _cluster: str, _count: int, manner: Manner) -> int:
        calls.append((faults, manner))
        return 0

    monkeypatch.setattr(program, "_run", run)
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
