"""What an overlay makes, and how the two differ."""

from __future__ import annotations

import copy
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.deploy.credentials import Credentials
from nova_acceptance.deploy.rendering import kustomize
from testing.unit.manifests.conftest import MANIFESTS
from testing.unit.manifests.objects import Overlay, identity


def test_overlay_makes_twelve_pods(overlay: Overlay) -> None:
    replicas = {identity(obj): obj["spec"]["replicas"] for obj in overlay.workloads}

    assert replicas == {
        "StatefulSet nova-redis/redis": 1,
        "StatefulSet nova-database/etcd": 3,
        "StatefulSet nova-database/postgres": 3,
        "Deployment nova-services/user-service": 1,
        "Deployment nova-services/auth-service": 1,
        "Deployment nova-services/search-service": 1,
        "Deployment nova-services/streaming-api": 1,
        "Deployment nova-services/messaging-service": 1,
    }


def test_objects_are_in_nova_s_namespaces_only(overlay: Overlay) -> None:
    namespaces = {obj["metadata"]["name"] for obj in overlay.of_kind("Namespace")}

    assert namespaces == {"nova-redis", "nova-database", "nova-services"}
    assert {
        obj["metadata"].get("namespace") for obj in overlay.objects if obj["kind"] != "Namespace"
    } == namespaces


def test_no_object_is_rendered_twice(overlay: Overlay) -> None:
    counts = Counter(identity(obj) for obj in overlay.objects)

    assert not [name for name, count in counts.items() if count > 1]


def test_no_object_needs_rights_beyond_its_namespace(overlay: Overlay) -> None:
    assert not overlay.of_kind("ClusterRole", "ClusterRoleBinding", "PersistentVolume")


def without_placement(overlay: Overlay) -> list[dict[str, Any]]:
    objects = copy.deepcopy(list(overlay.objects))
    for obj in objects:
        if obj["kind"] == "StatefulSet" and obj["metadata"]["name"] in {"etcd", "postgres"}:
            spec = obj["spec"]["template"]["spec"]
            assert spec.pop("affinity")
            spec.pop("tolerations", None)
            obj["metadata"].pop("annotations", None)
    return objects


def test_overlays_differ_in_where_quorums_are_placed_and_nothing_else(
    multi_node: Overlay, single_node: Overlay
) -> None:
    assert multi_node.objects != single_node.objects
    assert without_placement(multi_node) == without_placement(single_node)


@pytest.mark.parametrize("workload", ["etcd", "postgres"])
def test_members_never_share_a_node_where_there_are_three(
    multi_node: Overlay, workload: str
) -> None:
    spec = multi_node.find("StatefulSet", workload)["spec"]
    (term,) = spec["template"]["spec"]["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]

    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"] == spec["selector"]


@pytest.mark.parametrize("workload", ["etcd", "postgres"])
def test_members_may_share_the_one_node(single_node: Overlay, workload: str) -> None:
    spec = single_node.find("StatefulSet", workload)["spec"]
    affinity = spec["template"]["spec"]["affinity"]["podAntiAffinity"]
    (term,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]

    assert affinity.keys() == {"preferredDuringSchedulingIgnoredDuringExecution"}
    assert term["podAffinityTerm"]["labelSelector"] == spec["selector"]


def test_no_storage_class_is_named_so_that_the_default_serves(overlay: Overlay) -> None:
    for workload in overlay.of_kind("StatefulSet"):
        for claim in workload["spec"]["volumeClaimTemplates"]:
            assert "storageClassName" not in claim["spec"]


OWN_OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
components: [../../components/credentials, ../../components/storage-class]
images:
  - {name: user-service, newName: registry.example.com/nova/user-service, newTag: "2.4"}
"""


def test_overlay_of_one_s_own_takes_one_line_for_an_image_and_one_for_a_storage_class(
    tmp_path: Path, credentials: Credentials
) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    credentials.write(tmp_path / "manifests")
    own = tmp_path / "manifests" / "overlays" / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(OWN_OVERLAY)

    text = kustomize(own)

    assert text.count("image: registry.example.com/nova/user-service:2.4\n") == 1
    assert text.count("storageClassName: standard\n") == 3
