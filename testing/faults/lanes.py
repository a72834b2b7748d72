"""Clusters on which faults are run side by side, each by a process of its own.

Every lane plans the same batches, by the same seed, and takes the next one that nobody has taken.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, cast

from nova_acceptance.cluster.home import Home, project
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.cluster.model import Request
from nova_acceptance.components.kubernetes.placement import hosts
from nova_acceptance.components.registry import load
from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from nova_acceptance.system import System
from testing.faults.fault import Fault
from testing.faults.ground import Ground, GroundError
from testing.faults.phases import Phases
from testing.faults.runner import Manner, Runner
from testing.faults.verdict import Verdict
from testing.faults.verification import Suite

# No copy of a process that has threads.
_PROCESSES: Final = multiprocessing.get_context("spawn")


class Turns:
    """Numbers from 0 on, each of which one process alone takes."""

    def __init__(self) -> None:
        self._next: Any = _PROCESSES.Value("i", 0)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        with self._next.get_lock():
            self._next.value += 1
            return int(self._next.value) - 1


@dataclass(frozen=True, slots=True)
class Lane:
    """One cluster, and what is run on it.

    Attributes:
        cluster: its name.
        faults: those of all lanes.
        manner: how they are run.
        directory: where the records of its runs go.
    """

    cluster: str
    faults: Sequence[Fault]
    manner: Manner
    directory: Path

    def run(self, turns: Iterator[int]) -> tuple[list[Verdict], Phases]:
        """Run the batches whose turn it is, on a cluster that is brought up where it is not.

        Returns:
            What became of each fault that was run here, and how long the parts took.

        Raises:
            UsageError: the cluster is none of ours.
            NovaError: it could not be brought up, or Nova is not as it was.
        """
        progress = Progress()
        provider = Provider(Home.of_user(), progress)
        request = Request("kind", name=self.cluster)
        cluster = provider.up(request, Phrase("the faults need one"))
        if cluster.kubeconfig is None:
            raise UsageError(f"cluster {self.cluster} has no kubeconfig of its own")
        docker = provider.cluster(self.cluster).run_docker
        system = load(project() / "nova.yaml")
        lock = Home.of_user().root / "locks" / f"faults-{self.cluster}"
        with (
            exclusive(lock, f"putting faults into {self.cluster}", progress),
            tempfile.TemporaryDirectory(prefix="nova-faults-") as scratch,
        ):
            ground = Ground(
                cluster.kubeconfig,
                cluster.context,
                system,
                lambda node, argv: docker("exec", node, *argv),
                Path(scratch),
            )
            overlay = _overlay(ground.kube, system)
            suite = Suite(cluster.kubeconfig, cluster.context, overlay, self.directory)
            runner = Runner(ground, suite, progress, self.manner, turns)
            return runner.run(self.faults), runner.phases


@dataclass(frozen=True, slots=True)
class _End:
    """How a lane ended.

    Attributes:
        verdicts: what became of the faults that were run on it.
        seconds: how long the parts took.
        failure: why it could not go on; empty if it could.
        evidence: what was seen of that.
    """

    verdicts: tuple[Verdict, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""
    evidence: tuple[str, ...] = ()


def side_by_side(lanes: Sequence[Lane]) -> tuple[list[Verdict], Phases]:
    """Run lanes, each in a process of its own, and return what all of them found.

    Raises:
        GroundError: a lane could not go on, though the others did, or a fault was not run once.
        KeyboardInterrupt: it was interrupted; each lane has taken out what it had put in.
    """
    turns = Turns()
    running = [_begun(lane, turns) for lane in lanes]
    try:
        ends = [_end_of(*each) for each in running]
    except KeyboardInterrupt:
        for process, _ in running:
            process.terminate()
        for process, _ in running:
            process.join()
        raise
    for lane, end in zip(lanes, ends, strict=True):
        if end.failure:
            raise GroundError(f"on {lane.cluster}: {end.failure}", evidence=end.evidence)
    verdicts = [verdict for end in ends for verdict in end.verdicts]
    phases = Phases()
    for end in ends:
        phases.add(end.seconds)
    faults = Counter((fault.family, fault.name) for fault in lanes[0].faults)
    faults.subtract((verdict.family, verdict.fault) for verdict in verdicts)
    if odd := sorted("/".join(name) for name, count in faults.items() if count):
        raise GroundError("not every fault was run once", evidence=odd[:8])
    return verdicts, phases


def _begun(lane: Lane, turns: Turns) -> tuple[Any, Connection]:
    told, tell = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_run, args=(lane, turns, tell), name=lane.cluster)
    process.start()
    tell.close()
    return process, told


def _end_of(process: Any, told: Connection) -> _End:
    try:
        end = told.recv()
    except EOFError:
        process.join()
        return _End(failure=f"the process ended with status {process.exitcode}")
    process.join()
    return cast(_End, end)


def _run(lane: Lane, turns: Turns, tell: Connection) -> None:
    """Run a lane, and tell how it ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lane.directory.mkdir(parents=True, exist_ok=True)
    try:
        verdicts, phases = lane.run(turns)
    except NovaError as error:
        hint = (f"→ {error.hint}",) if error.hint else ()
        tell.send(_End(failure=error.message, evidence=(*error.evidence, *hint)))
    except KeyboardInterrupt as error:
        left = "; ".join(map(str, error.args)) or "nothing"
        sys.stderr.write(f"faults: interrupted on {lane.cluster}; left behind: {left}\n")
    else:
        tell.send(_End(tuple(verdicts), phases.seconds))


def _overlay(kube: Kube, system: System) -> str:
    spread = max(workload.replicas for workload in system.every_workload)
    return "multi-node" if len(hosts(kube.list("v1", "Node"))) >= spread else "single-node"
