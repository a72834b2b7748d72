from __future__ import annotations

import sys
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
from testing.faults.verdict import Collected
from testing.faults.verification import OVERLAY, Suite, changed_tree


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
def right() -> tuple[Credentials, list[Object]]:
    """Credentials, and what is rendered with them when nothing is wrong."""
    manifests = project() / "manifests"
    credentials = load_credentials(None, manifests)
    return credentials, render(manifests, "multi-node", credentials)


@pytest.mark.parametrize(
    "deploy",
    [pytest.param(f.deploy, id=f.name) for f in read_catalogue() if f.changes_manifests],
)
def test_changed_manifests_of_the_catalogue_render(
    deploy: Deploy, tmp_path: Path, right: tuple[Credentials, list[Object]]
) -> None:
    tree = changed_tree(deploy, "multi-node", tmp_path / "tree")

    changed = render(tree / "manifests", OVERLAY, right[0])

    assert changed != right[1]


PYTEST = """\
import json, pathlib, sys
reports = pathlib.Path(sys.argv[sys.argv.index("-o") + 1].removeprefix("nova_reports="), "latest")
reports.mkdir()
(reports / "summary.md").write_text("- **NODE\\\\_LOST** at `Node a`: it is gone\\n")
events = [
    {"type": "run-started", "schema": 2, "time": "2026-01-02T03:04:05.000Z"},
    {"type": "collected", "time": "2026-01-02T03:04:06.000Z",
     "tests": [{"nodeid": "t::one", "subjects": ["redis", ""]}, {"nodeid": "t::two"}]},
    {"type": "diagnosis", "time": "2026-01-02T03:04:07.000Z", "cause": "NODE_LOST",
     "subject": "Node a", "summary": "it is gone", "cure": "bring it back"},
    {"type": "run-finished", "time": "2026-01-02T03:04:08.000Z", "exit_status": 1, "seconds": 3},
]
(reports / "run.jsonl").write_text("".join(json.dumps(event) + "\\n" for event in events))
print("E  assert 1")
print("=== Nova acceptance ===")
print("asked for:", *sys.argv[sys.argv.index("--no-deploy") + 1:])
"""


def test_run_is_read_with_its_tests_and_with_what_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\n{PYTEST}")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

    suite = Suite(tmp_path / "config", "here", "multi-node", tmp_path / "reports")
    seen = suite.verify("one", "t::one", "t::two[a b]", tree=tmp_path)

    assert seen.tests == (Collected("t::one", ("redis",)), Collected("t::two"))
    assert seen.told == (
        "it is gone",
        "bring it back",
        "- **NODE_LOST** at `Node a`: it is gone",
        "asked for: t::one t::two[a b]",
    )
