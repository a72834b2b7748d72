"""What the Roles of deploy/rbac give: nothing by wildcard, and what manifests/ takes to deploy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from nova_acceptance.kube import Object

ROOT: Final = Path(__file__).parents[3]
RBAC: Final = ROOT / "deploy/rbac"
FILES: Final = sorted(path for path in RBAC.rglob("*.yaml") if path.name != "kustomization.yaml")
ESCALATING: Final = {"escalate", "bind", "impersonate", "deletecollection"}
PLURALS: Final = {
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "StatefulSet": "statefulsets",
}


def objects(path: Path) -> list[Object]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def roles(path: Path) -> Iterator[Object]:
    yield from (each for each in objects(path) if each["kind"] in ("Role", "ClusterRole"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(RBAC)))
def test_role_has_no_wildcard_and_gives_nothing_on(path: Path) -> None:
    for role in roles(path):
        for rule in role["rules"]:
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert "*" not in words
            assert words.isdisjoint(ESCALATING)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(RBAC)))
def test_right_over_the_whole_cluster_lists_and_no_more(path: Path) -> None:
    for role in roles(path):
        is_apart = path.name == "cluster.yaml"
        assert is_apart is bool(role["kind"] == "ClusterRole" or role["metadata"].get("namespace"))
        if is_apart:
            given: list[dict[str, Any]] = role["rules"]
            assert {verb for rule in given for verb in rule["verbs"]} == {"list"}
            assert not any("secrets" in rule["resources"] for rule in given)


def test_every_kind_of_the_manifests_can_be_applied_and_no_other() -> None:
    found = {
        each["kind"]
        for path in (ROOT / "manifests/base").rglob("*.yaml")
        for each in objects(path)
        if isinstance(each, dict) and each.get("kind") not in (None, "Kustomization", "Component")
    } - {"Namespace"}
    (role,) = roles(RBAC / "deploy/deploy.yaml")
    applied = {
        resource
        for rule in role["rules"]
        for resource in rule["resources"]
        if {"create", "patch"} <= set(rule["verbs"])
    }

    # Its ConfigMaps are generated.
    assert applied == {PLURALS[kind] for kind in found | {"ConfigMap"}}


def test_role_of_the_manifests_gives_nothing_that_the_deployer_lacks() -> None:
    (given,) = roles(ROOT / "manifests/base/postgres/role-label.yaml")
    (role,) = roles(RBAC / "deploy/deploy.yaml")

    assert all(rule in role["rules"] for rule in given["rules"])
