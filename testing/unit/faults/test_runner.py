"""The runner with a cluster and a suite that only say what they were told to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.components.registry import load
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress
from testing.faults import health
from testing.faults.fault import Deploy, Expectation, Fault, KustomizePatch, Patch, Step
from testing.faults.ground import Ground, GroundError
from testing.faults.runner import Manner, Runner
from testing.faults.verdict import Collected, Failure, Named, Seen, Verdict
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
        self.scratch = Path()
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


SERVICES = ("user-service", "auth-service")
WRONG = {"spec": {"a": "b"}}
TESTS = tuple(Collected(f"tests/health.py::test_answers[{each}]", (each,)) for each in SERVICES)
OTHER = tuple(Collected(f"tests/roles.py::test_role[{each}]", ("app",)) for each in range(30))


def at(service: str) -> Fault:
    """A fault at a service, called so, and with a cause of its own."""
    change = Patch(kind="Service", namespace="nova-services", name=service, patch=WRONG)
    return Fault(
        name=service,
        family="services",
        title="x",
        breaks=(Step(patch=change),),
        expect=Expectation(
            cause=f"{service[:4].upper()}_WRONG",
            subject=f"nova-services/{service}",
            tests=(f"tests/health.py::*[{service}]",),
        ),
    )


USER, AUTH = map(at, SERVICES)


def seen(*services: str, at_object: str = "") -> Seen:
    """What a run says in which the faults of these services are in."""
    failures = tuple(
        Failure(
            f"tests/health.py::test_answers[{each}]",
            f"{each[:4].upper()}_WRONG",
            at_object or f"Service nova-services/{each}",
        )
        for each in services
    )
    named = tuple(Named(each.cause, each.subject, 1.0) for each in failures)
    return Seen(1, 5, failures, named)


class BatchGround(StubGround):
    """Any Service; which are changed at a moment, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[str] = []

    def patch(self, kind: str, namespace: str, name: str, change: dict[str, Any]) -> None:
        assert (kind, namespace) == ("Service", "nova-services")
        self.patches.append({"name": name, **change})
        if self.refuses(self.patches[-1]):
            raise GroundError("the API said no")
        self.changed = [each for each in self.changed if each != name]
        if change == WRONG:
            self.changed.append(name)


class BatchSuite(StubSuite):
    """Keeps what was changed during each run, and has tests from the first run on."""

    def __init__(self, ground: BatchGround, reports: Path, answers: dict[str, Seen]) -> None:
        super().__init__(reports)
        self.answers = answers
        self.ground = ground
        self.meanwhile: dict[str, list[str]] = {}

    def verify(self, name: str, *selection: str) -> Seen:
        self.ran.append((name, selection))
        self.meanwhile[name] = list(self.ground.changed)
        return replace(self.answers.get(name, GREEN), tests=(*TESTS, *OTHER))

    deploy = verify


def ran(
    tmp_path: Path, answers: dict[str, Seen], manner: Manner | None = None
) -> tuple[list[Verdict], BatchSuite, str]:
    """Run both faults, and return the verdicts, the suite, and what was shown."""
    ground, said = BatchGround(), StringIO()
    suite = BatchSuite(ground, tmp_path, answers)
    runner = Runner(cast(Ground, ground), cast(Suite, suite), Progress(said), manner)
    verdicts = runner.run([USER, AUTH])
    assert ground.changed == []
    return verdicts, suite, said.getvalue()


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "await_health", lambda _, **__: None)


@pytest.mark.usefixtures("calm")
def test_independent_faults_are_in_together_and_judged_each_by_itself(tmp_path: Path) -> None:
    verdicts, suite, said = ran(tmp_path, {"user-service+auth-service": seen(*SERVICES)})

    assert [name for name, _ in suite.ran] == [
        "before",
        "user-service+auth-service",
        "after-services",
        "after",
    ]
    assert suite.meanwhile["user-service+auth-service"] == list(SERVICES)
    assert [(each.fault, each.named, each.beside) for each in verdicts] == [
        ("user-service", "USER_WRONG", ("auth-service",)),
        ("auth-service", "AUTH_WRONG", ("user-service",)),
    ]
    assert all(each.is_right for each in verdicts)
    assert "with auth-service" in said


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("is_right", [True, False])
def test_fault_of_a_batch_that_is_not_right_is_run_again_alone(
    tmp_path: Path, is_right: bool
) -> None:
    answers = {"user-service+auth-service": seen("user-service")}
    if is_right:
        answers["auth-service"] = seen("auth-service")

    verdicts, suite, said = ran(tmp_path, answers)

    assert [name for name, _ in suite.ran][1:3] == ["user-service+auth-service", "auth-service"]
    assert suite.meanwhile["auth-service"] == ["auth-service"]
    assert "user-service" not in suite.meanwhile
    assert [(each.fault, each.is_right) for each in verdicts] == [
        ("user-service", True),
        ("auth-service", is_right),
    ]
    assert [each.beside for each in verdicts] == [("auth-service",), ()]
    assert not verdicts[0].alone_since
    assert "alone, since together with user-service it was not right" in said
    assert "no test like tests/health.py::*[auth-service] failed" in verdicts[1].alone_since


@pytest.mark.usefixtures("calm")
def test_verdict_of_a_fault_alone_counts(tmp_path: Path) -> None:
    answers = {
        "user-service+auth-service": seen(*SERVICES, at_object="Node here"),
        "auth-service": seen("auth-service"),
    }

    verdicts, _, _ = ran(tmp_path, answers)

    assert [each.is_right for each in verdicts] == [False, True]


@pytest.mark.usefixtures("calm")
def test_what_is_none_of_a_batch_has_its_faults_run_alone(tmp_path: Path) -> None:
    strange = Failure("tests/roles.py::test_role[3]", "ROLE_WRONG", "Node here")
    both = seen(*SERVICES)
    answers = {
        "user-service+auth-service": replace(both, failures=(*both.failures, strange)),
        **{each: seen(each) for each in SERVICES},
    }

    verdicts, suite, _ = ran(tmp_path, answers)

    assert [name for name, _ in suite.ran][2:4] == list(SERVICES)
    assert all(each.is_right for each in verdicts)
    assert "tests/roles.py::test_role[3]: ROLE_WRONG" in verdicts[0].alone_since


@pytest.mark.usefixtures("calm")
def test_batch_of_which_one_cannot_be_put_in_is_taken_out_and_run_alone(tmp_path: Path) -> None:
    ground = BatchGround()
    refused = [{"name": "auth-service", **WRONG}]

    def refuses(change: dict[str, Any]) -> bool:
        return change in refused and bool(refused.pop())  # the first time only

    ground.refuses = refuses
    suite = BatchSuite(ground, tmp_path, {each: seen(each) for each in SERVICES})
    runner = Runner(cast(Ground, ground), cast(Suite, suite), Progress(StringIO()))

    verdicts = runner.run([USER, AUTH])

    assert "user-service+auth-service" not in suite.meanwhile
    assert [suite.meanwhile[name] for name in SERVICES] == [["user-service"], ["auth-service"]]
    assert "could not be put in: the API said no" in verdicts[0].alone_since
    assert all(each.is_right for each in verdicts)


@pytest.mark.usefixtures("calm")
def test_one_by_one_puts_each_in_alone(tmp_path: Path) -> None:
    answers = {each: seen(each) for each in SERVICES}

    verdicts, suite, _ = ran(tmp_path, answers, Manner(one_by_one=True))

    assert [name for name, _ in suite.ran] == ["before", *SERVICES, "after-services", "after"]
    assert all(each.is_right and not each.alone_since for each in verdicts)


@pytest.mark.usefixtures("calm")
def test_tests_concerned_and_a_sample_verify_a_fault_and_all_on_demand(tmp_path: Path) -> None:
    name, answers = "user-service+auth-service", {"user-service+auth-service": seen(*SERVICES)}

    _, suite, _ = ran(tmp_path, answers, Manner(seed=5))
    chosen = dict(suite.ran)[name]
    assert {each.nodeid for each in TESTS} <= set(chosen)
    assert len(chosen) == len(TESTS) + 3

    _, suite, _ = ran(tmp_path, answers, Manner(seed=5))
    assert dict(suite.ran)[name] == chosen

    _, suite, _ = ran(tmp_path, answers, Manner(every=True))
    assert dict(suite.ran)[name] == ()


@pytest.mark.usefixtures("calm")
def test_seconds_of_each_phase_are_said_and_written(tmp_path: Path) -> None:
    verdicts, _, said = ran(tmp_path, {"user-service+auth-service": seen(*SERVICES)})

    phases = ["in", "shown", "verified", "out", "healthy"]
    assert [list(each.phases) for each in verdicts] == [phases, phases]
    assert "(in 0.0 s, shown 0.0 s, verified 0.0 s, out 0.0 s, healthy 0.0 s; with" in said
    written = json.loads((tmp_path / "faults.json").read_text())
    assert list(written["seconds"]) == [*phases, "green"]
    assert list(written["faults"][0]["phases"]) == phases


class DeployedSuite(BatchSuite):
    """Keeps which text each run had to deploy."""

    overlay = "multi-node"

    def __init__(self, ground: BatchGround, reports: Path, answers: dict[str, Seen]) -> None:
        super().__init__(ground, reports, answers)
        self.deployed: dict[str, str] = {}

    def deploy(self, name: str, *selection: str, tree: Path | None = None) -> Seen:
        own = (tree or project()) / "manifests" / "overlays"
        changed = own / "as-it-should-not-be" / "kustomization.yaml"
        self.deployed[name] = changed.read_text() if tree else ""
        return self.verify(name, *selection)


def deployed(service: str) -> Fault:
    target = {"kind": "Deployment", "name": service}
    patch = KustomizePatch(target=target, patch=f"change of {service}")
    return at(service).model_copy(update={"breaks": (), "deploy": Deploy(patches=(patch,))})


@pytest.mark.usefixtures("calm")
def test_faults_that_are_deployed_together_take_one_deployment_and_one_to_mend(
    tmp_path: Path,
) -> None:
    ground = BatchGround()
    ground.scratch = tmp_path
    both = "user-service+auth-service"
    suite = DeployedSuite(ground, tmp_path, {both: seen(*SERVICES)})
    runner = Runner(cast(Ground, ground), cast(Suite, suite), Progress(StringIO()))

    verdicts = runner.run(map(deployed, SERVICES))

    assert [name for name, _ in suite.ran] == [
        "before",
        both,
        f"{both}-mended",
        "after-services",
        "after",
    ]
    assert all(f"change of {each}" in suite.deployed[both] for each in SERVICES)
    assert suite.deployed[f"{both}-mended"] == ""
    assert (
        {each.nodeid for each in TESTS}
        <= set(dict(suite.ran)[both])
        < {each.nodeid for each in (*TESTS, *OTHER)}
    )
    assert all(each.is_right and each.beside for each in verdicts)


@pytest.mark.usefixtures("calm")
def test_fault_deployed_with_another_that_is_not_right_is_deployed_alone(tmp_path: Path) -> None:
    ground = BatchGround()
    ground.scratch = tmp_path
    answers = {
        "user-service+auth-service": seen("user-service"),
        **{each: seen(each) for each in SERVICES},
    }
    suite = DeployedSuite(ground, tmp_path, answers)
    runner = Runner(cast(Ground, ground), cast(Suite, suite), Progress(StringIO()))

    verdicts = runner.run(map(deployed, SERVICES))

    assert "change of auth-service" in suite.deployed["auth-service"]
    assert "change of user-service" not in suite.deployed["auth-service"]
    assert suite.deployed["auth-service-mended"] == ""
    assert all(each.is_right for each in verdicts)
    assert [bool(each.alone_since) for each in verdicts] == [False, True]
