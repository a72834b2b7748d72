"""The suite, run as a user would run it: in a process of its own, read back from its record."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import yaml

from nova_acceptance import timeouts
from nova_acceptance.cluster.home import project
from nova_acceptance.report.record import read
from testing.faults import wording
from testing.faults.fault import Deploy
from testing.faults.ground import GroundError
from testing.faults.verdict import Seen, seen_in

RUN: Final = 2 * timeouts.ROLLOUT
"""One run of the suite at most, in seconds."""
OVERLAY: Final = "as-it-should-not-be"
_COPIED: Final = ("manifests", "tests", "nova.yaml", "pyproject.toml", "conftest.py")


@dataclass(frozen=True, slots=True)
class Suite:
    """The acceptance suite against one cluster.

    Attributes:
        kubeconfig: the file that leads to the cluster.
        context: the context in it.
        overlay: the overlay that serves there.
        reports: where each run's record goes, a directory a name.
    """

    kubeconfig: Path
    context: str
    overlay: str
    reports: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def verify(self, name: str, *selection: str, tree: Path | None = None) -> Seen:
        """Verify what is there.

        Args:
            name: the directory of this run's record.
            selection: options or tests that say what is verified; nothing takes all that is not
                disruptive.
            tree: the project's files; None takes the project itself.
        """
        return self._run(name, ["--no-deploy", *(selection or _CALM)], tree or project())

    def deploy(self, name: str, *selection: str, tree: Path | None = None) -> Seen:
        """Deploy, and verify; the arguments are those of `verify`."""
        overlay = OVERLAY if tree else self.overlay
        return self._run(name, [f"--overlay={overlay}", *(selection or _CALM)], tree or project())

    def _run(self, name: str, options: Sequence[str], tree: Path) -> Seen:
        reports = self.reports / name
        argv = [
            *(sys.executable, "-m", "pytest", f"--cluster=context:{self.context}", "-q"),
            *("-p", "no:cacheprovider", "-o", f"nova_reports={reports}", *options),
        ]
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), **self.environment}
        # More than a hundred runs start with the same modules: only the first compiles them.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        reports.mkdir(parents=True, exist_ok=True)
        with (reports / "output.txt").open("w") as output:
            process = subprocess.Popen(
                argv, cwd=tree, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                process.wait(RUN)
            except subprocess.TimeoutExpired:
                pass  # what it recorded so far is judged
            finally:
                _end(process)
        try:
            seen = seen_in(read(reports / "latest"))
        except Exception as error:
            tail = (reports / "output.txt").read_text().splitlines()[-5:]
            raise GroundError("the suite left no record", evidence=tail) from error
        return replace(seen, told=(*seen.told, *_told(reports)))


def _told(reports: Path) -> list[str]:
    """Return what a run says beside its record: its summary, and how it ends in a terminal."""
    summary = reports / "latest" / "summary.md"
    return [
        *(wording.told_in_summary(summary.read_text("utf-8")) if summary.exists() else ()),
        *wording.told_at_the_end((reports / "output.txt").read_text("utf-8", "replace")),
    ]


_CALM: Final = ("-m", "not disruptive")


def changed_tree(deploy: Deploy, overlay: str, into: Path) -> Path:
    """Copy what the suite reads, with the manifests changed, and return the copy.

    Args:
        deploy: how they are changed.
        overlay: what the changes stand upon.
        into: a directory that does not exist yet.

    Raises:
        GroundError: the text that an edit replaces is not there.
    """
    into.mkdir(parents=True)
    for name in _COPIED:
        source = project() / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, into / name)
    for edit in deploy.edits:
        file = into / "manifests" / edit.file
        text = file.read_text()
        if edit.replace not in text:
            raise GroundError(f"{edit.file} has no text {edit.replace!r} to replace")
        file.write_text(text.replace(edit.replace, edit.by))
    directory = into / "manifests" / "overlays" / OVERLAY
    directory.mkdir()
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"../{overlay}"],
        "patches": [patch.model_dump() for patch in deploy.patches],
    }
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization, sort_keys=False))
    return into


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run that is still under way: in good order, then at once."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeouts.COMMAND_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
