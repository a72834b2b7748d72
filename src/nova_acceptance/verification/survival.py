"""Whether a pod may be taken away: judged anew before each deed, and nothing is touched if not.

A disruptive test shows that data outlive a pod. Where they would not, it would show that by losing
them: what keeps it from starting is told as a question that was not asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nova_acceptance import timeouts
from nova_acceptance.collect import look
from nova_acceptance.components.kind import Access, Clients
from nova_acceptance.components.kubernetes import survival
from nova_acceptance.components.kubernetes.backends import declared_ports
from nova_acceptance.components.peril import Peril
from nova_acceptance.components.registry import kind_of
from nova_acceptance.errors import UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Kube, PodRef, forbidden
from nova_acceptance.kube.kinds import version_served
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Component, System

RUNNER = "runner"


@dataclass(frozen=True, eq=False)
class Survival:
    """Judges whether what a pod holds would outlive it.

    Args:
        access: how components are reached.
        clients: their clients.
        system: what nova.yaml says.
    """

    _access: Access
    _clients: Clients
    _system: System

    def require(self, component: Component, pod: PodRef) -> str:
        """Return the UID of a component's pod whose loss costs nothing, as far as can be seen.

        Everything is read anew, of the API and of the component itself. What is stored by design
        in no pod for long is not asked about here: nobody calls this for it.

        Args:
            component: the one under test.
            pod: one of its pods.

        Raises:
            UnaskedError: its loss would cost data or leave nobody to take over; or this user may
                not delete it, or not read what that is judged by.
        """
        began = time.monotonic()
        kube, where = self._access.kube, Ref("Pod", pod.namespace, pod.name)
        # What follows is to be seen as well, or it would be done for nothing.
        for verb in ("delete", "watch"):
            _require_right(kube, verb, "pods", pod.namespace)
        stores = [self._system.component(name) for name in component.needs]
        snapshot = self._read([component, *stores])
        _refuse_any(list(survival.perils(snapshot, component.workload, where)))
        _refuse_any(list(self._of_stores(snapshot, stores)))
        found = snapshot.at(where) or {}
        _refuse_any(list(self._of_component(snapshot, component, pod)))
        if kube.can_i("create", "", "pods/eviction", pod.namespace) and (
            refusal := kube.refuses_eviction(pod, uid(found))
        ):
            said = Phrase("the API would not evict {pod}: {said}", pod=where, said=refusal)
            cure = Phrase("see what its PodDisruptionBudgets and the cluster's policies ask for")
            _refuse_any([Peril(where, said, cure)])
        self._access.transcript.add(
            Evidence(
                f"would the data of {component.name} outlive {pod}?",
                RUNNER,
                str(component.workload.ref),
                "yes: claims, volumes, nodes, members, budgets, and its own word",
                time.monotonic() - began,
            )
        )
        return uid(found)

    def _read(self, components: Sequence[Component]) -> Snapshot:
        kube = self._access.kube
        namespaces = list(dict.fromkeys(each.namespace for each in components))
        snapshot = look(
            kube, namespaces, kinds=survival.KINDS, logs=False, timeout=timeouts.READING
        )
        closed = {kind for (kind, _), error in snapshot.failures.items() if forbidden(error)}
        if closed:
            plurals = [kube.plural(version_served(kube, kind) or "v1", kind) for kind in closed]
            raise _forbidden("list", ", ".join(sorted(filter(None, plurals))))
        for error in snapshot.failures.values():
            raise error
        for name in namespaces:
            if found := kube.get("v1", "Namespace", name):
                snapshot.update("ADDED", found, fresh=False)
        return snapshot

    def _of_stores(self, snapshot: Snapshot, stores: Sequence[Component]) -> Iterator[Peril]:
        """Yield why what a component stands on may not bear that it loses a member."""
        for store in stores:
            found = list(survival.of_workload(snapshot, store.workload))
            yield from found
            holding = kind_of(store).holding
            for pod in self._access.pods(store)[:1]:
                if holding and not found:
                    yield from holding(self._access, self._clients.of(store), store, pod).perils

    def _of_component(
        self, snapshot: Snapshot, component: Component, pod: PodRef
    ) -> Iterator[Peril]:
        """Yield what a component says for itself, and where its data are by its own word."""
        holding = kind_of(component).holding
        if holding is None:
            return
        held = holding(self._access, self._clients.of(component), component, pod)
        yield from held.perils
        found = snapshot.get("Pod", pod.namespace, pod.name)
        if held.directory and found:
            ports = {port["containerPort"] for port in declared_ports(found)}
            own = {port for each in component.every_service for port in each.ports.values()}
            yield from survival.of_data(found, held.directory, ports & own)


def require_permission(*, is_local: bool, is_allowed: bool, context: str) -> None:
    """Let disruptive tests run on local clusters, and elsewhere where that was asked for.

    Args:
        is_local: whether the cluster is one.
        is_allowed: whether it was asked for.
        context: what leads to the cluster.

    Raises:
        UnaskedError: they do not.
    """
    if not (is_local or is_allowed):
        raise UnaskedError(
            Phrase("{context} is no local cluster: nothing is disrupted there", context=context),
            hint=Phrase("give `--allow-disruptive` where pods of the system may be killed"),
        )


def _require_right(kube: Kube, verb: str, resource: str, namespace: str) -> None:
    if not kube.can_i(verb, "", resource, namespace):
        raise _forbidden(verb, resource, f"in namespace {namespace}")


def _forbidden(verb: str, resource: str, *evidence: str) -> UnaskedError:
    return UnaskedError(
        Phrase("this user may not {verb} {resource}", verb=verb, resource=resource),
        hint=Phrase("grant it, or do without these answers"),
        evidence=evidence,
    )


def _refuse_any(perils: Sequence[Peril]) -> None:
    """Raise what speaks against the deed, the first of it as the reason."""
    if not perils:
        return
    first = perils[0]
    raise UnaskedError(
        Phrase("nothing is disrupted: {said}", said=first.said),
        hint=first.cure,
        evidence=[str(each) for each in perils],
    )
