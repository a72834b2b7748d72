"""What the wrapper takes out of an OCI process, and what it leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.cluster.engine import bounded_runc


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Collect what would have become runc."""
    calls: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, argv: calls.append(list(argv)))
    return calls


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this a machine without CAP_SYS_RESOURCE."""
    monkeypatch.setattr(bounded_runc, "given_capabilities", lambda: {"CAP_CHOWN", "CAP_SYS_ADMIN"})


def process() -> dict[str, Any]:
    return {
        "args": ["/sbin/init"],
        "capabilities": {
            "bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"],
            "effective": ["CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"],
        },
        "oomScoreAdj": -1000,
    }


@pytest.mark.usefixtures("lacking")
def test_create_asks_only_for_what_can_be_given(tmp_path: Path, ran: list[list[str]]) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"process": process(), "root": {"path": "rootfs"}}))

    bounded_runc.main(["--log", "x", "create", "--bundle", str(tmp_path), "id"])

    written = json.loads(config.read_text())
    assert written["process"]["capabilities"] == {
        "bounding": ["CAP_CHOWN"],
        "effective": ["CAP_SYS_ADMIN"],
    }
    assert written["process"]["oomScoreAdj"] >= int(Path("/proc/self/oom_score_adj").read_text())
    assert written["root"] == {"path": "rootfs"}
    assert ran == [[bounded_runc.RUNC, "--log", "x", "create", "--bundle", str(tmp_path), "id"]]


@pytest.mark.usefixtures("lacking")
def test_exec_rewrites_its_process_file(tmp_path: Path, ran: list[list[str]]) -> None:
    description = tmp_path / "process.json"
    description.write_text(json.dumps(process()))

    bounded_runc.main(["exec", f"--process={description}", "id"])

    assert json.loads(description.read_text())["capabilities"]["bounding"] == ["CAP_CHOWN"]
    assert len(ran) == 1


def test_machine_that_lacks_nothing_is_given_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = {f"CAP_{name}" for name in bounded_runc.NAMES}
    monkeypatch.setattr(bounded_runc, "given_capabilities", lambda: everything)
    wanted = process()

    bounded_runc.bound(wanted)

    assert wanted == process()


def test_other_commands_pass_through(ran: list[list[str]]) -> None:
    bounded_runc.main(["state", "id"])

    assert ran == [[bounded_runc.RUNC, "state", "id"]]
