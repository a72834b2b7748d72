"""The fixtures `recorder` and `evidence`, and how what they gather gets onto test reports."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from nova_acceptance import masking
from nova_acceptance.report import EvidenceLog, Recorder
from nova_acceptance.turns import log_of

ATTRIBUTE: Final = "nova"
"""The attribute of a test report that carries our own: JSON-like, so that xdist can send it."""

RECORDER: Final = pytest.StashKey[Recorder]()
"""Where the configuration keeps the recorder of this process."""

DIRECTORY: Final = pytest.StashKey[Path]()
"""The run's own directory; in a worker of pytest-xdist the controller's."""


@pytest.fixture(scope="session")
def recorder(pytestconfig: pytest.Config) -> Recorder:
    """Takes facts about the run: the cluster, the deployment, snapshots, notes."""
    return pytestconfig.stash[RECORDER]


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> EvidenceLog:
    """Keeps what the test asked and what came back: `evidence.add(…)`."""
    return log_of(request.node)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the evidence that came since the last phase."""
    report = yield
    entries = [entry.as_json() for entry in log_of(item).drain()]
    extra(report)["evidence"] = masking.masked(entries)
    return report


def extra(report: pytest.TestReport) -> dict[str, Any]:
    """Return what travels on a report for us; empty on a report of somebody else's making."""
    found: dict[str, Any] | None = getattr(report, ATTRIBUTE, None)
    if found is None:
        found = {}
        setattr(report, ATTRIBUTE, found)
    return found
