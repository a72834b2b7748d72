"""What runs the suite in a cluster: the same pod everywhere, restricted, on every version."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.deploy.rendering import render
from nova_acceptance.kube import Object
from testing.unit.manifests.schema import violations

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy" / "in-cluster"
EVERY = ("nightly", "sharded", "reader", "kubernetes-1.20/nightly", "kubernetes-1.20/sharded")
BETA = "batch/v1beta1"
"""Of it the official client has no model any more."""


@cache
def rendered(name: str) -> tuple[Object, ...]:
    return tuple(render(DEPLOY / name))


def of_kind(name: str, kind: str) -> Object:
    (found,) = (obj for obj in rendered(name) if obj["kind"] == kind)
    return found


def pod(name: str) -> dict[str, Any]:
    """Return the specification of the pod that a kustomization brings about."""
    if name == "reader":
        return dict(of_kind(name, "Pod")["spec"])
    if name.endswith("nightly"):
        return dict(of_kind(name, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"])
    return dict(of_kind(name, "Job")["spec"]["template"]["spec"])


@pytest.mark.parametrize("name", EVERY)
def test_every_object_fits_the_schema_of_the_api(name: str) -> None:
    found = {
        obj["metadata"]["name"]: violations(
            {**obj, "apiVersion": "batch/v1"} if obj["apiVersion"] == BETA else obj
        )
        for obj in rendered(name)
    }

    assert not {which: wrong for which, wrong in found.items() if wrong}


@pytest.mark.parametrize("name", EVERY)
def test_pod_is_restricted_and_limited(name: str) -> None:
    spec = pod(name)
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()


@pytest.mark.parametrize("name", EVERY)
def test_pod_is_of_the_image_that_is_built(name: str) -> None:
    text = (ROOT / "images" / "acceptance" / "Containerfile").read_text()
    (user,) = re.findall(r"^USER (\d+):\1$", text, re.MULTILINE)
    (directory,) = re.findall(r"^WORKDIR (\S+)$", text, re.MULTILINE)
    spec = pod(name)
    (container,) = spec["containers"]

    assert container["image"] == "docker.io/nova/acceptance:1"
    assert {spec["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {
        int(user)
    }
    assert f"{directory}/reports" in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_shard_is_the_nightly_pod_with_another_command() -> None:
    def without_command(name: str) -> dict[str, Any]:
        (container,) = pod(name)["containers"]
        kept = {key: value for key, value in container.items() if key not in {"args", "env"}}
        return {**pod(name), "containers": [kept]}

    assert without_command("sharded") == without_command("nightly")


def test_shards_are_as_many_as_their_command_says() -> None:
    job = of_kind("sharded", "Job")["spec"]
    (container,) = pod("sharded")["containers"]

    assert job["completionMode"] == "Indexed"
    assert container["args"][:2] == ["run-shard", str(job["completions"])]
    assert job["parallelism"] == job["completions"]


def test_version_differs_in_what_it_lacks_alone() -> None:
    job = of_kind("sharded", "Job")
    cronjob = of_kind("nightly", "CronJob")
    mode = job["spec"]["completionMode"]
    old = of_kind("kubernetes-1.20/sharded", "Job")

    assert "completionMode" not in old["spec"]
    assert {**old, "spec": {**old["spec"], "completionMode": mode}} == job
    assert {**cronjob, "apiVersion": BETA} == of_kind("kubernetes-1.20/nightly", "CronJob")


def test_nothing_is_tried_again_and_no_two_runs_meet() -> None:
    cronjob = of_kind("nightly", "CronJob")["spec"]

    assert cronjob["concurrencyPolicy"] == "Forbid"
    assert cronjob["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert of_kind("sharded", "Job")["spec"]["backoffLimit"] == 0


def test_rights_write_nothing_but_leases_and_questions() -> None:
    roles = [obj for obj in rendered("nightly") if obj["kind"] in {"Role", "ClusterRole"}]
    writing = {
        resource
        for role in roles
        for rule in role["rules"]
        for resource in rule["resources"]
        if not {"get", "list", "watch"} >= {*rule["verbs"]}
    }

    assert writing == {"leases", "pods/exec", "pods/portforward"}


def test_shards_on_several_nodes_take_a_volume_of_several(tmp_path: Path) -> None:
    (tmp_path / "deploy").symlink_to(DEPLOY)
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [deploy/nightly, deploy/sharded]\ncomponents: [deploy/read-write-many]\n"
    )
    objects = {obj["kind"]: obj for obj in render(tmp_path)}

    assert objects["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "affinity" not in objects["Job"]["spec"]["template"]["spec"]
    assert "affinity" not in str(objects["CronJob"])
