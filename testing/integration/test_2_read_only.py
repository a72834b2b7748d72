"""A run that only reads, as the API server's own audit log has it: not one verb that changes."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from nova_acceptance import timeouts
from nova_acceptance.cluster.kind.cluster import KindCluster
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.kube import Kube
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report import Outcome, load
from nova_acceptance.vantage.until import until
from testing.integration import conftest
from testing.integration.conftest import Accepted, accept, kubectl
from testing.integration.roles import NAMESPACE, user

pytestmark = pytest.mark.integration

MANIFEST: Final = "/etc/kubernetes/manifests/kube-apiserver.yaml"
HERE: Final = "/etc/kubernetes/nova-testing-audit"
"""On the node, and in the API server's pod."""
READS: Final = {"get", "list", "watch"}
WHO: Final = f"system:serviceaccount:{NAMESPACE}:nova-testing-may-everything"
POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "users": [WHO]}, {"level": "None"}],
}


class Audit:
    """The API server's log of what one user asked for."""

    def __init__(self, kind: KindCluster, node: str) -> None:
        self._kind = kind
        self._node = node

    def events(self) -> list[dict[str, Any]]:
        lines = self._kind.run_docker("exec", self._node, "cat", f"{HERE}/audit.log")
        return [json.loads(line) for line in lines if line.startswith("{")]

    def verbs(self) -> set[str]:
        return {event["verb"] for event in self.events()}


@pytest.fixture(scope="module")
def audit(
    provider: Provider,
    cluster: Cluster,
    accepted: Accepted,  # noqa: ARG001 - Nova runs, and its own run is over
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Audit]:
    """The API server with its audit log on; without it again at the end."""
    kind, node = provider.cluster(conftest.NAME), f"{conftest.NAME}-control-plane"
    local = tmp_path_factory.mktemp("audit")
    kind.run_docker("cp", f"{node}:{MANIFEST}", str(local / "before.yaml"))
    (local / "policy.yaml").write_text(yaml.safe_dump(POLICY), "utf-8")
    manifest = yaml.safe_load((local / "before.yaml").read_text("utf-8"))
    (local / "audited.yaml").write_text(yaml.safe_dump(audited(manifest)), "utf-8")
    kind.run_docker("exec", node, "mkdir", "-p", HERE)
    try:
        for name in ("policy.yaml", "before.yaml", "audited.yaml"):
            kind.run_docker("cp", str(local / name), f"{node}:{HERE}/{name}")
        try:
            with restarted(cluster):
                kind.run_docker("exec", node, "cp", f"{HERE}/audited.yaml", f"{HERE}/next.yaml")
                kind.run_docker("exec", node, "mv", f"{HERE}/next.yaml", MANIFEST)
            yield Audit(kind, node)
        finally:
            with restarted(cluster):
                kind.run_docker("exec", node, "mv", f"{HERE}/before.yaml", MANIFEST)
    finally:
        kind.run_docker("exec", node, "rm", "-r", HERE)


def audited(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the pod of the API server with its audit log on."""
    pod = copy.deepcopy(manifest)
    (container,) = pod["spec"]["containers"]
    container["command"] += [
        f"--audit-policy-file={HERE}/policy.yaml",
        f"--audit-log-path={HERE}/audit.log",
    ]
    container["volumeMounts"].append({"name": "audit", "mountPath": HERE})
    volume = {"name": "audit", "hostPath": {"path": HERE, "type": "Directory"}}
    pod["spec"]["volumes"].append(volume)
    return pod


@contextmanager
def restarted(cluster: Cluster) -> Iterator[None]:
    """Wait, at the end of the block, until the API server runs of another manifest.

    Its kubelet shows it as a pod that is deleted and made anew, and it cannot do so while there is
    no API server: that pod may come a minute after the process.
    """
    before = started(cluster), shown(cluster)
    yield

    def is_another() -> bool:
        kubectl(cluster, "get", "--raw", "/readyz")
        return started(cluster) != before[0] and shown(cluster) not in {before[1], ""}

    took = until(is_another, within=timeouts.CLUSTER_READY, ignoring=AssertionError)
    assert took <= timeouts.CLUSTER_READY, "the API server did not start anew"


def started(cluster: Cluster) -> str:
    """Return when the process of the API server began, as it says itself."""
    metrics = kubectl(cluster, "get", "--raw", "/metrics")
    (found,) = re.findall(r"^process_start_time_seconds (\S+)$", metrics, re.MULTILINE)
    return str(found)


def shown(cluster: Cluster) -> str:
    """Return the hash of the manifest whose pod the API shows; empty while it shows none."""
    hash_ = r"-o=jsonpath={.items[*].metadata.annotations.kubernetes\.io/config\.hash}"
    return kubectl(cluster, "-n=kube-system", "get", "pods", "-l=component=kube-apiserver", hash_)


@pytest.fixture(scope="module")
def everybody(
    kube: Kube, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The kubeconfig of a user who may change whatever a run changes."""
    directory = tmp_path_factory.mktemp("user")
    with user(kube, cluster.kubeconfig, ("everything",), directory) as path:
        yield path


def test_read_only_run_changes_nothing(audit: Audit, cluster: Cluster, everybody: Path) -> None:
    run = accept(cluster, "--read-only", environment={"KUBECONFIG": str(everybody)})

    assert run.done.returncode == ExitStatus.NOT_ASKED, run.done.stdout[-3000:]
    outcomes = load(run.directory).outcomes
    assert set(outcomes) == {Outcome.PASSED, Outcome.NOT_ASKED}
    assert outcomes[Outcome.PASSED] > outcomes[Outcome.NOT_ASKED]
    events = audit.events()
    assert {event["user"]["username"] for event in events} == {WHO}
    assert {event["verb"] for event in events} <= READS
    subresources = {(event.get("objectRef") or {}).get("subresource") for event in events}
    assert {"exec", "portforward"} <= subresources, "nobody was asked by their own protocol"


def test_whatever_would_change_is_in_the_log(
    audit: Audit, cluster: Cluster, everybody: Path
) -> None:
    """The log shows the least that a run without the option does, as the user who only read."""
    assert Kube(everybody, cluster.context).can_i("create", "", "pods")

    assert "create" in audit.verbs()
