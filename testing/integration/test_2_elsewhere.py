"""A run against a cluster that is there, as macOS would have it: with nothing of Linux alone."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from nova_acceptance.cluster.model import Cluster
from nova_acceptance.report import Outcome, Verdict, load
from testing.integration.conftest import Accepted, accept


def test_nova_is_verified_through_docker_desktops_context(
    cluster: Cluster,
    accepted: Accepted,  # noqa: ARG001 - Nova is there
    tmp_path: Path,
) -> None:
    assert cluster.kubeconfig
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["contexts"][0]["name"] = document["current-context"] = "docker-desktop"
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(yaml.safe_dump(document))
    variables = {
        "KUBECONFIG": str(kubeconfig),
        "NOVA_ACCEPTANCE_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join((".", os.environ.get("PYTHONPATH", ""))),
    }

    run = accept(
        cluster, "-p", "testing.elsewhere", "--cluster", "docker-desktop", "--no-deploy",
        "-m", "not disruptive", environment=variables,
    )  # fmt: skip

    found = load(run.directory)
    assert found.verdict is Verdict.ACCEPTED, run.done.stdout[-3000:]
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}
    assert found.cluster["name"] == "docker-desktop"
