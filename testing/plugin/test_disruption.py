"""Disruptive tests run on local clusters and where they are allowed; else none touches anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nova_acceptance.plugin.exits import ExitStatus

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

TOUCHING = """
import pytest
from nova_acceptance.cluster import Cluster
from nova_acceptance.phrase import Phrase

@pytest.fixture(scope="session")
def cluster():
    return Cluster("c", "context", None, "staging", Phrase(), "", is_local={is_local})

@pytest.fixture(scope="session")
def deed(cluster):
    open("touched", "w").close()

@pytest.fixture(autouse=True)
def first(): pass

@pytest.mark.disruptive
def test_one(deed): pass

@pytest.mark.disruptive
def test_other(deed): pass

@pytest.mark.disruptive
def test_apart(): pass
"""


@pytest.mark.parametrize(
    ("is_local", "options", "runs"),
    [(True, (), True), (False, ("--allow-disruptive",), True), (False, (), False)],
)
def test_disruption_is_permitted_before_anything_is_touched(
    suite: Suite, options: tuple[str, ...], *, is_local: bool, runs: bool
) -> None:
    suite.write("tests/infrastructure/test_a.py", TOUCHING.format(is_local=is_local))
    result = suite.run(*options)

    outcomes = suite.outcomes()
    assert outcomes.pop("test_apart") == "passed"
    assert set(outcomes.values()) == {"passed" if runs else "not asked"}
    assert (suite.path / "touched").exists() is runs
    assert result.ret == (pytest.ExitCode.OK if runs else ExitStatus.NOT_ASKED)
    reasons = [str(each.values["text"]) for each in suite.model.problems]
    assert [each.startswith("staging is no local cluster") for each in reasons] == (
        [] if runs else [True]
    )
