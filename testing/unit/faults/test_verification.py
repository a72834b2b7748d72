from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nova_acceptance.cluster.home import project
from nova_acceptance.deploy import load_credentials, render
from nova_acceptance.deploy.credentials import Credentials
from nova_acceptance.kube import Object
from testing.faults.fault import Deploy, Edit
from testing.faults.ground import GroundError
from testing.faults.reading import read_catalogue
from testing.faults.verification import OVERLAY, changed_tree


def test_manifests_are_changed_in_a_copy_only(tmp_path: Path) -> None:
    config = project() / "manifests" / "base" / "redis" / "redis.conf"
    before = config.read_text()

    tree = changed_tree(
        Deploy(edits=(Edit(file="base/redis/redis.conf", replace="dir /data", by="dir /x"),)),
        "multi-node",
        tmp_path / "tree",
    )

    assert "dir /x" in (tree / "manifests" / "base" / "redis" / "redis.conf").read_text()
    assert config.read_text() == before
    assert (tree / "tests" / "networking").is_dir()


def test_changes_stand_upon_the_overlay_that_serves(tmp_path: Path) -> None:
    tree = changed_tree(Deploy(), "single-node", tmp_path / "tree")

    overlay = tree / "manifests" / "overlays" / OVERLAY / "kustomization.yaml"
    assert yaml.safe_load(overlay.read_text())["resources"] == ["../single-node"]


def test_edit_of_text_that_is_not_there_is_refused(tmp_path: Path) -> None:
    edit = Edit(file="base/redis/redis.conf", replace="dir /nowhere", by="x")

    with pytest.raises(GroundError, match="has no text 'dir /nowhere'"):
        changed_tree(Deploy(edits=(edit,)), "multi-node", tmp_path / "tree")


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> tuple[Credentials, list[Object]]:
    """Credentials, and what is rendered with them when nothing is wrong."""
    manifests = project() / "manifests"
    credentials = load_credentials(None, manifests)
    return credentials, render(manifests, "multi-node", credentials, tmp_path_factory.mktemp("r"))


@pytest.mark.parametrize(
    "deploy",
    [pytest.param(f.deploy, id=f.name) for f in read_catalogue() if f.changes_manifests],
)
def test_changed_manifests_of_the_catalogue_render(
    deploy: Deploy, tmp_path: Path, right: tuple[Credentials, list[Object]]
) -> None:
    tree = changed_tree(deploy, "multi-node", tmp_path / "tree")

    changed = render(tree / "manifests", OVERLAY, right[0], tmp_path)

    assert changed != right[1]
