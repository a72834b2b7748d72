"""A kind cluster of the tests' own, beside whatever else runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster, Request
from nova_acceptance.kube import Kube
from nova_acceptance.progress import Progress

NAME = "nova-testing"
NODES = 2


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
    return provider.up(request_for_tests, "the integration tests need one")


@pytest.fixture(scope="session")
def kube(cluster: Cluster) -> Kube:
    return Kube(cluster.kubeconfig, cluster.context)


def nova_cluster(*arguments: str) -> subprocess.Popen[str]:
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
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
