"""The acceptance suite on a cluster with fewer nodes than members, run as a user would."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster import Cluster
from nova_acceptance.cluster.home import project
from nova_acceptance.kube import Kube
from nova_acceptance.report import Outcome, load

pytestmark = pytest.mark.integration

NAMESPACES = ("nova-redis", "nova-database", "nova-services")
SHORTEST = 8
"""Shorter values of Secrets are words such as `nova`, not passwords."""


def accept(cluster: Cluster, *options: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run the suite in a process of its own; return it and the directory of its reports."""
    argv = [sys.executable, "-m", "pytest", "--cluster", f"context:{cluster.context}", *options]
    done = subprocess.run(
        argv,
        cwd=project(),
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=2 * timeouts.ROLLOUT,
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("report: "), done.stdout[-3000:]
    return done, project() / Path(last.removeprefix("report: ")).parent


@pytest.fixture(scope="module")
def accepted(cluster: Cluster) -> tuple[subprocess.CompletedProcess[str], Path]:
    return accept(cluster, "-m", "not disruptive")


@pytest.fixture(scope="module")
def secrets(kube: Kube, accepted: object) -> set[str]:  # noqa: ARG001
    """Every value of every Secret of Nova that is not a word or an address."""
    plain = {"KAFKA_BROKERS", "CLICKHOUSE_URL", "tls.crt", "ca.crt", "namespace"}
    return {
        base64.b64decode(value).decode()
        for namespace in NAMESPACES
        for secret in kube.list("v1", "Secret", namespace=namespace)
        if secret["type"] != "kubernetes.io/service-account-token"
        for key, value in (secret.get("data") or {}).items()
        if key not in plain
    }


def spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it could appear in a file; of a key, its lines."""
    for part in (secret, *secret.splitlines()):
        if len(part) >= SHORTEST and "PRIVATE KEY" not in part:
            yield part
            yield quote(part, safe="")
            yield base64.b64encode(part.encode()).decode()


def test_nova_is_accepted_without_a_skip_on_two_nodes(
    accepted: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, directory = accepted
    run = load(directory)

    assert done.returncode == 0, done.stdout[-3000:]
    assert run.verdict == "accepted"
    assert {test.outcome for test in run.tests} == {Outcome.PASSED}
    assert run.deployment["overlay"] == "single-node"


def test_no_secret_in_use_is_written_anywhere(
    accepted: tuple[subprocess.CompletedProcess[str], Path], secrets: set[str]
) -> None:
    done, directory = accepted
    assert len(secrets) > len(NAMESPACES), "a password for each part at least"
    written = {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}
    assert written.keys() >= {"run.jsonl", "report.html", "junit.xml"}
    written |= {"standard output": done.stdout, "standard error": done.stderr}

    shown = {
        name
        for name, text in written.items()
        for secret in secrets
        for spelling in spellings(secret)
        if spelling in text
    }

    assert shown == set()


@pytest.mark.usefixtures("secrets")
def test_teardown_removes_nova_and_nothing_else(cluster: Cluster, kube: Kube) -> None:
    before = {item["metadata"]["name"] for item in kube.list("v1", "Namespace")}

    done, _ = accept(cluster, "-m", "cluster", "--teardown")

    assert done.returncode == 0, done.stdout[-3000:]
    after = {item["metadata"]["name"] for item in kube.list("v1", "Namespace")}
    assert before - after == set(NAMESPACES)
