"""What is less on purpose is said where it is made so, and nowhere else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from nova_acceptance.deploy.credentials import Credentials
from nova_acceptance.deploy.rendering import kustomize
from nova_acceptance.verification.topology import LIMIT
from testing.unit.manifests.conftest import MANIFESTS
from testing.unit.manifests.objects import Object, Overlay, identity

CHINESE = re.compile(r"[\u4e00-\u9fff]")
STAND_IN = "docker.io/nova/service:1"


def limits(obj: Object) -> dict[str, str]:
    """Return the annotations that declare limits, by what follows their prefix."""
    annotations = obj["metadata"].get("annotations") or {}
    return {
        key.removeprefix(LIMIT): reason
        for key, reason in annotations.items()
        if key.startswith(LIMIT)
    }


def test_every_limit_has_its_reason_in_both_languages(overlay: Overlay) -> None:
    for workload in overlay.workloads:
        declared = limits(workload)
        names = {key.partition(".")[0] for key in declared}
        assert declared.keys() == names | {f"{name}.zh-Hant" for name in names}, identity(workload)
        for name in names:
            assert declared[name].isascii(), identity(workload)
            assert CHINESE.search(declared[f"{name}.zh-Hant"]), identity(workload)
            assert len(declared[name].split()) > 5, identity(workload)


def test_limits_stand_on_workloads_themselves_so_that_none_is_rolled_out_for_them(
    overlay: Overlay,
) -> None:
    declaring = [obj for obj in overlay.objects if limits(obj)]

    assert {obj["kind"] for obj in declaring} <= {"Deployment", "StatefulSet"}
    for name, template in overlay.pod_templates:
        assert not limits(template), name


def test_services_that_run_a_stand_in_say_so_and_no_others(overlay: Overlay) -> None:
    for workload in overlay.workloads:
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        runs_one = container["image"] == STAND_IN
        assert ("stand-in" in limits(workload)) == runs_one, identity(workload)


@pytest.mark.parametrize("name", ["etcd", "postgres"])
def test_members_that_may_share_a_node_say_so(
    single_node: Overlay, multi_node: Overlay, name: str
) -> None:
    assert "placement" in limits(single_node.find("StatefulSet", name))
    assert limits(multi_node.find("StatefulSet", name)) == {}


OWN_OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../multi-node]
images:
  - {name: user-service, newName: registry.example.com/nova/user-service, newTag: "2.4"}
"""


def test_service_that_wants_no_stand_in_runs_what_the_overlay_says(
    tmp_path: Path, credentials: Credentials
) -> None:
    manifests = shutil.copytree(MANIFESTS, tmp_path / "manifests")
    credentials.write(manifests)
    own = manifests / "overlays" / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(OWN_OVERLAY)
    file = manifests / "base" / "services" / "user-service.yaml"
    file.write_text(file.read_text().replace("    nova/image: stand-in\n", ""))

    made = [obj for obj in yaml.safe_load_all(kustomize(own)) if obj["kind"] == "Deployment"]

    images = {
        obj["metadata"]["name"]: obj["spec"]["template"]["spec"]["containers"][0]["image"]
        for obj in made
    }
    assert images.pop("user-service") == "registry.example.com/nova/user-service:2.4"
    assert set(images.values()) == {STAND_IN}
    assert {obj["metadata"]["name"] for obj in made if limits(obj)} == images.keys()
