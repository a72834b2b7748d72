"""Everything that is missing is named in one pass, each with its cure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nova_acceptance.cluster import doctor
from nova_acceptance.cluster.home import Home
from nova_acceptance.errors import MachineError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_several_problems_are_named_at_once_with_their_cures(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(doctor, "DISK_TO_BUILD", 1e9)
    monkeypatch.setattr(doctor, "PROGRAMS", {"no-such-program": "no-such-package"})

    with pytest.raises(MachineError) as lacking:
        doctor.require(home)

    text = str(lacking.value)
    assert "not root" in text
    assert "apt-get install no-such-package" in text
    assert "GiB free at" in text
    assert "$NOVA_ACCEPTANCE_HOME" in text


def test_path_too_long_for_a_socket_is_found(tmp_path: Path) -> None:
    long = Home(tmp_path / ("x" * 100))

    problems = [finding.problem for finding in doctor.examine(long)]

    assert any("the engine's sockets" in problem for problem in problems)


def test_missing_capabilities_are_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CAPABILITIES", {"CAP_OF_TOMORROW": 62})
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    problems = [finding.problem for finding in doctor.examine(home)]

    assert "capabilities missing: CAP_OF_TOMORROW" in problems


def test_missing_controller_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONTROLLERS", ("memory", "perfection"))

    problems = [finding.problem for finding in doctor.examine(home)]

    assert "no control group for: perfection" in problems


def test_warning_does_not_stop_a_start(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    warning = doctor.Finding("few inotify instances", "sysctl", is_fatal=False)
    monkeypatch.setattr(doctor, "examine", lambda _: [warning])

    doctor.require(home)
