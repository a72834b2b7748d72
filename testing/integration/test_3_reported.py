"""The Nova of the report, on stock images: mended it is accepted, as reported it is not.

So is the mended one where each container has one server and nothing beside it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from nova_acceptance.cluster.kind.images import images_of
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.deploy import load_credentials
from nova_acceptance.deploy.rendering import kustomize
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report import Outcome, load
from testing.integration.conftest import NAME, accept, kubectl
from testing.integration.roles import user
from testing.integration.test_3_examples import EXAMPLES, drafted, verified, workloads

pytestmark = pytest.mark.integration

EXAMPLE = "nova-as-reported"
NAMESPACES = ("reported-redis", "reported-database", "reported-services")
NOTHING_RUNS_IN_IT = "search-service"
"""The container of one static program, without a shell."""
A_SECOND = 1.0
"""What the API's times differ by at least, if they differ."""
SERVERS = {
    "redis": ("redis-server", "--version"),
    "etcd": ("etcd", "--version"),
    "postgres": ("postgres", "--version"),
}
"""What runs in a container that holds a server alone, and ends at once."""
SHELLS = ("sh", "/bin/sh", "ash", "bash", "/bin/bash", "dash", "busybox", "/bin/busybox")
INTERPRETERS = ("python3", "/usr/bin/python3", "python", "perl")
FAULTS = {
    ("REPLICAS_WRONG", "StatefulSet reported-database/postgres"),
    ("ANTI_AFFINITY_UNSATISFIABLE", "StatefulSet reported-database/postgres"),
    ("ANTI_AFFINITY_UNSATISFIABLE", "StatefulSet reported-database/etcd"),
    ("SELECTOR_MATCHES_NOTHING", "Service reported-database/postgres-replicas"),
    ("STALE_ENDPOINT_URL", "Secret reported-services/search-service-secret"),
    ("STALE_ENDPOINT_URL", "Secret reported-services/streaming-api-secret"),
    ("VALUE_IS_PLACEHOLDER", "Secret reported-services/search-service-secret"),
    ("VALUE_IS_PLACEHOLDER", "Secret reported-services/streaming-api-secret"),
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
    """Have a variant on the cluster, its tables made, and nothing of it when it ends.

    Without shells there is no migration: the tables are made with the database.
    """
    is_served = kube.serves("policy/v1", "PodDisruptionBudget")
    overlay = manifests / "overlays" / (variant if is_served else f"{variant}-before-1.21")
    try:
        apply(cluster, overlay)
        if variant != "without-shells":
            kubectl(
                cluster, "-n", NAMESPACES[-1], "wait", "--for=condition=complete", "job/migration",
                "--timeout=180s",
            )  # fmt: skip
        yield overlay
    finally:
        kubectl(cluster, "delete", "--ignore-not-found", "-k", str(overlay))


def apply(cluster: Cluster, overlay: Path) -> None:
    """Write what containers start from, each object once, and a second later all the rest.

    The API tells whole seconds. Whether a container began before its configuration was written in
    the same one can be asked of it alone, and one that has no shell answers nothing. A Secret that
    is given by `stringData` is written anew each time that it is applied.
    """
    objects = [*yaml.safe_load_all(kustomize(overlay))]
    configuration = [it for it in objects if it["kind"] in ("Namespace", "ConfigMap", "Secret")]
    rest = [it for it in objects if it not in configuration]
    assert {it["kind"] for it in configuration} >= {"Namespace", "Secret"}
    file = overlay.parents[1] / f"part-of-{overlay.name}.yaml"
    for part, pause in ((configuration, A_SECOND), (rest, 0.0)):
        file.write_text(yaml.safe_dump_all(part), encoding="utf-8")
        kubectl(cluster, "apply", "--server-side", "-f", str(file))
        time.sleep(pause)


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
        one_node(cluster, kube) if request.param == "as-reported" else nullcontext(),
        deployed(cluster, kube, manifests, request.param) as overlay,
    ):
        for kind, namespace, name in workloads(overlay):
            if request.param != "as-reported" or namespace != "reported-database":
                kubectl(cluster, "rollout", "status", "-n", namespace, f"{kind}/{name}")
        yield request.param


mended = pytest.mark.parametrize("variant", ["mended"], indirect=True)
without_shells = pytest.mark.parametrize("variant", ["without-shells"], indirect=True)
whole = pytest.mark.parametrize("variant", ["mended", "without-shells"], indirect=True)
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


@without_shells
@pytest.mark.usefixtures("variant")
def test_no_container_has_a_shell_or_an_interpreter(kube: Kube) -> None:
    looked: set[str] = set()
    for namespace in NAMESPACES:
        for pod in kube.list("v1", "Pod", namespace=namespace):
            where = PodRef(namespace, pod["metadata"]["name"])
            assert "initContainers" not in pod["spec"]
            (container,) = (each["name"] for each in pod["spec"]["containers"])
            looked.add(container)
            # what is there can be run, so that it is by its absence that nothing else can
            if server := SERVERS.get(container):
                assert kube.exec(where, server, container=container).exit_code == 0
            for program in (*SHELLS, *INTERPRETERS):
                with pytest.raises(
                    ProbeError, match=r"executable file not found|no such file or directory"
                ):
                    kube.exec(where, [program], container=container)

    assert looked >= SERVERS.keys()
    assert len(looked) == len(SERVERS) + 5


@whole
@pytest.mark.usefixtures("variant")
def test_whole_it_is_accepted_without_a_skip(cluster: Cluster) -> None:
    run = verified(cluster, EXAMPLE)

    found = load(run.directory)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert found.verdict == "accepted"
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}
    assert found.causes == ()


@mended
@pytest.mark.usefixtures("variant")
def test_its_draft_is_accepted_at_once(cluster: Cluster, manifests: Path, tmp_path: Path) -> None:
    draft = drafted(cluster, manifests / "overlays" / "mended", tmp_path)
    run = accept(cluster, "--no-deploy", f"--spec={draft}", "-m", "not disruptive")

    found = load(run.directory)
    assert found.verdict == "accepted", run.done.stdout[-3000:]
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}


@mended
@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize(
    ("rights", "reasons", "asks"),
    [
        (("port-forward", "pods"), ("may not get pods/exec",), True),
        (("port-forward", "exec"), ("may not create pods, delete pods",), True),
        (
            (),
            (
                "may not create pods, delete pods, get pods/exec",
                "may not get pods/portforward",
            ),
            False,
        ),
    ],
)
def test_what_a_user_may_not_ask_is_said_once_and_is_neither_right_nor_wrong(
    cluster: Cluster,
    kube: Kube,
    tmp_path: Path,
    rights: tuple[str, ...],
    reasons: tuple[str, ...],
    *,
    asks: bool,
) -> None:
    with user(kube, cluster.kubeconfig, rights, tmp_path) as kubeconfig:
        limited = replace(cluster, kubeconfig=kubeconfig)
        run = verified(limited, EXAMPLE, "", "-m", "not disruptive")

    found = load(run.directory)
    unasked = [problem for problem in found.problems if problem.kind == "not-asked"]
    assert run.done.returncode == ExitStatus.NOT_ASKED, run.done.stdout[-3000:]
    assert found.verdict == "incomplete"
    assert {test.outcome for test in found.tests} == {Outcome.PASSED, Outcome.NOT_ASKED}
    assert len(unasked) == len(reasons)
    for problem, reason in zip(unasked, reasons, strict=True):
        assert reason in str(problem.values["text"])
    passed = [test.nodeid for test in found.tests if test.outcome is Outcome.PASSED]
    assert any("test_postgres_has_its_version" in nodeid for nodeid in passed) is asks


@as_reported
@pytest.mark.usefixtures("variant")
def test_as_reported_each_fault_is_named_and_nothing_else(cluster: Cluster) -> None:
    run = verified(cluster, EXAMPLE)

    found = load(run.directory)
    assert found.verdict == "rejected"
    assert {(each.cause, each.subject) for each in found.causes} == FAULTS
    failed = [test for test in found.tests if test.outcome is not Outcome.PASSED]
    assert failed
    unexplained = [test for test in failed if (test.cause, test.culprit) not in FAULTS]
    assert [(it.nodeid, it.outcome, it.message) for it in unexplained] == []
