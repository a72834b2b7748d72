"""The runner with a cluster and a suite that only say what they were told to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress
from testing.faults import health
from testing.faults.fault import Expectation, Fault, Patch, Step
from testing.faults.ground import Ground, GroundError
from testing.faults.runner import Runner
from testing.faults.verdict import Failure, Named, Seen
from testing.faults.verification import Suite

GREEN = Seen(0, passed=9)
RED = Seen(
    1,
    passed=8,
    failures=(Failure("tests/a.py::one", "SELECTOR_WRONG", "Service here/front"),),
    named=(Named("SELECTOR_WRONG", "Service here/front", 1.0),),
)
FAULT = Fault(
    name="one",
    family="services",
    title="x",
    breaks=(
        Step(
            patch=Patch(kind="Service", namespace="here", name="front", patch={"spec": {"a": "b"}})
        ),
    ),
    expect=Expectation(cause="SELECTOR_WRONG", tests=("tests/a.py::*",)),
)


class StubKube:
    def list(self, *_: object, **__: object) -> list[Object]:
        return []


class StubGround:
    """One Service; every patch is kept, and `refuses` makes one fail."""

    def __init__(self) -> None:
        self.kube = StubKube()
        self.system = load(project() / "nova.yaml")
        self.patches: list[dict[str, Any]] = []
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _: False

    def get(self, *_: object) -> Object:
        return {"kind": "Service", "spec": {"a": "right"}}

    def patch(self, kind: str, namespace: str, name: str, change: dict[str, Any]) -> None:
        assert (kind, namespace, name) == ("Service", "here", "front")
        self.patches.append(change)
        if self.refuses(change):
            raise GroundError("the API said no")


class StubSuite:
    """Answers by the names of runs; what has no answer is green."""

    def __init__(self, reports: Path, **answers: Seen) -> None:
        self.reports = reports
        self.answers = answers
        self.ran: list[tuple[str, tuple[str, ...]]] = []

    def verify(self, name: str, *selection: str) -> Seen:
        self.ran.append((name, selection))
        return self.answers.get(name.replace("-", "_"), GREEN)

    deploy = verify


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> StubGround:
    monkeypatch.setattr(health, "await_health", lambda _, **__: None)
    return StubGround()


def runner(ground: StubGround, suite: StubSuite) -> Runner:
    return Runner(cast(Ground, ground), cast(Suite, suite), Progress(StringIO()))


def test_fault_is_put_in_verified_taken_out_and_seen_green(
    ground: StubGround, tmp_path: Path
) -> None:
    suite = StubSuite(tmp_path, one=RED)

    [verdict] = runner(ground, suite).run([FAULT])

    assert verdict.is_right
    assert ground.patches == [{"spec": {"a": "b"}}, {"spec": {"a": "right"}}]
    assert suite.ran == [
        ("before", ()),
        ("one", ()),
        ("after-services", ("tests/a.py::one",)),
        ("after", ()),
    ]
    assert json.loads((tmp_path / "faults.json").read_text())["right"] == 1


def test_what_is_half_put_in_is_taken_out(ground: StubGround, tmp_path: Path) -> None:
    ground.refuses = lambda change: change == {"spec": {"a": "b"}}

    [verdict] = runner(ground, StubSuite(tmp_path)).run([FAULT])

    assert verdict.problems == ("could not be put in: the API said no",)
    assert ground.patches[-1] == {"spec": {"a": "right"}}


def test_fault_that_cannot_be_taken_out_ends_the_run(ground: StubGround, tmp_path: Path) -> None:
    ground.refuses = lambda change: change == {"spec": {"a": "right"}}
    suite = StubSuite(tmp_path, one=RED)

    with pytest.raises(GroundError, match="one could not be taken out again"):
        runner(ground, suite).run([FAULT, FAULT])

    assert [name for name, _ in suite.ran] == ["before", "one"]


def test_test_that_still_fails_ends_the_run(ground: StubGround, tmp_path: Path) -> None:
    with pytest.raises(GroundError, match=r"not green .after-services.: 1 tests failed") as ended:
        runner(ground, StubSuite(tmp_path, one=RED, after_services=RED)).run([FAULT])

    assert "tests/a.py::one" in ended.value.evidence[0]


def test_nothing_is_put_in_where_nova_is_not_green(ground: StubGround, tmp_path: Path) -> None:
    with pytest.raises(GroundError, match=r"not green .before.: 1 tests failed"):
        runner(ground, StubSuite(tmp_path, before=RED)).run([FAULT])

    assert ground.patches == []


def test_interrupted_run_takes_its_fault_out(ground: StubGround, tmp_path: Path) -> None:
    class Interrupted(StubSuite):
        def verify(self, name: str, *selection: str) -> Seen:
            if name == "one":
                raise KeyboardInterrupt
            return super().verify(name, *selection)

    with pytest.raises(KeyboardInterrupt):
        runner(ground, Interrupted(tmp_path)).run([FAULT])

    assert ground.patches[-1] == {"spec": {"a": "right"}}
