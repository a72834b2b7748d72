"""The run of this pytest, in all of its processes, and its hold on the system.

A run has one identifier: workers of pytest-xdist have it from the process that started them. The
process that needs it takes the hold (`cluster.tenure`), workers share it, and it is given up when
all of them have ended, after the teardown of every fixture.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from nova_acceptance import masking
from nova_acceptance.cluster import Cluster
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.lease import Leases
from nova_acceptance.cluster.runs import Run
from nova_acceptance.cluster.tenure import Tenure, release
from nova_acceptance.deploy.ownership import is_ours
from nova_acceptance.deploy.phases import guard
from nova_acceptance.deploy.unfinished import (
    Unfinished,
    begin_namespace,
    begin_removal,
    deployment,
)
from nova_acceptance.errors import ClusterError, DeployError, RefusedError
from nova_acceptance.kube import Kube, Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from nova_acceptance.report import Recorder
from nova_acceptance.report.shards import Shard, Shards
from nova_acceptance.system import System

DISRUPTIVE: Final = "disruptive"
"""The marker of tests that disturb the system."""

_Where = dict[str, str | None]
"""Where a system is held: a kubeconfig, its context, a namespace."""

_REPORTS: Final = "nova_reports"
"""The ini option that names the directory of the reports."""
_DEPLOYING: Final = "deploying"
_INPUT: Final = "nova_run"
"""The worker input that holds the run's identifier."""
_RUN: Final = pytest.StashKey[Run]()
_TENURE: Final = pytest.StashKey[Tenure]()
_HELD: Final = pytest.StashKey[tuple[_Where, Kube]]()
"""Where this process holds a system, and the API there."""


class Hold:
    """What fixtures do with the run's hold on the system.

    Args:
        tenure: the hold.
        run: the run's identifier.
        namespace: where its Lease is.
        recorder: takes what is to be said of it.
        is_wanted: whether this run writes at all.
    """

    def __init__(
        self, tenure: Tenure, run: str, namespace: str, recorder: Recorder, *, is_wanted: bool
    ) -> None:
        self.tenure = tenure
        self.run = run
        self.namespace = namespace
        self.is_wanted = is_wanted
        self._recorder = recorder
        self._told: set[str] = set()

    def take(self, purpose: str, progress: Progress) -> bool:
        """Take the hold before the first write, and say for whom the run had to wait.

        Returns:
            Whether it had to wait.

        Raises:
            RefusedError: another run holds the system still, or took it over.
            ClusterError: the API did not answer.
        """
        if not self.is_wanted:
            return False
        known = len(self.tenure.waited_for)
        self.tenure.take(purpose, progress)
        waited = self.tenure.waited_for[known:]
        for holder in waited:
            self._tell(progress, Phrase("waited for run {holder} to end", holder=holder))
        if self.tenure.why_not:
            self._tell(progress, self.tenure.why_not)
        return bool(waited)

    def _tell(self, progress: Progress, said: Phrase) -> None:
        if said not in self._told:
            self._told.add(said)
            progress.say(said)
            self._recorder.tell("note", text=said)


@dataclass(frozen=True)
class Begun:
    """A deployment that may write now.

    Attributes:
        objects: what to apply.
        base: what there was on the cluster.
        tenure: the run's hold.
        unfinished: makes what the Lease is told of it.
    """

    objects: list[Object]
    base: Snapshot
    tenure: Tenure
    unfinished: Callable[[], Unfinished]

    @contextmanager
    def marked(self) -> Iterator[None]:
        """Have the Lease say what was begun until it has come to an end, be it that it failed.

        What is interrupted, or loses the API, has not.

        Raises:
            RefusedError: the run has lost its hold, and nothing was written.
            ClusterError: the API did not answer.
        """
        if not self.tenure.is_held:
            yield
            return
        self.tenure.mark(str(self.unfinished()))
        try:
            yield
        except DeployError:
            with suppress(RefusedError, ClusterError):  # what has failed is told, and not this
                self.tenure.mark(None)
            raise
        self.tenure.mark(None)


@contextmanager
def beginning(
    kube: Kube,
    hold: Hold,
    *,
    plan: Callable[[], tuple[list[Object], Snapshot]],
    lock: Callable[[], AbstractContextManager[None]],
    progress: Progress,
    command: str,
) -> Iterator[Begun]:
    """Hold the system for a deployment, and yield what to deploy, planned while it is held.

    Where the namespace for the Lease is ours, it is taken first. Else nothing is written before a
    plan has shown that the deployment may be made: then the namespace is made, if it is one that
    the manifests define, and the Lease in it. That plan serves if nobody can have come between.

    Args:
        kube: the API.
        hold: the run's hold.
        plan: returns what is to be applied, and what there is; writes nothing.
        lock: one worker, and one run of this user, at a time.
        progress: where to show for whom the run waits.
        command: how the run was started.

    Raises:
        RefusedError: another run holds the system.
        DeployError: it cannot be deployed, and nothing was written.
        ClusterError: the API did not answer.
    """
    run, name = hold.run, hold.namespace
    live = kube.get("v1", "Namespace", name)
    planned = None
    if live is not None and is_ours(live) and "deletionTimestamp" not in live["metadata"]:
        hold.take(_DEPLOYING, progress)
    if not hold.tenure.is_held:
        planned = plan()
        guard(kube, planned[0])
        with lock():
            was_made = begin_namespace(kube, planned[0], name, run) if hold.is_wanted else False
        # Not under the lock: who is waited for may be of this machine, and about to take it.
        has_waited = hold.take(_DEPLOYING, progress)
        if has_waited or not was_made:
            planned = None
    with lock():
        objects, base = planned or plan()
        yield Begun(
            objects,
            base,
            hold.tenure,
            lambda: deployment(
                kube, objects, run=run, command=command, before=hold.tenure.unfinished
            ),
        )


@contextmanager
def removing(hold: Hold, objects: list[Object], command: str) -> Iterator[None]:
    """Have the Lease say that a removal was begun, until it has come to its end.

    Raises:
        RefusedError: the run has lost its hold, and nothing is removed.
        ClusterError: the API did not answer.
    """
    begin_removal(hold.tenure, objects, run=hold.run, command=command)
    yield
    hold.tenure.mark(None)


def shards_of(config: pytest.Config) -> Shards | None:
    """Return the shards of this process's run; None where it is alone."""
    if not (config.option.shard and config.option.run_id):
        return None
    return Shards(config.rootpath / config.getini(_REPORTS), config.option.run_id)


def _of_shards(config: pytest.Config) -> str | None:
    """Return the run's identifier for shards, which hold the system together; else None."""
    if shards_of(config) is None:
        return None
    return hashlib.sha256(config.option.run_id.encode()).hexdigest()[:12]


def _goes_on(config: pytest.Config) -> bool:
    """Whether another shard of the run still holds the system.

    Of two that end at the same moment each may see the other: the Lease expires by itself then.
    """
    shards = shards_of(config)
    return shards is not None and bool(
        shards.await_end(Shard.parse(config.option.shard).others, within=0.0)
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, or have this process take part in one."""
    given = getattr(config, "workerinput", {}).get(_INPUT) or _of_shards(config)
    config.stash[_RUN] = Run(Home.of_user(), given)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which run it is of; the run goes on as long as this process does."""
    run = node.config.stash[_RUN]
    run.begin()
    node.workerinput[_INPUT] = run.id


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """This run, by whose identifier what it makes is known as its own."""
    found = pytestconfig.stash[_RUN]
    found.begin()
    return found


@pytest.fixture(scope="session")
def hold(
    *,
    pytestconfig: pytest.Config,
    cluster: Cluster,
    kube: Kube,
    system: System,
    recorder: Recorder,
    run: Run,
) -> Hold:
    """The run's hold on the system, not taken yet."""
    namespace = system.namespaces[0]
    where: _Where = {
        "kubeconfig": str(cluster.kubeconfig) if cluster.kubeconfig else None,
        "context": cluster.context,
        "namespace": namespace,
    }
    is_wanted = not pytestconfig.getoption("read_only", default=False)
    if is_wanted:
        run.note(where)  # before it is taken: whoever ends last gives it up
    pytestconfig.stash[_HELD] = where, kube
    tenure = pytestconfig.stash[_TENURE] = Tenure(Leases(kube, namespace), run)
    return Hold(tenure, run.id, namespace, recorder, is_wanted=is_wanted)


def command_of(config: pytest.Config) -> str:
    """Return how this run was started, for whoever is to complete what it began."""
    given = getattr(config, "workerinput", {}).get("mainargv")
    arguments = given[1:] if given else config.invocation_params.args
    return masking.mask(shlex.join(["pytest", *map(str, arguments)]))


def require_hold(item: pytest.Item) -> None:
    """See that the run still holds the system before a test; anew before a disruptive one.

    Raises:
        RefusedError: it does not.
        ClusterError: the API did not answer, so that nobody knows.
    """
    if tenure := item.config.stash.get(_TENURE, None):
        tenure.confirm(afresh=item.get_closest_marker(DISRUPTIVE) is not None)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Give the hold up after every fixture's teardown; a worker leaves that to the controller.

    Raises:
        ClusterError: it could not be given up, so that it is left on the cluster.
    """
    config = session.config
    has_left = True
    try:
        yield
        has_left = False
    finally:
        if tenure := config.stash.get(_TENURE, None):
            tenure.stop()
        found = config.stash[_RUN]
        try:
            if not (hasattr(config, "workerinput") or _goes_on(config)):
                for where in found.notes:
                    _release(config, where, found.id)
        except BaseException:
            has_left = True
            raise
        finally:
            found.end(has_left=has_left)


def _release(config: pytest.Config, where: _Where, run: str) -> None:
    """Give up a hold that a process of this run has noted.

    Where this one has it, the API is asked as it was; one that was away, with new patience.
    """
    here, kube = config.stash.get(_HELD, (None, None))
    if kube is None or here != where or kube.outages:
        kubeconfig = where["kubeconfig"]
        kube = Kube(Path(kubeconfig) if kubeconfig else None, where["context"])
    release(Leases(kube, str(where["namespace"])), run)
