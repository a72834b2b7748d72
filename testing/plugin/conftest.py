"""An acceptance suite in miniature, run by pytest inside pytest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# Kept loaded here, or every pytest inside pytest would import all of it anew.
import nova_acceptance.plugin.acceptance
import nova_acceptance.plugin.diagnosing  # noqa: F401
from nova_acceptance.report import Run, load

SPEC = Path(__file__).parents[2] / "nova.yaml"
INI = """
[pytest]
nova_reports = reports
testpaths = tests
addopts = --strict-markers --import-mode=importlib -p no:cacheprovider
"""
TELLING = """
import pytest
from nova_acceptance.evidence import Evidence
from nova_acceptance.phrase import Phrase

@pytest.fixture(scope="session")
def system(recorder):
    recorder.tell("cluster", name="nova", provider="kind", reason="", version="", nodes=[],
                  reuse_hint="say it again", remove_hint="drop it")
    recorder.tell("deployment", overlay="multi-node", seconds=12.5, counts={}, timeline=[])
    recorder.tell(
        "snapshot",
        rows=[dict(layer="services", component="user-service", kind="Deployment",
                   namespace="nova-services", wanted=1, ready=1)],
        counts={"pods": 12},
        external=[{"name": "Kafka"}],
        nodes=[], pods=[], services=[], limits=[], needs={},
    )
    recorder.tell("note", text=Phrase("a note"))
    yield
    recorder.tell("note", text=Phrase("a note of the teardown"))
"""


class Suite:
    """A directory with the ini option, a nova.yaml and tests by layer.

    Plays no part in what is verified of Nova: its tests stand for any.
    """

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.write("pytest.ini", INI)
        self.write("nova.yaml", SPEC.read_text(encoding="utf-8"))

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments: str, isolated: bool = False) -> pytest.RunResult:
        """Run the suite; `isolated` in a process of its own, as xdist and crashes need it."""
        if isolated:
            return self.pytester.runpytest_subprocess(*arguments)
        return self.pytester.runpytest_inprocess(*arguments)

    @property
    def latest(self) -> Path:
        return self.path / "reports" / "latest"

    @property
    def record(self) -> list[dict[str, Any]]:
        lines = (self.latest / "run.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def model(self) -> Run:
        return load(self.latest)

    def outcomes(self) -> dict[str, str]:
        """Outcomes by the test's name."""
        return {test.nodeid.split("::")[-1]: str(test.outcome) for test in self.model.tests}

    def page(self) -> str:
        return (self.latest / "report.html").read_text(encoding="utf-8")

    def junit(self) -> str:
        return (self.latest / "junit.xml").read_text(encoding="utf-8")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester)


@pytest.fixture
def telling(suite: Suite) -> Suite:
    suite.write("conftest.py", TELLING)
    return suite
