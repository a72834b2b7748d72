"""Manifests of other systems, deployed, verified and removed as a user would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nova_acceptance.cluster.home import project
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.report import Outcome, load
from nova_acceptance.timeouts import ROLLOUT
from testing.integration.conftest import accept, kubectl, nova_cluster

pytestmark = pytest.mark.integration

TWO_REDIS = project() / "examples" / "two-redis"
TOKEN = "a-token-that-nobody-sees"
SPEC = """
components:
  - {kind: http, name: web, namespace: plain, port: 8080, health: {names_itself: service}}
configuration:
  - {kind: Secret, namespace: plain, name: web-secret, keys: {api-token: password}}
"""
FILES = {
    # Each before what it needs.
    "1.yaml": """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: keeper}
spec:
  serviceName: keeper
  selector: {matchLabels: {app: keeper}}
  template:
    metadata: {labels: {app: keeper}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: keeper, image: docker.io/nova/service:1, env: [
        {name: SERVICE_NAME, value: web}, {name: SERVICE_PORT, value: "8080"}]}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: plain}
spec:
  containers: [{name: web, image: docker.io/nova/service:1, env: [
    {name: SERVICE_NAME, value: web}, {name: SERVICE_PORT, value: "8080"}]}]
""",
    "2.yml": """
apiVersion: example.org/v1
kind: Shop
metadata: {name: corner}
---
apiVersion: example.org/v1
kind: Shop
metadata: {name: inside, namespace: plain}
""",
    "deep/3.yaml": """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
""",
    "deep/4.json": json.dumps(
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plain"}},
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "web-secret", "namespace": "plain"},
                    "stringData": {"api-token": TOKEN},
                },
            ],
        }
    ),
}


def everything(cluster: Cluster) -> set[str]:
    """Return every object by its uid; of events and leases there are always others."""
    kinds = set(kubectl(cluster, "api-resources", "--verbs=list", "-o", "name").split())
    wanted = [it for it in sorted(kinds) if not it.startswith(("events", "leases"))]
    line = "{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.uid}\n{end}"
    listing = kubectl(cluster, "get", ",".join(wanted), "-A", "-o", f"jsonpath={line}")
    return set(listing.splitlines())


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A directory of plain YAML and JSON, beside its nova.yaml."""
    (tmp_path / "nova.yaml").write_text(SPEC)
    for name, text in FILES.items():
        path = tmp_path / "manifests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_kustomization_is_deployed_verified_and_removed(cluster: Cluster) -> None:
    before = everything(cluster)

    run = accept(
        cluster,
        *(f"--manifests={TWO_REDIS / 'manifests'}", f"--spec={TWO_REDIS / 'nova.yaml'}"),
        "--teardown",
    )

    found = load(run.directory)
    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert found.verdict == "accepted"
    assert {test.outcome for test in found.tests} == {Outcome.PASSED}
    assert everything(cluster) == before


def test_plain_yaml_in_any_order_is_deployed_and_removed_without_a_trace(
    cluster: Cluster, plain: Path
) -> None:
    before = everything(cluster)

    run = accept(
        cluster,
        *(f"--manifests={plain / 'manifests'}", f"--spec={plain / 'nova.yaml'}"),
        "tests/infrastructure/test_configuration.py",
    )
    there = kubectl(cluster, "get", "shops,statefulsets,pods", "-A", "-o", "name")
    remove = nova_cluster(
        *("remove", "--yes", "--manifests", str(plain / "manifests"), "--context", cluster.context),
        kubeconfig=cluster.kubeconfig,
    )
    said, _ = remove.communicate(timeout=ROLLOUT)

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert "in `default`" in " ".join(map(str, load(run.directory).notes))
    assert {"shop.example.org/inside", "statefulset.apps/keeper", "pod/web"} <= {*there.split()}
    assert remove.returncode == 0, said
    assert everything(cluster) == before
    written = [path.read_bytes() for path in run.directory.rglob("*") if path.is_file()]
    assert not [text for text in written if TOKEN.encode() in text]


def test_what_the_cluster_cannot_take_is_said_before_anything_is_written(
    cluster: Cluster, plain: Path
) -> None:
    (plain / "manifests" / "0.yaml").write_text(
        "apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: a, namespace: plain}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: plain}\n"
    )
    before = everything(cluster)

    run = accept(
        cluster,
        *(f"--manifests={plain / 'manifests'}", f"--spec={plain / 'nova.yaml'}"),
        "tests/infrastructure/test_configuration.py",
    )

    assert "the cluster does not serve Unknown of example.com/v1" in run.done.stdout
    assert everything(cluster) == before


def test_what_somebody_else_has_made_is_neither_changed_nor_removed(
    cluster: Cluster, plain: Path
) -> None:
    kubectl(cluster, "create", "namespace", "plain")
    try:
        before = everything(cluster)
        run = accept(
            cluster,
            *(f"--manifests={plain / 'manifests'}", f"--spec={plain / 'nova.yaml'}"),
            *("tests/infrastructure/test_configuration.py", "--teardown"),
        )

        assert "NAMESPACE_FOREIGN" in run.done.stdout
        assert everything(cluster) == before
    finally:
        kubectl(cluster, "delete", "namespace", "plain")
