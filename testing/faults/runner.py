"""One fault after the other: put in, verified, judged, taken out, and seen green again."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
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
"""Tests that are seen green after a family one by one; of more, one of each function is."""


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
        self._failed: list[str] = []

    def run(self, faults: Iterable[Fault]) -> list[Verdict]:
        """Run faults, and write the table as it grows.

        Each is taken out, and Nova whole, before the next is put in; after each family the tests
        that failed in it are seen green, and after the last one all tests.

        Raises:
            GroundError: Nova was not green before the first fault, or not after a family, or a
                fault could not be taken out.
        """
        self._expect_green("before", self._suite.deploy("before"))
        verdicts: list[Verdict] = []
        for family, members in groupby(faults, lambda fault: fault.family):
            self._failed = []
            for fault in members:
                verdicts.append(self._judged(fault))
                table.write(verdicts, self._suite.reports / "faults.json")
            again = self._suite.verify(f"after-{family}", *_selection(self._failed))
            self._expect_green(f"after-{family}", again)
        self._expect_green("after", self._suite.verify("after"))
        return verdicts

    def _judged(self, fault: Fault) -> Verdict:
        began = time.monotonic()
        verdict, left = self._tried(fault)
        self._progress.say(
            f"{'✓' if verdict.is_right else '✗'} {fault.family}/{fault.name}: {_told(verdict)}"
            f" ({time.monotonic() - began:.0f} s)"
        )
        if left:
            raise GroundError(f"{fault.name} could not be taken out again", evidence=left)
        return verdict

    def _tried(self, fault: Fault) -> tuple[Verdict, list[str]]:
        """Return what became of a fault, and what of it could not be taken out."""
        undo = UndoStack()
        verdict = Verdict(fault.name, fault.family)
        try:
            seen = self._with(fault, undo)
            self._failed += [each.nodeid for each in seen.failures if "::" in each.nodeid]
            verdict = judge(fault, seen)
        except NovaError as error:
            verdict = replace(verdict, problems=(f"could not be put in: {_line(error)}",))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(*undo.unwind()) from None
        except BaseException:
            for line in undo.unwind():
                self._progress.say(f"left behind: {line}")
            raise
        left = undo.unwind()
        try:
            health.await_health(self._ground, calm=fault.calm.after)
        except NovaError as error:
            left.append(_line(error))
        return verdict, left

    def _written(self) -> dict[str, str]:
        """Return what changes with every write that changes anything, by object.

        Of a workload that is its generation, since its status is written all the time.
        """
        return {
            f"{kind} {found['metadata']['name']}": str(found["metadata"][field])
            for version, kind, field in _WRITTEN
            for namespace in self._ground.system.namespaces
            for found in self._ground.kube.list(version, kind, namespace=namespace)
        }

    def _with(self, fault: Fault, undo: UndoStack) -> Seen:
        """Put a fault in, run the suite, and return what it said."""
        for step in fault.breaks:
            steps.put_in(self._ground, step, undo)
        for question in fault.shows:
            await_shown(self._ground, question)
        if fault.calm.before:
            health.await_health(self._ground, calm=fault.calm.before, nodes=False)
        with self._way(fault) as suite:
            if fault.deploy is None:
                return suite.verify(fault.name)
            return self._deployed(suite, fault, fault.deploy, undo)

    def _deployed(self, suite: Suite, fault: Fault, deploy: Deploy, undo: UndoStack) -> Seen:
        with tempfile.TemporaryDirectory(dir=self._ground.scratch) as scratch:
            tree = changed_tree(deploy, suite.overlay, Path(scratch, "tree"))
            if fault.changes_manifests and (deploy.writes or deploy.afresh):
                undo.push("deploying Nova as it should be", lambda: self._mend(fault, deploy))
            for pods in deploy.afresh:
                self._remove(pods)
            before = self._written()
            seen = suite.deploy(fault.name, tree=tree)
            if not deploy.writes and before != self._written():
                undo.push("deploying Nova as it should be", lambda: self._mend(fault, deploy))
                raise GroundError("something was written that a preflight should have stopped")
            return seen

    def _mend(self, fault: Fault, deploy: Deploy) -> None:
        """Deploy Nova as it should be; what cannot change in place is made anew."""
        for pods in deploy.afresh:
            self._remove(pods)
        self._suite.deploy(f"{fault.name}-mended", "tests/infrastructure/test_workloads.py")

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
        workload = self._ground.system.component(pods.workload).workload
        at = Target(kind=workload.kind, namespace=workload.namespace, name=workload.name)
        self._ground.delete(at.kind, at.namespace, at.name)
        for number in range(workload.replicas):
            for claim in workload.claims:
                name = f"{claim}-{workload.name}-{number}"
                pod = f"{workload.name}-{number}"
                self._ground.delete("Pod", workload.namespace, pod, now=True)
                self._ground.delete("PersistentVolumeClaim", workload.namespace, name)

    def _expect_green(self, when: str, seen: Seen) -> None:
        if seen.exit_status or seen.failures:
            raise GroundError(
                f"Nova is not green ({when}): {len(seen.failures)} tests failed",
                evidence=[f"{each.nodeid}: {each.message}" for each in seen.failures[:8]],
                hint=f"see {self._suite.reports / when}",
            )


_WRITTEN: Final = (
    ("apps/v1", "Deployment", "generation"),
    ("apps/v1", "StatefulSet", "generation"),
    ("v1", "Service", "resourceVersion"),
    ("v1", "ConfigMap", "resourceVersion"),
    ("v1", "Secret", "resourceVersion"),
)


def _selection(failed: Sequence[str]) -> tuple[str, ...]:
    """Return these tests, each once; where they are many, the first of each function."""
    distinct = tuple(dict.fromkeys(failed))
    if len(distinct) <= MOST_RERUN:
        return distinct
    return tuple({test.partition("[")[0]: test for test in reversed(distinct)}.values())[::-1]


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
