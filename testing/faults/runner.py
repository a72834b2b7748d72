"""One fault after the other: put in, verified, judged, taken out, and seen green again."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from nova_acceptance.errors import NovaError
from nova_acceptance.progress import Progress
from testing.faults import health, steps, table
from testing.faults.api_proxy import proxied
from testing.faults.fault import Deploy, Fault, Pods, Target
from testing.faults.ground import Ground, GroundError
from testing.faults.questions import await_shown
from testing.faults.undo import UndoStack
from testing.faults.verdict import Seen, Verdict, judge
from testing.faults.verification import Suite, changed_tree

MOST_RERUN: Final = 40
"""Tests that are named one by one for being seen green; beyond it all are run."""


class Runner:
    """Runs faults on one cluster, and leaves Nova as it was.

    Args:
        ground: the cluster.
        suite: the suite against it.
        progress: where to show how far it is.
    """

    def __init__(self, ground: Ground, suite: Suite, progress: Progress) -> None:
        self._ground = ground
        self._suite = suite
        self._progress = progress

    def run(self, faults: Iterable[Fault]) -> list[Verdict]:
        """Run faults, and write the table as it grows.

        Raises:
            GroundError: Nova was not green before the first fault, or not after one.
        """
        self._expect_green("before", self._suite.deploy("before"))
        verdicts: list[Verdict] = []
        for fault in faults:
            began = time.monotonic()
            verdict = self._try(fault)
            verdicts.append(verdict)
            table.write(verdicts, self._suite.reports / "faults.json")
            mark = "✓" if verdict.is_right else "✗"
            self._progress.say(
                f"{mark} {fault.family}/{fault.name}: {_told(verdict)}"
                f" ({time.monotonic() - began:.0f} s)"
            )
            if any(problem.startswith(_LEFT) for problem in verdict.problems):
                raise GroundError(
                    f"{fault.name} could not be taken out again", evidence=verdict.problems
                )
        self._expect_green("after", self._suite.verify("after"))
        return verdicts

    def _try(self, fault: Fault) -> Verdict:
        undo = UndoStack()
        seen: Seen | None = None
        problems: list[str] = []
        written = self._written()
        try:
            seen = self._with(fault, undo)
            if fault.deploy and not fault.deploy.writes and written != self._written():
                problems.append("something was written that a preflight should have stopped")
        except NovaError as error:
            problems.append(f"could not be put in: {_line(error)}")
        except KeyboardInterrupt:
            raise KeyboardInterrupt(*undo.unwind()) from None
        except BaseException:
            for line in undo.unwind():
                self._progress.say(f"{_LEFT}{line}")
            raise
        left = undo.unwind()
        verdict = judge(fault, seen) if seen else Verdict(fault.name, fault.family)
        left += self._green_again(fault, seen) if not left else []
        problems += [*verdict.problems, *(f"{_LEFT}{line}" for line in left)]
        return replace(verdict, problems=tuple(problems))

    def _written(self) -> dict[str, int]:
        """Return the generation of every workload; a write that changes anything changes it."""
        return {
            f"{kind} {found['metadata']['name']}": found["metadata"]["generation"]
            for kind in ("Deployment", "StatefulSet")
            for namespace in self._ground.system.namespaces
            for found in self._ground.kube.list("apps/v1", kind, namespace=namespace)
        }

    def _with(self, fault: Fault, undo: UndoStack) -> Seen:
        """Put a fault in, run the suite, and return what it said."""
        for step in fault.breaks:
            steps.put_in(self._ground, step, undo)
        for question in fault.shows:
            await_shown(self._ground, question)
        with self._way(fault) as suite:
            if fault.deploy is None:
                return suite.verify(fault.name)
            return self._deployed(suite, fault, fault.deploy, undo)

    def _deployed(self, suite: Suite, fault: Fault, deploy: Deploy, undo: UndoStack) -> Seen:
        with tempfile.TemporaryDirectory(dir=self._ground.scratch) as scratch:
            tree = changed_tree(deploy, suite.overlay, Path(scratch, "tree"))
            if deploy.writes and fault.changes_manifests:
                undo.push("deploying Nova as it should be", lambda: self._mend(fault, deploy))
            for pods in deploy.afresh:
                self._remove(pods)
            return suite.deploy(fault.name, tree=tree)

    def _mend(self, fault: Fault, deploy: Deploy) -> None:
        """Deploy Nova as it should be; what cannot change in place is made anew."""
        for pods in deploy.afresh:
            self._remove(pods)
        self._suite.deploy(f"{fault.name}-mended")

    @contextmanager
    def _way(self, fault: Fault) -> Iterator[Suite]:
        """Give the suite its way to the API: a troubled one, where the fault is that."""
        if not fault.through:
            yield self._suite
            return
        own = self._suite
        with (
            tempfile.TemporaryDirectory(dir=self._ground.scratch) as scratch,
            proxied(
                fault.through, Path(scratch), kubeconfig=own.kubeconfig, context=own.context
            ) as kubeconfig,
        ):
            yield replace(own, kubeconfig=kubeconfig)

    def _remove(self, pods: Pods) -> None:
        """Remove a workload with its claims."""
        workload = self._ground.system.workload(pods.workload)
        at = Target(kind=workload.kind, namespace=workload.namespace, name=workload.name)
        self._ground.delete(at.kind, at.namespace, at.name)
        for number in range(workload.replicas):
            for claim in workload.claims:
                name = f"{claim}-{workload.name}-{number}"
                pod = f"{workload.name}-{number}"
                self._ground.delete("Pod", workload.namespace, pod, now=True)
                self._ground.delete("PersistentVolumeClaim", workload.namespace, name)

    def _green_again(self, fault: Fault, seen: Seen | None) -> list[str]:
        """Wait until Nova is whole, run what failed again, and return what still fails."""
        try:
            health.await_health(self._ground)
            if seen is None or not seen.failures or (fault.deploy and not fault.deploy.writes):
                return []
            failed = [each.nodeid for each in seen.failures if "::" in each.nodeid]
            selection = failed if len(failed) <= MOST_RERUN else []
            again = self._suite.verify(f"{fault.name}-again", *selection)
        except NovaError as error:
            return [_line(error)]
        return [f"{each.nodeid} still fails: {each.message}" for each in again.failures]

    def _expect_green(self, when: str, seen: Seen) -> None:
        if seen.exit_status or seen.failures:
            raise GroundError(
                f"Nova is not green {when} the faults: {len(seen.failures)} tests failed",
                evidence=[f"{each.nodeid}: {each.message}" for each in seen.failures[:8]],
                hint=f"see {self._suite.reports / when}",
            )


_LEFT: Final = "left behind: "


def _line(error: NovaError) -> str:
    return " ".join(str(error).split())


def _told(verdict: Verdict) -> str:
    if not verdict.is_right:
        return "; ".join(verdict.problems)
    if verdict.seconds is None:
        return "survived"
    return f"{verdict.named} after {verdict.seconds:.1f} s, {verdict.by} tests"


def say(text: str) -> None:
    """Write a result to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def own_directory(reports: Path) -> Path:
    """Make and return the directory of a run of the catalogue."""
    path = reports / f"faults-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    path.mkdir(parents=True, exist_ok=True)
    return path
