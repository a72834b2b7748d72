"""Systems that are not Nova, each described by its own nova.yaml, verified as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from nova_acceptance.cluster.home import project
from nova_acceptance.cluster.kind.images import images_of
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.deploy.rendering import kustomize
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.report import Outcome, load
from nova_acceptance.timeouts import ROLLOUT
from testing.integration.conftest import NAME, Acceptance, accept, kubectl

pytestmark = pytest.mark.integration

EXAMPLES = project() / "examples"
BROKER = PodRef("orders-queue", "rabbitmq-0")
FAULTS = {
    "AMQP_PERMISSION_EXCESS": ("set_permissions", "-p", "orders", "orders", ".*", ".*", ".*"),
    "AMQP_QUEUE_MISSING": ("delete_queue", "-p", "orders", "orders"),
}
"""How each is put into the queue of `examples/orders`, by rabbitmqctl."""


@contextmanager
def applied(cluster: Cluster, manifests: Path) -> Iterator[None]:
    """Have manifests on the cluster, ready, and nothing of them when it ends."""
    try:
        kubectl(cluster, "apply", "--server-side", "-k", str(manifests))
        for kind, namespace, name in workloads(manifests):
            kubectl(cluster, "rollout", "status", "-n", namespace, f"{kind}/{name}")
        yield
    finally:
        kubectl(cluster, "delete", "--ignore-not-found", "--wait=false", "-k", str(manifests))


def workloads(manifests: Path) -> Iterator[tuple[str, str, str]]:
    for each in yaml.safe_load_all(kustomize(manifests)):
        if each["kind"] in ("Deployment", "StatefulSet"):
            yield each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]


def verified(cluster: Cluster, example: str, path: str = "", *options: str) -> Acceptance:
    """Run the suite over an example that is on the cluster already."""
    spec = EXAMPLES / example / "nova.yaml"
    environment = {"PYTHONPATH": path} if path else {}
    return accept(cluster, "--no-deploy", f"--spec={spec}", *options, environment=environment)


@pytest.fixture(scope="module", params=["single-postgres", "two-redis", "other-names", "replicas"])
def example(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """An example on the cluster, ready."""
    with applied(cluster, EXAMPLES / request.param / "manifests"):
        yield request.param


def test_example_is_accepted(cluster: Cluster, example: str) -> None:
    run = verified(cluster, example)

    found = load(run.directory)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert found.verdict == "accepted"
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}


def test_draft_of_an_example_is_accepted_at_once(
    cluster: Cluster, example: str, tmp_path: Path
) -> None:
    draft = drafted(cluster, EXAMPLES / example / "manifests", tmp_path)
    run = accept(cluster, "--no-deploy", f"--spec={draft}", "-m", "not disruptive")

    found = load(run.directory)
    assert found.verdict == "accepted", run.done.stdout[-3000:]
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}


def drafted(cluster: Cluster, manifests: Path, directory: Path) -> Path:
    """Return the file that `nova-cluster draft` writes of what these manifests made."""
    namespaces = {namespace for _, namespace, _ in workloads(manifests)}
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("nova-cluster")),
            *("draft", "--context", cluster.context),
            *(f"--namespace={namespace}" for namespace in sorted(namespaces)),
        ],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=ROLLOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    path = directory / "drafted.yaml"
    path.write_text(done.stdout, "utf-8")
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the package of `examples/orders` is installed, beside this environment."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    copytree(EXAMPLES / "orders", source, dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target, source],
        check=True,
        timeout=ROLLOUT,
    )
    return str(target)


@pytest.fixture(scope="module")
def orders(cluster: Cluster, provider: Provider, kube: Kube) -> Iterator[Kube]:
    """The system of `examples/orders` on the cluster, its own image included."""
    provider.load(images_of(EXAMPLES / "orders"), NAME)
    with applied(cluster, EXAMPLES / "orders/manifests"):
        yield kube


@pytest.mark.usefixtures("orders")
def test_component_of_another_package_is_accepted(cluster: Cluster, installed: str) -> None:
    run = verified(cluster, "orders", installed)

    found = load(run.directory)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert found.verdict == "accepted"
    assert any("rabbitmq-lost_message" in test.nodeid for test in found.tests)


@pytest.mark.parametrize("cause", FAULTS)
def test_fault_in_a_component_of_another_package_is_named(
    cluster: Cluster, orders: Kube, installed: str, cause: str
) -> None:
    rabbitmqctl(orders, *FAULTS[cause])
    try:
        run = verified(cluster, "orders", installed)
    finally:
        rabbitmqctl(orders, "import_definitions", "/run/rabbitmq/definitions.json")

    found = load(run.directory)
    assert found.verdict == "rejected"
    assert {test.cause for test in found.tests if test.outcome is not Outcome.PASSED} == {cause}


def rabbitmqctl(kube: Kube, *arguments: str) -> None:
    done = kube.exec(BROKER, ["rabbitmqctl", "-q", *arguments])
    assert done.exit_code == 0, done.stderr
