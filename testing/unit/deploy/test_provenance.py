"""A run says which manifests it was about, by their commit and by their content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nova_acceptance.deploy.provenance import Provenance, provenance


def git(directory: Path, *arguments: str) -> str:
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    names = ("-c", "user.name=Nova", "-c", "user.email=nova@nova.invalid")
    done = subprocess.run(
        ["git", *names, *arguments],
        cwd=directory,
        env={**os.environ, **identity},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose only commit holds manifests and a nova.yaml."""
    if not shutil.which("git"):
        pytest.skip("there is no git")
    (tmp_path / "manifests" / "base").mkdir(parents=True)
    (tmp_path / "manifests" / "base" / "redis.yaml").write_text("kind: StatefulSet\n")
    (tmp_path / "manifests" / "README.md").write_text("# Nova\n")
    (tmp_path / "nova.yaml").write_text("zone: cluster.local\n")
    (tmp_path / ".gitignore").write_text("tls.key\nignored/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Nova")
    return tmp_path


def found(checkout: Path) -> Provenance:
    return provenance(checkout / "manifests", checkout / "nova.yaml")


def test_commit_is_that_of_the_repository_that_holds_the_manifests(checkout: Path) -> None:
    assert found(checkout).commit == git(checkout, "rev-parse", "HEAD")
    assert not found(checkout).is_changed


@pytest.mark.parametrize("name", ["manifests/base/redis.yaml", "nova.yaml"])
def test_change_of_a_file_is_told(checkout: Path, name: str) -> None:
    before = found(checkout)
    with (checkout / name).open("a") as file:
        file.write("# and more\n")

    assert found(checkout).is_changed
    assert found(checkout).commit == before.commit
    assert found(checkout).digest != before.digest


def test_new_file_is_a_change(checkout: Path) -> None:
    (checkout / "manifests" / "new.yaml").write_text("")

    assert found(checkout).is_changed


def test_change_elsewhere_in_the_repository_is_none_of_the_manifests(checkout: Path) -> None:
    before = found(checkout)
    (checkout / "README.md").write_text("# Something else\n")

    assert found(checkout) == before


def test_credentials_that_were_filled_in_are_no_change(checkout: Path) -> None:
    before = found(checkout)
    (checkout / "manifests" / "tls.key").write_text("x\n")

    assert found(checkout) == before


def test_specification_from_outside_is_not_of_the_commit(checkout: Path) -> None:
    outside = checkout.parent / f"{checkout.name}.yaml"
    outside.write_text("zone: cluster.local\n")
    (checkout / "ignored").mkdir()
    (checkout / "ignored" / "nova.yaml").write_text("zone: cluster.local\n")

    for spec in (outside, checkout / "ignored" / "nova.yaml"):
        assert provenance(checkout / "manifests", spec).is_changed, spec


def test_copy_that_a_repository_ignores_is_of_no_commit(checkout: Path) -> None:
    copy = checkout / "ignored" / "manifests"
    copy.mkdir(parents=True)
    (copy / "base.yaml").write_text("kind: StatefulSet\n")

    copied = provenance(copy, checkout / "nova.yaml")

    assert (copied.commit, copied.is_changed) == ("", False)
    assert copied.digest


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "raise SystemExit(1)", None])
def test_git_that_is_absent_slow_or_refuses_leaves_the_commit_empty(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    programs = checkout.parent / f"{checkout.name}-programs"
    programs.mkdir()
    if program:
        stub = programs / "git"
        stub.write_text(f"#!{sys.executable}\n{program}\n")
        stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("nova_acceptance.timeouts.GIT", 0.5)

    asked = found(checkout)

    assert (asked.commit, asked.is_changed) == ("", False)
    assert asked.digest


def test_variables_of_a_hook_lead_to_no_other_repository(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")

    assert found(checkout).commit


@pytest.mark.parametrize("place", [".", "manifests/module"])
def test_program_that_a_repository_names_is_not_started(checkout: Path, place: str) -> None:
    program = checkout.parent / f"{checkout.name}-program"
    program.write_text(f"#!/bin/sh\ntouch {program}.ran\n")
    program.chmod(0o755)
    git(checkout / "manifests", "init", "--quiet", "module")
    git(checkout / "manifests" / "module", "commit", "--quiet", "--allow-empty", "--message", "It")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "With a module")
    git(checkout / place, "config", "core.fsmonitor", str(program))
    hooks = git(checkout / place, "rev-parse", "--absolute-git-dir")
    (Path(hooks) / "hooks" / "post-index-change").symlink_to(program)
    (checkout / "manifests" / "README.md").touch()

    assert not found(checkout).is_changed
    assert not Path(f"{program}.ran").exists()


def test_digest_is_that_of_what_sha256sum_prints(checkout: Path) -> None:
    names = ["manifests/README.md", "manifests/base/redis.yaml", "nova.yaml"]
    lines = [
        f"{hashlib.sha256((checkout / name).read_bytes()).hexdigest()}  {name}\n" for name in names
    ]

    assert found(checkout).digest == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_file_that_cannot_be_read_leaves_the_digest_empty(checkout: Path) -> None:
    asked = provenance(checkout / "manifests", checkout / "absent.yaml")

    assert asked.digest == ""


def test_manifests_of_one_file_are_looked_at_by_themselves(checkout: Path) -> None:
    file = checkout / "manifests" / "base" / "redis.yaml"
    before = provenance(file, checkout / "nova.yaml")
    (checkout / "manifests" / "README.md").write_text("# Something else\n")

    assert before.commit == git(checkout, "rev-parse", "HEAD")
    assert provenance(file, checkout / "nova.yaml") == before
    file.write_text("kind: Deployment\n")
    after = provenance(file, checkout / "nova.yaml")
    assert (before.is_changed, after.is_changed) == (False, True)
    assert after.digest != before.digest


def test_run_without_manifests_is_about_nova_yaml_alone(checkout: Path) -> None:
    before = provenance(None, checkout / "nova.yaml")
    (checkout / "manifests" / "README.md").write_text("# Something else\n")

    assert before.commit == git(checkout, "rev-parse", "HEAD")
    assert provenance(None, checkout / "nova.yaml") == before
