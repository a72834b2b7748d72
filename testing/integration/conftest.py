"""A kind cluster of the tests' own, beside whatever else runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import Home, project
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster, Request
from nova_acceptance.kube import Kube, Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

NAME = "nova-testing"
NODES = 2
NAMESPACES = ("nova-redis", "nova-database", "nova-services")


@dataclass(frozen=True)
class Acceptance:
    """A run of the suite as a user would start it.

    Attributes:
        done: its process, which has ended.
        directory: that of its reports.
    """

    done: subprocess.CompletedProcess[str]
    directory: Path


@dataclass(frozen=True)
class Accepted(Acceptance):
    """A run and the cluster right after it, as the API told it: objects by kind."""

    objects: dict[str, list[Object]]


@dataclass(frozen=True)
class Removal(Acceptance):
    """A run that took Nova away, and the namespaces that were there before it and not after."""

    namespaces: set[str]


@pytest.fixture(scope="session")
def progress() -> Progress:
    return Progress(sys.__stderr__)


@pytest.fixture(scope="session")
def provider(progress: Progress) -> Iterator[Provider]:
    """Kind as this machine has it; whatever the tests bring up is gone when they end."""
    found = Provider(Home.of_user(), progress)
    yield found
    found.down(NAME)


@pytest.fixture(scope="session")
def request_for_tests() -> Request:
    return Request("kind", nodes=NODES, name=NAME)


@pytest.fixture(scope="session")
def cluster(provider: Provider, request_for_tests: Request) -> Cluster:
    return provider.up(request_for_tests, Phrase("the integration tests need one"))


@pytest.fixture(scope="session")
def kube(cluster: Cluster) -> Kube:
    return Kube(cluster.kubeconfig, cluster.context)


@pytest.fixture(scope="session")
def accepted(cluster: Cluster, kube: Kube) -> Accepted:
    """Nova deployed onto the cluster and verified, but for the tests that kill pods."""
    run = accept(cluster, "-m", "not disruptive")
    objects = {"Node": kube.list("v1", "Node")}
    for version, kind in (
        *(("v1", kind) for kind in ("Pod", "Service", "Endpoints", "ConfigMap", "Secret")),
        ("v1", "PersistentVolumeClaim"),
        *(("apps/v1", kind) for kind in ("Deployment", "StatefulSet")),
    ):
        objects[kind] = [
            item
            for namespace in NAMESPACES
            for item in kube.list(version, kind, namespace=namespace)
        ]
    return Accepted(run.done, run.directory, objects)


@pytest.fixture(scope="session")
def removal(cluster: Cluster, kube: Kube, accepted: Accepted) -> Removal:  # noqa: ARG001
    """Nova taken off the cluster at the end of a run, after the one that accepted it."""
    before = {item["metadata"]["name"] for item in kube.list("v1", "Namespace")}
    run = accept(cluster, "-m", "cluster", "--teardown")
    after = {item["metadata"]["name"] for item in kube.list("v1", "Namespace")}
    return Removal(run.done, run.directory, before - after)


def accept(
    cluster: Cluster, *options: str, environment: Mapping[str, str] | None = None
) -> Acceptance:
    """Run the suite in a process of its own, with more in its environment if wanted."""
    with accepting(cluster, *options, environment=environment) as process:
        output, errors = process.communicate(timeout=2 * timeouts.ROLLOUT)
    last = output.strip().splitlines()[-1]
    assert last.startswith("report: "), output[-3000:]
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    return Acceptance(done, project() / Path(last.removeprefix("report: ")).parent)


@contextmanager
def accepting(
    cluster: Cluster, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start the suite, and end it where it is still there at the end."""
    # a shell's background jobs ignore Ctrl-C, and so would all that they start
    argv = ["env", "--default-signal=INT", sys.executable, "-m", "pytest"]
    process = subprocess.Popen(
        [*argv, "--cluster", f"context:{cluster.context}", *options],
        cwd=project(),
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def nova_cluster(*arguments: str, kubeconfig: Path | None = None) -> subprocess.Popen[str]:
    """Start the command line as a user would, in a process of its own.

    It hears Ctrl-C even where these tests do not: a shell's background jobs ignore it, and so
    would everything that they start.
    """
    program = Path(sys.executable).with_name("nova-cluster")
    return subprocess.Popen(
        ["env", "--default-signal=INT", str(program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            **({"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}),
        },
    )


def kubectl(cluster: Cluster, *arguments: str) -> str:
    """Run kubectl on the cluster, and return what it wrote."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("kubectl")), *arguments],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=timeouts.ROLLOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
