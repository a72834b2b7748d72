"""Putting the machine back as it was found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nova_acceptance.cluster.engine import machine_state


@pytest.fixture
def sysctls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for /proc/sys: one file a sysctl."""
    root = tmp_path / "sys"
    root.mkdir()
    for name in machine_state.SYSCTLS:
        (root / name).write_text("0\n")
    monkeypatch.setattr(machine_state, "_sysctl", lambda name: root / name)
    monkeypatch.setattr(machine_state, "MODULES", tmp_path / "modules")
    return root


def test_changed_sysctls_and_made_directory_are_put_back(tmp_path: Path, sysctls: Path) -> None:
    record = tmp_path / "machine.json"
    machine_state.remember(record)
    (sysctls / "kernel.panic").write_text("10\n")
    machine_state.MODULES.mkdir()

    machine_state.put_back(record)

    assert (sysctls / "kernel.panic").read_text().strip() == "0"
    assert not machine_state.MODULES.exists()
    assert not record.exists()


def test_what_a_killed_start_found_outlives_the_next_start(tmp_path: Path, sysctls: Path) -> None:
    record = tmp_path / "machine.json"
    machine_state.remember(record)
    (sysctls / "kernel.panic").write_text("10\n")

    machine_state.remember(record)
    machine_state.put_back(record)

    assert (sysctls / "kernel.panic").read_text().strip() == "0"


def test_directory_that_was_there_stays(tmp_path: Path, sysctls: Path) -> None:  # noqa: ARG001
    machine_state.MODULES.mkdir()
    record = tmp_path / "machine.json"
    machine_state.remember(record)

    machine_state.put_back(record)

    assert machine_state.MODULES.exists()


def test_cgroups_are_removed_with_everything_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_state, "CGROUPS", tmp_path)
    for hierarchy in ("cpu", "memory"):
        (tmp_path / hierarchy / "ours" / "node" / "kubelet").mkdir(parents=True)
        (tmp_path / hierarchy / "another").mkdir()

    remaining = machine_state.remove_cgroups("ours", time.monotonic() + 5)

    assert remaining == []
    assert [path.name for path in sorted(tmp_path.glob("*/*"))] == ["another", "another"]


def test_cgroup_that_stays_is_named_after_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_state, "CGROUPS", tmp_path)
    held = tmp_path / "cpu" / "ours"
    held.mkdir(parents=True)
    (held / "tasks").write_text("1\n")  # like a group with a process: rmdir refuses

    assert machine_state.remove_cgroups("ours", time.monotonic() + 0.3) == [held]
