"""Faults, alone or several at once: put in, verified, judged, taken out, and seen green again."""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

from nova_acceptance.errors import NovaError
from nova_acceptance.progress import Progress
from testing.faults import health, steps, table
from testing.faults.api_proxy import proxied
from testing.faults.batches import Batch, Batches, deployed_together
from testing.faults.fault import Deploy, Fault, Pods, Target
from testing.faults.ground import Ground, GroundError
from testing.faults.phases import Phases, told
from testing.faults.questions import await_shown
from testing.faults.reach import Owners
from testing.faults.selection import Selection
from testing.faults.undo import UndoStack
from testing.faults.verdict import Collected, Seen, Verdict, judge
from testing.faults.verification import Suite, changed_tree

MOST_RERUN: Final = 40
"""Tests that are seen green after a family one by one; of more, one of each function is."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How faults are run.

    Attributes:
        seed: what the samples of tests are drawn by.
        every: whether all tests verify each fault, and not those that concern it and a sample.
        one_by_one: whether each fault is put in alone.
    """

    seed: int = 0
    every: bool = False
    one_by_one: bool = False


class Runner:
    """Runs faults on one cluster, and leaves Nova as it was.

    Args:
        ground: the cluster.
        suite: the suite against it.
        progress: where to show how far it is.
        manner: how they are run.
        turns: the batches that are run here, by their numbers among all; each when it is wanted.
    """

    def __init__(
        self,
        ground: Ground,
        suite: Suite,
        progress: Progress,
        manner: Manner | None = None,
        turns: Iterable[int] | None = None,
    ) -> None:
        self._ground = ground
        self._suite = suite
        self._progress = progress
        self._manner = manner or Manner()
        self._turns = itertools.count() if turns is None else turns
        self._owners = Owners(ground.system)
        self._selection = self._chooser(())
        self._failed: list[str] = []
        self.phases = Phases()

    def run(self, faults: Iterable[Fault]) -> list[Verdict]:
        """Run faults, and write the table as it grows.

        Each is taken out, and Nova whole, before the next is put in, but for those that are in
        together; after each family the tests that failed in it are seen green, and after the last
        one all tests.

        Raises:
            GroundError: Nova was not green before the first fault, or not after a family, or a
                fault could not be taken out.
        """
        with self.phases.spent("green"):
            before = self._suite.deploy("before")
        self._expect_green("before", before)
        self._selection = self._chooser(before.tests)
        verdicts: list[Verdict] = []
        for family, batches in groupby(self._mine(faults), lambda batch: batch[0].family):
            self._failed = []
            for batch in batches:
                for verdict in self._judged(batch):
                    verdicts.append(verdict)
                    table.write(verdicts, self._suite.reports / "faults.json", self.phases.seconds)
            with self.phases.spent("green"):
                again = self._suite.verify(f"after-{family}", *_selection(self._failed))
            self._expect_green(f"after-{family}", again)
        with self.phases.spent("green"):
            after = self._suite.verify("after")
        self._expect_green("after", after)
        table.write(verdicts, self._suite.reports / "faults.json", self.phases.seconds)
        return verdicts

    def _chooser(self, tests: Sequence[Collected]) -> Selection:
        manner = self._manner
        return Selection(self._owners, tests, seed=manner.seed, every=manner.every)

    def _mine(self, faults: Iterable[Fault]) -> Iterator[Batch]:
        """Yield the batches whose turn it is here."""
        planned = self._planned(faults)
        for number in self._turns:
            if number >= len(planned):
                return
            yield planned[number]

    def _planned(self, faults: Iterable[Fault]) -> list[Batch]:
        if self._manner.one_by_one:
            return [(fault,) for fault in faults]
        return Batches(self._owners, self._selection).planned(faults)

    def _judged(self, batch: Batch) -> Iterator[Verdict]:
        """Yield what became of the faults of a batch, each tried alone where that is not clear.

        What was seen that is none's may be anybody's. Without such, those that were right stay so:
        each has its own cause at its own object, the tests that it breaks and no others, and
        nothing of that is to be had from its neighbours.
        """
        verdicts, strange = self._tried(batch)
        wrong = [number for number, verdict in enumerate(verdicts) if not verdict.is_right]
        if len(batch) == 1 or not (strange or wrong):
            yield from map(self._said, verdicts)
            return
        problems = [f"{verdicts[each].fault}: {verdicts[each].problems[0]}" for each in wrong]
        why = (*problems, *strange)[0]
        again = range(len(batch)) if strange else wrong
        alone = {each: self._alone(batch, each, why) for each in again}
        for number, verdict in enumerate(verdicts):
            yield alone.get(number) or self._said(verdict)

    def _alone(self, batch: Batch, number: int, why: str) -> Verdict:
        """Try one fault of a batch alone, and say what became of it."""
        fault = batch[number]
        names = ", ".join(each.name for each in batch if each is not fault)
        [verdict], _ = self._tried((fault,))
        note = f"alone, since together with {names} it was not right ({why})"
        return self._said(replace(verdict, alone_since=note))

    def _said(self, verdict: Verdict) -> Verdict:
        together = f"with {', '.join(verdict.beside)}" if verdict.beside else ""
        notes = "; ".join(filter(None, (told(verdict.phases), together, verdict.alone_since)))
        self._progress.say(
            f"{'✓' if verdict.is_right else '✗'} {verdict.family}/{verdict.fault}: "
            f"{_told(verdict)} ({notes})"
        )
        return verdict

    def _tried(self, batch: Batch) -> tuple[list[Verdict], tuple[str, ...]]:
        """Return what became of the faults of a batch, and what was seen that is none's.

        Raises:
            GroundError: one of them could not be taken out again.
        """
        undo, phases = UndoStack(), Phases()
        strange: tuple[str, ...] = ()
        verdicts = [Verdict(fault.name, fault.family) for fault in batch]
        try:
            seen = self._with(batch, undo, phases)
            self._failed += [each.nodeid for each in seen.failures if "::" in each.nodeid]
            if len(batch) == 1:
                verdicts = [judge(batch[0], seen)]
            else:
                shared = Batches(self._owners, self._selection).shared(batch, seen)
                strange = shared.strange
                verdicts = list(map(judge, batch, shared.seen))
        except NovaError as error:
            problem = f"could not be put in: {_line(error)}"
            verdicts = [replace(verdict, problems=(problem,)) for verdict in verdicts]
        except KeyboardInterrupt:
            raise KeyboardInterrupt(*undo.unwind()) from None
        except BaseException:
            for line in undo.unwind():
                self._progress.say(f"left behind: {line}")
            raise
        left = self._taken_out(batch, undo, phases)
        self.phases.add(phases.seconds)
        names = tuple(fault.name for fault in batch)
        verdicts = [
            replace(
                verdict,
                phases=phases.seconds,
                beside=tuple(name for name in names if name != verdict.fault),
            )
            for verdict in verdicts
        ]
        if left:
            for verdict in verdicts:
                self._said(verdict)
            raise GroundError(f"{', '.join(names)} could not be taken out again", evidence=left)
        return verdicts, strange

    def _taken_out(self, batch: Batch, undo: UndoStack, phases: Phases) -> list[str]:
        """Take a batch out, and return what could not be, or is not whole again."""
        with phases.spent("out"):
            left = undo.unwind()
        try:
            with phases.spent("healthy"):
                calm = max(fault.calm.after for fault in batch)
                health.await_health(self._ground, calm=calm)
        except NovaError as error:
            left.append(_line(error))
        return left

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

    def _with(self, batch: Batch, undo: UndoStack, phases: Phases) -> Seen:
        """Put the faults of a batch in, run the suite, and return what it said."""
        with phases.spent("in"):
            for step in (step for fault in batch for step in fault.breaks):
                steps.put_in(self._ground, step, undo)
        with phases.spent("shown"):
            for question in (question for fault in batch for question in fault.shows):
                await_shown(self._ground, question)
            if calm := max(fault.calm.before for fault in batch):
                health.await_health(self._ground, calm=calm, broken=True)
        name, deploy = "+".join(fault.name for fault in batch), deployed_together(batch)
        tests = self._selection.of(batch)
        # One that goes another way to the API is in alone.
        with phases.spent("verified"), self._way(batch[0]) as suite:
            if deploy is None:
                return suite.verify(name, *tests)
            return self._deployed(suite, name, deploy, tests, undo)

    def _deployed(
        self, suite: Suite, name: str, deploy: Deploy, tests: Sequence[str], undo: UndoStack
    ) -> Seen:
        with tempfile.TemporaryDirectory(dir=self._ground.scratch) as scratch:
            tree = changed_tree(deploy, suite.overlay, Path(scratch, "tree"))
            if deploy.changes_manifests and (deploy.writes or deploy.afresh):
                undo.push("deploying Nova as it should be", lambda: self._mend(name, deploy))
            for pods in deploy.afresh:
                self._remove(pods)
            before = self._written()
            seen = suite.deploy(name, *tests, tree=tree)
            if not deploy.writes and before != self._written():
                undo.push("deploying Nova as it should be", lambda: self._mend(name, deploy))
                raise GroundError("something was written that a preflight should have stopped")
            return seen

    def _mend(self, name: str, deploy: Deploy) -> None:
        """Deploy Nova as it should be; what cannot change in place is made anew."""
        for pods in deploy.afresh:
            self._remove(pods)
        self._suite.deploy(f"{name}-mended", "tests/infrastructure/test_workloads.py")

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
