"""The pipelines of GitHub and GitLab do the same, with what this repository has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report.command import main as nova_report

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
GITLAB = ROOT / ".gitlab-ci.yml"
PIPELINES = [*WORKFLOWS, GITLAB]

KEYWORDS = {"workflow", "stages", "default", "variables"}
"""Top-level keys of GitLab that are no jobs."""
IMAGE = re.compile(r"kindest/node:v(\d+\.\d+)\.\d+@sha256:[0-9a-f]{64}")


def loaded(path: Path) -> dict[str, Any]:
    """Read YAML 1.2 as both services do: `on` is a word there, and no truth."""
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    assert isinstance(document, dict)
    return document


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    """Return GitLab's jobs, each with what it extends in it."""
    document = loaded(GITLAB)
    jobs = {name: job for name, job in document.items() if name not in KEYWORDS}
    return {
        name: {**jobs.get(job.get("extends", ""), {}), **job}
        for name, job in jobs.items()
        if not name.startswith(".")
    }


def github_rows() -> list[dict[str, str]]:
    nightly = loaded(ROOT / ".github" / "workflows" / "nightly.yaml")
    rows: list[dict[str, str]] = nightly["jobs"]["acceptance"]["strategy"]["matrix"]["include"]
    return rows


def name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_workflow_may_read_the_code_and_nothing_else(path: Path) -> None:
    document = loaded(path)

    assert document["permissions"] == {"contents": "read"}
    assert not [job for job in document["jobs"].values() if "permissions" in job]
    assert "secrets" not in path.read_text(encoding="utf-8")
    assert "pull_request_target" not in document["on"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_every_job_of_a_workflow_ends_in_time(path: Path) -> None:
    for job in loaded(path)["jobs"].values():
        assert job.get("uses", "").startswith("./") or int(job["timeout-minutes"]) <= 75


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_action_is_named_by_a_version_and_leaves_no_credentials(path: Path) -> None:
    jobs = loaded(path)["jobs"].values()
    for step in (step for job in jobs for step in job.get("steps", ())):
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w/-]+@v\d+", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def test_there_is_a_night_and_it_can_be_started_by_hand() -> None:
    document = loaded(ROOT / ".github" / "workflows" / "nightly.yaml")

    assert document["on"]["schedule"]
    assert "workflow_dispatch" in document["on"]
    assert document["concurrency"]["cancel-in-progress"] == "false"


def test_nights_have_a_row_for_every_kubernetes_from_the_oldest_to_the_newest() -> None:
    rows = github_rows()

    for row in rows:
        image = IMAGE.fullmatch(row["node-image"])
        assert image
        assert image[1] == row["kubernetes"]
        assert re.fullmatch(r"v0\.\d+\.\d+", row["kind"])
    minors = [int(row["kubernetes"].partition(".")[2]) for row in rows]
    assert minors == sorted(set(minors))
    assert minors[0] == 20


def test_gitlab_has_the_rows_of_github() -> None:
    (matrix,) = gitlab_jobs()["nightly"]["parallel"].values()

    assert matrix == [
        {
            "NAME": f"kubernetes-{row['kubernetes']}",
            "KIND": row["kind"],
            "NODE_IMAGE": row["node-image"],
        }
        for row in github_rows()
    ]


def test_gitlab_s_jobs_are_complete() -> None:
    document = loaded(GITLAB)
    jobs = gitlab_jobs()

    assert {job["stage"] for job in jobs.values()} == {*document["stages"]}
    assert all(job["script"] for job in jobs.values())
    for job in jobs.values():
        if job["stage"] == "acceptance":
            assert job["artifacts"]["when"] == job["cache"]["when"] == "always"
            assert job["artifacts"]["reports"]["junit"].endswith("/junit.xml")


def test_what_a_red_run_left_is_kept() -> None:
    workflow = loaded(ROOT / ".github" / "workflows" / "acceptance.yaml")
    steps = workflow["jobs"]["acceptance"]["steps"]
    after = [place for place, step in enumerate(steps) if "pytest" in step.get("run", "")][-1] + 1

    assert len(steps[after:]) == 3
    assert all(step["if"].startswith("always()") for step in steps[after:])
    assert "GITHUB_STEP_SUMMARY" in steps[after]["run"]


def verifying() -> str:
    """Return the script of GitHub's step that runs the suite."""
    steps = loaded(ROOT / ".github" / "workflows" / "acceptance.yaml")["jobs"]["acceptance"][
        "steps"
    ]
    (script,) = (step["run"] for step in steps if ".venv/bin/pytest" in step.get("run", ""))
    return str(script)


@pytest.mark.parametrize("image", ["", "kindest/node:v1.37.0"])
@pytest.mark.parametrize("status", [*range(6), *ExitStatus, 137])
def test_only_0_is_green_and_whatever_else_is_said(tmp_path: Path, status: int, image: str) -> None:
    suite = tmp_path / ".venv" / "bin" / "pytest"
    suite.parent.mkdir(parents=True)
    suite.write_text(f'#!/bin/sh\nprintf "<%s>" "$@"\necho\nexit {int(status)}\n')
    suite.chmod(0o755)
    variables = {"NODE_IMAGE": image, "HISTORY": "history.zip", "KEEP_RUNS": "9"}

    ended = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", verifying()],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    called, *said = ended.stdout.splitlines()
    given = f"<--node-image={image}>" if image else ""
    assert called == f"<--cluster><kind>{given}<--history=history.zip><--keep-runs=9>"
    assert ended.returncode == status
    assert [line.startswith("::error") for line in said] == [True] * (status != 0)


def test_no_pipeline_looks_away() -> None:
    for path in PIPELINES:
        assert not re.search(r"continue-on-error|allow_failure", path.read_text(encoding="utf-8"))


def commands() -> list[str]:
    return [
        line.strip()
        for path in PIPELINES
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(make|pytest|nova-report|nova-cluster)\b|--\w", line)
    ]


def test_make_has_the_targets_that_pipelines_ask_for() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    asked = {
        word
        for line in commands()
        for match in re.findall(r"(?:run: |- )make ((?:[a-z]+ ?)+)", line)
        for word in match.split()
    }

    assert {"check", "unit", "setup", "lowest"} <= asked
    assert not [target for target in asked if not re.search(rf"^{target}:", makefile, re.M)]


def test_pytest_has_the_options_that_pipelines_give() -> None:
    asked = set(re.findall(r'"?(--[a-z-]+)', "\n".join(commands())))
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "--help", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout

    assert {"--cluster", "--node-image", "--history", "--keep-runs"} <= asked
    assert not [option for option in asked if option not in shown]
    assert "history" in nova_report.commands
