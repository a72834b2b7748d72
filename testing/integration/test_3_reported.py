"""The Nova of the report, on stock images: mended it is accepted, as reported it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest

from nova_acceptance.cluster.kind.images import images_of
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.deploy import load_credentials
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.report import Outcome, load
from testing.integration.conftest import NAME
from testing.integration.test_3_examples import EXAMPLES, kubectl, verified, workloads

pytestmark = pytest.mark.integration

EXAMPLE = "nova-as-reported"
NAMESPACES = ("reported-redis", "reported-database", "reported-services")
NOTHING_RUNS_IN_IT = "search-service"
"""The container of one static program, without a shell."""
FAULTS = {
    ("REPLICAS_WRONG", "StatefulSet reported-database/postgres"),
    ("ANTI_AFFINITY_UNSATISFIABLE", "Pod reported-database/postgres"),
    ("ANTI_AFFINITY_UNSATISFIABLE", "Pod reported-database/etcd"),
    ("SELECTOR_MATCHES_NOTHING", "Service reported-database/postgres-replicas"),
    ("STALE_ENDPOINT_URL", "Secret reported-services/search-service-secret"),
    ("STALE_ENDPOINT_URL", "Secret reported-services/streaming-api-secret"),
    ("URL_PASSWORD_WRONG", "Secret reported-services/search-service-secret"),
    ("URL_PASSWORD_WRONG", "Secret reported-services/streaming-api-secret"),
}
"""What is wrong as reported, and at which object: of a member the number is left out."""


@pytest.fixture(scope="module")
def manifests(
    cluster: Cluster,  # noqa: ARG001 - the images are loaded into it
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A copy of the manifests with passwords of its own; the images are on the nodes."""
    provider.load(images_of(EXAMPLES / EXAMPLE), NAME)
    copied = tmp_path_factory.mktemp(EXAMPLE)
    copytree(EXAMPLES / EXAMPLE / "manifests", copied, dirs_exist_ok=True)
    load_credentials(None, copied).write(copied)
    return copied


@contextmanager
def deployed(cluster: Cluster, kube: Kube, manifests: Path, variant: str) -> Iterator[Path]:
    """Have a variant on the cluster, its tables made, and nothing of it when it ends."""
    is_served = kube.serves("policy/v1", "PodDisruptionBudget")
    overlay = manifests / "overlays" / (variant if is_served else f"{variant}-before-1.21")
    try:
        kubectl(cluster, "apply", "--server-side", "-k", str(overlay))
        kubectl(
            cluster, "-n", NAMESPACES[-1], "wait", "--for=condition=complete", "job/migration",
            "--timeout=180s",
        )  # fmt: skip
        yield overlay
    finally:
        kubectl(cluster, "delete", "--ignore-not-found", "-k", str(overlay))


@pytest.fixture(scope="module")
def mended(cluster: Cluster, kube: Kube, manifests: Path) -> Iterator[Kube]:
    """The mended variant, every workload of it ready."""
    with deployed(cluster, kube, manifests, "mended") as overlay:
        for kind, namespace, name in workloads(overlay):
            kubectl(cluster, "rollout", "status", "-n", namespace, f"{kind}/{name}")
        yield kube


def test_no_container_has_python_and_one_has_not_even_a_shell(mended: Kube) -> None:
    looked: set[str] = set()
    for namespace in NAMESPACES:
        for pod in mended.list("v1", "Pod", namespace=namespace):
            if pod["status"]["phase"] != "Running":
                continue
            where = PodRef(namespace, pod["metadata"]["name"])
            for container in (each["name"] for each in pod["spec"]["containers"]):
                looked.add(container)
                search = ["sh", "-c", "find / -xdev -name 'python3*' 2>/dev/null; echo that is all"]
                if container == NOTHING_RUNS_IN_IT:
                    with pytest.raises(ProbeError):
                        mended.exec(where, search, container=container)
                else:
                    found = mended.exec(where, search, container=container).stdout
                    assert found == "that is all\n", container

    assert {"redis", "postgres", "etcd", "web", "metrics", "log-forwarder"} <= looked
    assert NOTHING_RUNS_IN_IT in looked


@pytest.mark.usefixtures("mended")
def test_mended_it_is_accepted_without_a_skip(cluster: Cluster) -> None:
    run = verified(cluster, EXAMPLE)

    found = load(run.directory)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert found.verdict == "accepted"
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}
    assert found.causes == ()


def test_as_reported_each_fault_is_named_and_nothing_else(
    cluster: Cluster, kube: Kube, manifests: Path
) -> None:
    with deployed(cluster, kube, manifests, "as-reported") as overlay:
        for kind, namespace, name in workloads(overlay):
            if namespace != "reported-database":
                kubectl(cluster, "rollout", "status", "-n", namespace, f"{kind}/{name}")
        run = verified(cluster, EXAMPLE)

    found = load(run.directory)
    assert found.verdict == "rejected"
    assert {(each.cause, of_all_members(each.subject)) for each in found.causes} == FAULTS
    failed = [test for test in found.tests if test.outcome is not Outcome.PASSED]
    assert failed
    assert {(test.cause, of_all_members(test.culprit)) for test in failed} <= FAULTS


def of_all_members(subject: str) -> str:
    """Return an object's name without the number of a member: which of them got a node is luck."""
    return re.sub(r"^(Pod .*)-\d$", r"\1", subject)
