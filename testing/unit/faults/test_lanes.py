"""Faults on several clusters side by side, each batch on one of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_acceptance.errors import ClusterError
from testing.faults.fault import Expectation, Fault, Patch, Step
from testing.faults.ground import GroundError
from testing.faults.lanes import Lane, Turns, side_by_side
from testing.faults.phases import Phases
from testing.faults.runner import Manner
from testing.faults.verdict import Verdict


def fault(name: str) -> Fault:
    patch = Patch(kind="Service", namespace="here", name=name, patch={"spec": {}})
    expected = Expectation(cause="SOME_CAUSE", tests=("tests/*",))
    return Fault(
        name=name, family="services", title=name, breaks=(Step(patch=patch),), expect=expected
    )


FAULTS = [fault(f"fault-{number}") for number in range(6)]


@dataclass(frozen=True, slots=True)
class Quick(Lane):
    """Runs nothing: every fault whose turn it is was right."""

    def run(self, turns: Iterator[int]) -> tuple[list[Verdict], Phases]:
        done: list[Verdict] = []
        phases = Phases()
        for number in turns:
            if number >= len(self.faults):
                return done, phases
            done.append(Verdict(self.faults[number].name, "services", problems=(self.cluster,)))
            phases.add({"verified": 1.0})
            time.sleep(0.05)
        raise AssertionError("there is always a next turn")


class Failing(Quick):
    def run(self, turns: Iterator[int]) -> tuple[list[Verdict], Phases]:
        next(turns)
        raise ClusterError("it does not start", evidence=["no room"], hint="make some")


class Dying(Quick):
    def run(self, turns: Iterator[int]) -> tuple[list[Verdict], Phases]:
        next(turns)
        os._exit(7)


class Forgetful(Quick):
    def run(self, turns: Iterator[int]) -> tuple[list[Verdict], Phases]:
        next(turns)
        return Quick.run(self, turns)


def lanes(kind: type[Lane], path: Path, faults: Sequence[Fault] = FAULTS) -> list[Lane]:
    return [
        each(name, faults, Manner(), path / name) for each, name in ((Quick, "one"), (kind, "two"))
    ]


def test_every_batch_is_run_on_one_cluster(tmp_path: Path) -> None:
    verdicts, phases = side_by_side(lanes(Quick, tmp_path))

    assert sorted(each.fault for each in verdicts) == [each.name for each in FAULTS]
    assert phases.seconds == {"verified": 6.0}
    assert (tmp_path / "two").is_dir()


def test_cluster_on_which_it_cannot_go_on_is_named(tmp_path: Path) -> None:
    with pytest.raises(GroundError, match="on two: it does not start") as ended:
        side_by_side(lanes(Failing, tmp_path))

    assert ended.value.evidence == ("no room", "→ make some")


def test_process_that_dies_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(GroundError, match="on two: the process ended with status 7"):
        side_by_side(lanes(Dying, tmp_path))


def test_fault_that_nobody_has_run_is_missed(tmp_path: Path) -> None:
    with pytest.raises(GroundError, match="not every fault was run once") as ended:
        side_by_side(lanes(Forgetful, tmp_path)[1:])  # alone: another may take all turns before

    assert len(ended.value.evidence) == 1


def test_turns_go_on_from_each_other() -> None:
    turns = Turns()

    assert [next(turns), next(turns), next(iter(turns))] == [0, 1, 2]
