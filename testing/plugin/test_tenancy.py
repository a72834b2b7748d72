"""A pytest is one run in all of its processes, and ends when it has lost its hold on the system."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nova_acceptance.plugin.exits import ExitStatus

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

HOLDING = """
import json, pathlib
import pytest
from nova_acceptance import tenancy
from nova_acceptance.cluster.lease import Leases
from nova_acceptance.cluster.tenure import Tenure
from nova_acceptance.progress import Progress
from testing.unit.cluster.lease_api import LeaseApi

API = LeaseApi("nova-redis")

def given_up(_config, where, run):
    with open("given-up", "a") as file:
        file.write(f"{run}\\n")
    if pathlib.Path("away").exists():
        API.is_away = True
    tenancy.release(Leases(API, where["namespace"]), run)

patch = pytest.MonkeyPatch()
patch.setattr(tenancy, "_release", given_up)

def pytest_unconfigure():
    patch.undo()

@pytest.fixture(scope="session")
def tenure(pytestconfig, run):
    run.note({"namespace": "nova-redis", "kubeconfig": None, "context": None})
    found = Tenure(Leases(API, "nova-redis"), run)
    found.take("verifying", Progress())
    pytestconfig.stash[tenancy._TENURE] = found
    with open("runs", "a") as file:
        file.write(f"{run.id}\\n")
    yield found
    assert API.leases or found.is_lost
    pathlib.Path("torn-down").touch()
"""


@pytest.fixture
def holding(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.setenv("NOVA_ACCEPTANCE_HOME", str(suite.path / "home"))
    root = str(Path(__file__).parents[2])
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (root, before))))
    suite.write("conftest.py", HOLDING)
    return suite


def lines(suite: Suite, name: str) -> list[str]:
    return (suite.path / name).read_text().splitlines()


def test_hold_is_given_up_after_the_teardown_of_fixtures(holding: Suite) -> None:
    holding.write("tests/services/test_a.py", "def test_first(tenure): assert tenure.is_held")

    result = holding.run()

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    assert (holding.path / "torn-down").exists()
    assert lines(holding, "given-up") == lines(holding, "runs")
    assert list((holding.path / "home" / "runs").iterdir()) == []


def test_run_that_lost_its_hold_begins_no_other_test(holding: Suite) -> None:
    holding.write(
        "tests/services/test_a.py",
        """
import pathlib, pytest
def test_first(tenure): tenure._leases._kube.leases.clear()
@pytest.mark.disruptive
def test_second(): pathlib.Path("disrupted").touch()
@pytest.mark.disruptive
def test_third(): pathlib.Path("disrupted").touch()
""",
    )

    result = holding.run()

    assert not (holding.path / "disrupted").exists()
    assert result.ret == ExitStatus.REFUSED
    lost = dict.fromkeys(("test_second", "test_third"), "not asked")
    assert holding.outcomes() == {"test_first": "passed", **lost}
    said = result.stdout.str()
    assert "this run holds the system no more: Lease nova-redis/nova-acceptance was deleted" in said


def test_hold_that_cannot_be_given_up_fails_the_run(holding: Suite) -> None:
    holding.write(
        "tests/services/test_a.py",
        "import pathlib\ndef test_first(tenure): pathlib.Path('away').touch()",
    )

    result = holding.run()

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    record = json.dumps(holding.record)
    assert "could not be given up" in record
    assert "nova-cluster clean" in record
    # its file stays, by which the run is known to be over
    assert [path.name for path in (holding.path / "home" / "runs").iterdir()] == lines(
        holding, "runs"
    )


def test_workers_are_of_one_run_which_the_controller_ends(holding: Suite) -> None:
    pytest.importorskip("xdist")
    for name in ("a", "b"):
        holding.write(f"tests/services/test_{name}.py", "def test_it(tenure): pass")

    result = holding.run("-n", "2", isolated=True)

    assert result.ret == pytest.ExitCode.OK
    assert len(lines(holding, "runs")) == 2
    assert len(set(lines(holding, "runs"))) == 1
    assert lines(holding, "given-up") == lines(holding, "runs")[:1]
    assert list((holding.path / "home" / "runs").iterdir()) == []


def test_teardown_that_fails_after_the_hold_is_lost_is_an_error_of_the_last_test(
    holding: Suite,
) -> None:
    holding.write(
        "tests/services/test_a.py",
        """
import pytest
@pytest.fixture(scope="session")
def leaving():
    yield
    raise RuntimeError("the removal failed")
def test_first(tenure, leaving): tenure._leases._kube.leases.clear()
@pytest.mark.disruptive
def test_second(): pass
@pytest.mark.disruptive
def test_third(): pass
""",
    )

    result = holding.run()

    assert result.ret == ExitStatus.REFUSED
    assert holding.outcomes() == {
        "test_first": "passed",
        "test_second": "not asked",
        "test_third": "error",
    }
    assert "the removal failed" in result.stdout.str()
