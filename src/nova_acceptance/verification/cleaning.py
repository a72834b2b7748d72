"""What killed runs have left on a cluster, and taking it away: `nova-cluster clean`.

It holds the system meanwhile, as a run does, so that nothing of a run that goes on is taken for
left over. Only what is known by a run's label, by the name that a run's Lease has for it, or by
this project's prefix in a component is removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nova_acceptance.cluster.lease import Holder, Leases
from nova_acceptance.cluster.runs import Run
from nova_acceptance.cluster.tenure import Tenure
from nova_acceptance.collect import look
from nova_acceptance.components.registry import kind_of
from nova_acceptance.deploy.unfinished import Unfinished, remove_begun_namespace
from nova_acceptance.errors import NovaError, RefusedError
from nova_acceptance.kube import Kube
from nova_acceptance.progress import Progress
from nova_acceptance.system import Component, System
from nova_acceptance.vantage.left_over import abandoned, remove_abandoned
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.probe_pods import Settings
from nova_acceptance.verification.access import Clients
from nova_acceptance.verification.asking import opened_clients


@dataclass(slots=True)
class Cleaned:
    """What came of it.

    Attributes:
        removed: what was left over, and is no more.
        left: what is still there, or could not be looked for, with the reason.
    """

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def clean(kube: Kube, system: System, run: Run, progress: Progress) -> Cleaned:
    """Remove what killed runs left on a cluster.

    Args:
        kube: the API.
        system: what runs were about.
        run: the run that this is.
        progress: where to show for whom it waits, and how far it is.

    Raises:
        RefusedError: another run goes on.
        ClusterError: the API did not answer.
    """
    done = Cleaned()
    leases = Leases(kube, system.namespaces[0])
    tenure = Tenure(leases, run)
    found = leases.read()
    tenure.take("cleaning", progress)
    try:
        if found and (holder := Holder.of(found)) and holder not in tenure.waited_for:
            done.removed.append(f"{leases} of run {holder}")
        _Cleaning(kube, system, run, tenure, progress, done).do()
    finally:
        tenure.release()
    return done


@dataclass(frozen=True)
class _Cleaning:
    """The removal of everything, in the order in which less is left to look at."""

    kube: Kube
    system: System
    run: Run
    tenure: Tenure
    progress: Progress
    done: Cleaned

    def do(self) -> None:
        self._remove_pods()
        unfinished = Unfinished.read(self.tenure.unfinished)
        if unfinished:
            self._end(unfinished)
        elif self.tenure.is_held:
            self._remove_namespace()
        if not (unfinished and unfinished.is_to_be_removed):
            self._clear()

    def _is_alive(self, run: str) -> bool:
        """Whether a run goes on: of another machine none does while the system is held here."""
        return self.run.is_alive(run) and (self.run.knows(run) or not self.tenure.is_held)

    def _remove_pods(self) -> None:
        for pod, uid in abandoned(self.kube, self.system.namespaces, self._is_alive):
            try:
                remove_abandoned(self.kube, pod, uid)
            except NovaError as error:
                self.done.left.append(f"pod {pod}: {error.message}")
            else:
                self.done.removed.append(f"pod {pod}")

    def _remove_namespace(self) -> None:
        """Remove the namespace of a run that was killed before it had begun anything in it."""
        name = self.system.namespaces[0]
        self.tenure.goes_along = True
        if remove_begun_namespace(self.kube, name, self._is_alive):
            self.done.removed.append(f"namespace {name}, in which nothing had begun")
        else:
            self.tenure.goes_along = False

    def _end(self, unfinished: Unfinished) -> None:
        """Remove what was begun from nothing, or say how a broken-off update is completed."""
        what = f"{unfinished.deed} by run {unfinished.run}"
        if not unfinished.is_to_be_removed:
            self.done.left.append(f"{what}, broken off; complete it: {unfinished.command}")
            return
        self.tenure.goes_along = True
        try:
            stays = unfinished.remove(self.kube, self.progress)
            self.tenure.mark(None)
        except RefusedError:
            raise
        except NovaError as error:
            self.done.left.append(f"{what}: {error.message}")
            return
        doubt = "its label says that it is ours, and nothing shows it"
        self.done.left += [f"{each}: {doubt}" for each in stays]
        self.done.removed.append(what)

    def _clear(self) -> None:
        """Remove the data of killed tests from every component."""
        there = [
            each
            for each in self.system.components
            if kind_of(each).clear and self.kube.get("v1", "Namespace", each.namespace)
        ]
        if there and not self.tenure.is_held:
            why = self.tenure.why_not
            self.done.left.append(f"what tests left in components: not looked for, since {why}")
        elif there:
            snapshot = look(self.kube, self.system.namespaces, self.system, logs=False)
            with (
                Places(self.kube, Settings(run=self.run.id)) as places,
                opened_clients(places, snapshot, self.system) as clients,
            ):
                for component in there:
                    self._clear_one(component, clients)

    def _clear_one(self, component: Component, clients: Clients) -> None:
        clear = kind_of(component).clear
        try:
            removed = clear(clients.of(component), component) if clear else ()
        except Exception as error:  # noqa: BLE001 - a client's library raises what it will
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            self.done.left.append(f"what tests left in {component.name}: not known: {said}")
        else:
            self.done.removed += [f"{each} of {component.name}" for each in removed]
