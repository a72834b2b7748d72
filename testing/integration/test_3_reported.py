"""The Nova of the report, on stock images: mended it is accepted, as reported it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import pytest

from nova_acceptance.cluster.kind.images import images_of
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.deploy import load_credentials
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.plugin.recording import NOT_ASKED
from nova_acceptance.report import Outcome, load
from testing.integration.conftest import NAME
from testing.integration.rights import EXEC, FORWARD, PODS, VERIFIER, Rule, user
from testing.integration.test_3_examples import EXAMPLES, kubectl, verified, workloads

pytestmark = pytest.mark.integration

EXAMPLE = "nova-as-reported"
NAMESPACES = ("reported-redis", "reported-database", "reported-services")
NOTHING_RUNS_IN_IT = "search-service"
"""The container of one static program, without a shell."""
FAULTS = {
    ("REPLICAS_WRONG", "StatefulSet reported-database/postgres"),
    ("ANTI_AFFINITY_UNSATISFIABLE", "StatefulSet reported-database/postgres"),
    ("ANTI_AFFINITY_UNSATISFIABLE", "StatefulSet reported-database/etcd"),
    ("SELECTOR_MATCHES_NOTHING", "Service reported-database/postgres-replicas"),
    ("STALE_ENDPOINT_URL", "Secret reported-services/search-service-secret"),
    ("STALE_ENDPOINT_URL", "Secret reported-services/streaming-api-secret"),
    ("URL_PASSWORD_WRONG", "Secret reported-services/search-service-secret"),
    ("URL_PASSWORD_WRONG", "Secret reported-services/streaming-api-secret"),
}
"""What is wrong as reported, and at which object."""
TAINT = "node-role.kubernetes.io/control-plane"


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


@contextmanager
def one_node(cluster: Cluster, kube: Kube) -> Iterator[None]:
    """Have one node that is open to pods: the others are closed as a control plane's usually is."""
    *others, _ = (node["metadata"]["name"] for node in kube.list("v1", "Node"))
    try:
        for name in others:
            kubectl(cluster, "taint", "node", name, f"{TAINT}=:NoSchedule", "--overwrite")
        yield
    finally:
        for name in others:
            kubectl(cluster, "taint", "node", name, f"{TAINT}-")


@pytest.fixture(scope="module")
def variant(
    cluster: Cluster, kube: Kube, manifests: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A variant on the cluster, ready but for what its faults keep from it, and no other one."""
    with (
        nullcontext() if request.param == "mended" else one_node(cluster, kube),
        deployed(cluster, kube, manifests, request.param) as overlay,
    ):
        for kind, namespace, name in workloads(overlay):
            if request.param == "mended" or namespace != "reported-database":
                kubectl(cluster, "rollout", "status", "-n", namespace, f"{kind}/{name}")
        yield request.param


@dataclass(frozen=True)
class Rights:
    """What a user may do with the system besides reading it, and what comes of that.

    Attributes:
        rules: what the user may.
        unasked: the reasons for which something is not asked, each told once.
        passed: tests that pass all the same.
        of_the_cluster: whether nodes and the like may be read, too.
        makes_pods: whether probe pods are made.
    """

    rules: Sequence[Rule]
    unasked: frozenset[str]
    passed: frozenset[str]
    of_the_cluster: bool = True
    makes_pods: bool = False


OF_OBJECTS = frozenset({"test_workload_has_its_replicas"})
BY_FORWARD = frozenset({"test_redis_answers_ping", "test_redis_keeps_a_value"})
FROM_PODS = frozenset({"test_component_reaches", "test_service_resolves_in_every_form"})
OF_NODES = frozenset({"test_cluster_nodes_are_ready", "test_cluster_has_one_default_storage_class"})
NOT_BY_FORWARD = "who is let in over the network cannot be asked through a port-forward"
NOT_FROM_PODS = "nothing can be asked from inside pods: this user may not "
RIGHTS = {
    "all that it needs": Rights(
        rules=(FORWARD, EXEC, PODS),
        unasked=frozenset(),
        passed=OF_OBJECTS | OF_NODES | BY_FORWARD | FROM_PODS,
        makes_pods=True,
    ),
    "no exec": Rights(
        rules=(FORWARD, PODS),
        unasked=frozenset({f"{NOT_FROM_PODS}get pods/exec", NOT_BY_FORWARD}),
        passed=OF_OBJECTS | OF_NODES | BY_FORWARD,
    ),
    "no pods of its own": Rights(
        rules=(FORWARD, EXEC),
        unasked=frozenset(
            {
                f"{NOT_FROM_PODS}create pods, delete pods",
                "this user may not delete pods",
                NOT_BY_FORWARD,
            }
        ),
        passed=OF_OBJECTS | OF_NODES | BY_FORWARD,
    ),
    "neither exec nor port-forward": Rights(
        rules=(PODS,),
        unasked=frozenset(
            {
                f"{NOT_FROM_PODS}get pods/exec",
                "this user may not get pods/portforward",
                NOT_BY_FORWARD,
            }
        ),
        passed=OF_OBJECTS | OF_NODES,
    ),
    "nothing of the cluster": Rights(
        rules=(FORWARD, EXEC, PODS),
        unasked=frozenset({"this user may not list nodes", "this user may not list namespaces"}),
        passed=OF_OBJECTS | BY_FORWARD | FROM_PODS,
        of_the_cluster=False,
        makes_pods=True,
    ),
}


mended = pytest.mark.parametrize("variant", ["mended"], indirect=True)
as_reported = pytest.mark.parametrize("variant", ["as-reported"], indirect=True)


@mended
@pytest.mark.usefixtures("variant")
def test_no_container_has_python_and_one_has_not_even_a_shell(kube: Kube) -> None:
    looked: set[str] = set()
    for namespace in NAMESPACES:
        for pod in kube.list("v1", "Pod", namespace=namespace):
            if pod["status"]["phase"] != "Running":
                continue
            where = PodRef(namespace, pod["metadata"]["name"])
            for container in (each["name"] for each in pod["spec"]["containers"]):
                looked.add(container)
                search = ["sh", "-c", "find / -xdev -name 'python3*' 2>/dev/null; echo that is all"]
                if container == NOTHING_RUNS_IN_IT:
                    with pytest.raises(ProbeError):
                        kube.exec(where, search, container=container)
                else:
                    found = kube.exec(where, search, container=container).stdout
                    assert found == "that is all\n", container

    assert {"redis", "postgres", "etcd", "web", "metrics", "log-forwarder"} <= looked
    assert NOTHING_RUNS_IN_IT in looked


@mended
@pytest.mark.usefixtures("variant")
def test_mended_it_is_accepted_without_a_skip(cluster: Cluster) -> None:
    run = verified(cluster, EXAMPLE)

    found = load(run.directory)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert found.verdict == "accepted"
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}
    assert found.causes == ()


@mended
@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("rights", RIGHTS.values(), ids=RIGHTS)
def test_what_a_user_may_not_ask_is_told_once_and_all_else_is_verified(
    cluster: Cluster, kube: Kube, rights: Rights, tmp_path: Path
) -> None:
    made = probe_pods_made(kube)
    with user(
        kube, NAMESPACES, rights.rules, tmp_path, of_the_cluster=rights.of_the_cluster
    ) as kubeconfig:
        run = verified(replace(cluster, kubeconfig=kubeconfig, context=VERIFIER), EXAMPLE)

    found = load(run.directory)
    assert run.done.returncode == (NOT_ASKED if rights.unasked else 0), run.done.stdout[-3000:]
    assert found.verdict == ("incomplete" if rights.unasked else "accepted")
    assert {test.outcome for test in found.tests} <= {Outcome.PASSED, Outcome.NOT_ASKED}
    assert found.causes == ()
    told = [str(problem.values["text"]) for problem in found.problems]
    assert {problem.kind for problem in found.problems} <= {"not-asked"}
    assert [reason for reason in rights.unasked if not said(reason, told)] == []
    assert len(told) == len(rights.unasked)
    passed = {name_of(test.nodeid) for test in found.tests if test.outcome is Outcome.PASSED}
    assert rights.passed <= passed
    assert bool(probe_pods_made(kube) - made) is rights.makes_pods


def said(reason: str, told: list[str]) -> bool:
    return any(text.startswith(reason) for text in told)


def name_of(nodeid: str) -> str:
    return nodeid.rpartition("::")[2].partition("[")[0]


def probe_pods_made(kube: Kube) -> set[str]:
    """Return the probe pods of which the cluster tells, those that are gone among them."""
    involved = (
        event["involvedObject"]["name"]
        for namespace in NAMESPACES
        for event in kube.list("v1", "Event", namespace=namespace)
    )
    return {name for name in involved if name.startswith("nova-acceptance-probe-")}


@as_reported
@pytest.mark.usefixtures("variant")
def test_as_reported_each_fault_is_named_and_nothing_else(cluster: Cluster) -> None:
    run = verified(cluster, EXAMPLE)

    found = load(run.directory)
    assert found.verdict == "rejected"
    assert {(each.cause, each.subject) for each in found.causes} == FAULTS
    failed = [test for test in found.tests if test.outcome is not Outcome.PASSED]
    assert failed
    assert {(test.cause, test.culprit) for test in failed} <= FAULTS
