"""Work side by side: what comes after what, and that nothing goes on once one has failed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nova_acceptance.cluster import command, side_by_side
from nova_acceptance.errors import ClusterError
from testing.unit.waiting import wait_until


def test_what_needs_another_comes_after_it_and_the_rest_beside() -> None:
    done: list[str] = []
    together = threading.Barrier(2, timeout=30)

    def met(name: str) -> None:
        together.wait()
        done.append(name)

    side_by_side.do(
        {
            "top": lambda: done.append("top"),
            "base": lambda: met("base"),
            "apart": lambda: met("apart"),
        },
        {"top": ["base", "something that is there already"]},
    )

    assert done.index("base") < done.index("top")
    assert sorted(done) == ["apart", "base", "top"]


def test_no_work_is_done_at_once() -> None:
    side_by_side.do({})


@pytest.mark.parametrize("error", [ClusterError("no such package"), KeyboardInterrupt()])
def test_where_one_ends_early_the_programs_of_the_others_end(
    tmp_path: Path, error: BaseException
) -> None:
    mark, log = tmp_path / "mark", tmp_path / "log"
    begun: list[str] = []

    def runs() -> None:
        command.run(["sh", "-c", f"touch {mark}; exec sleep 600"], log=log, timeout=600)

    def fails() -> None:
        wait_until(mark.exists)
        raise error

    with pytest.raises(type(error)) as raised:
        side_by_side.do(
            {"runs": runs, "fails": fails, "next": lambda: begun.append("next")},
            {"next": ["runs"]},
        )

    assert raised.value is error
    assert begun == []


def test_program_that_begins_after_the_end_is_ended(tmp_path: Path) -> None:
    programs = command.Programs()
    programs.end()

    with pytest.raises(ClusterError, match="failed with status -15"):
        programs.of(lambda: command.run(["sleep", "600"], log=tmp_path / "log", timeout=600))
