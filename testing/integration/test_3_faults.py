"""A few faults of the catalogue, each of another family, on a cluster of two nodes.

`make faults` runs all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nova_acceptance.cluster import Cluster
from nova_acceptance.cluster.home import project
from testing.faults.verification import RUN
from testing.integration.conftest import NAME

pytestmark = pytest.mark.integration

CHOSEN = (
    "class-missing",
    "selects-nothing",
    "host-stale",
    "certificate-expired",
    "persistence-off",
    "rights-of-everybody",
    "port-closed",
)


@pytest.mark.usefixtures("cluster")
def test_faults_are_caught_named_and_taken_out(cluster: Cluster) -> None:
    assert cluster.context.endswith(NAME)
    done = subprocess.run(
        [sys.executable, "-m", "testing.faults", "--cluster", NAME, *CHOSEN],
        cwd=project(),
        capture_output=True,
        text=True,
        timeout=2 * RUN,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    directory = Path(done.stdout.strip().splitlines()[-1].removeprefix("records: "))
    table = json.loads((directory / "faults.json").read_text())
    assert table["right"] == table["all"] == len(CHOSEN)
    assert table["false_alarms"] == 0
