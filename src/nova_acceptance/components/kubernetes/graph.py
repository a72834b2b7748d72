"""What needs what: the chain that a diagnosis follows from a test's objects down to the cause."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator

from nova_acceptance.components.dns.service import DNS, dns_services
from nova_acceptance.components.kubernetes.addresses import addresses_of, services_meant
from nova_acceptance.components.kubernetes.placement import waits_for_a_pod
from nova_acceptance.components.kubernetes.policies import every_selecting
from nova_acceptance.components.kubernetes.status import (
    CONTROLLERS,
    is_unseen,
    status_of,
)
from nova_acceptance.components.kubernetes.unplaced import awaited_nodes
from nova_acceptance.components.kubernetes.workloads import (
    KINDS,
    controllers,
    pods_of,
    references,
    selected,
    workload_of,
)
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot


class Graph:
    """The needs of a snapshot's objects, worked out as they are asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._parts: dict[Ref, tuple[Ref, ...]] = {}
        self._needs: dict[Ref, tuple[Ref, ...]] = {}

    @classmethod
    def of(cls, snapshot: Snapshot) -> Graph:
        """Return the graph of a snapshot as it is now, the same one until it changes."""
        return snapshot.once("graph", lambda: cls(snapshot))

    def needs(self, where: Ref) -> tuple[Ref, ...]:
        """Return what an object directly needs; an object that is absent may be among it."""
        if where not in self._needs:
            obj = self._snapshot.at(where)
            asked = self._asked(obj) if obj and obj["kind"] in KINDS else ()
            found = dict.fromkeys((*self._made_of(where), *asked))
            found.pop(where, None)
            self._needs[where] = tuple(found)
        return self._needs[where]

    def _made_of(self, where: Ref) -> tuple[Ref, ...]:
        """Return what an object directly needs of its own, other programs left out."""
        if where not in self._parts:
            obj = self._snapshot.at(where)
            found = dict.fromkeys(self._of(obj) if obj else self._of_absent(where))
            found.pop(where, None)
            self._parts[where] = tuple(found)
        return self._parts[where]

    def reach(
        self, start: Iterable[Ref], *, others: bool = True, without: Collection[Ref] = ()
    ) -> dict[Ref, int]:
        """Return all that these objects need, themselves included, with the steps to each.

        Args:
            start: where to begin.
            others: whether to go on to the programs that a workload asks for something.
            without: what is passed over, with all that is needed by way of it alone.
        """
        steps: dict[Ref, int] = {}
        directly = self.needs if others else self._made_of
        for where, before in _walked(start, directly, without).items():
            steps[where] = steps[before] + 1 if before else 0
        return steps

    def is_awaited(self, node: Ref, among: Iterable[Ref]) -> bool:
        """Whether any of these objects is a pod that waits for a node, and does not run there."""
        pods = (where for where in among if where.kind == "Pod" and node in self.needs(where))
        return any(not (self._snapshot.at(pod) or {})["spec"].get("nodeName") for pod in pods)

    def chain(self, start: Iterable[Ref], end: Ref) -> list[Ref]:
        """Return a shortest path from one of the objects to what it needs, or nothing."""
        came = _walked(start, self.needs)
        path: list[Ref] = []
        at: Ref | None = end if end in came else None
        while at is not None:
            path.append(at)
            at = came[at]
        return path[::-1]

    def _of(self, obj: Object) -> Iterator[Ref]:
        kind = obj["kind"]
        if kind in KINDS:
            yield from self._of_workload(obj)
        elif kind == "ReplicaSet":
            yield from (ref(pod) for pod in self._snapshot.owned_by(obj, "Pod"))
        elif kind == "Pod":
            yield from self._of_pod(obj)
        elif kind == "Service":
            yield from (ref(workload) for workload in selected(self._snapshot, obj))
        elif kind == "PersistentVolumeClaim":
            if name := obj["spec"].get("storageClassName"):
                yield Ref("StorageClass", "", name)
            if name := obj["spec"].get("volumeName"):
                yield Ref("PersistentVolume", "", name)
            elif waits_for_a_pod(self._snapshot, obj):
                yield from self._awaited(obj)

    def _of_workload(self, workload: Object) -> Iterator[Ref]:
        namespace = workload["metadata"].get("namespace", "")
        yield Ref("Namespace", "", namespace)
        if is_unseen(workload):
            yield CONTROLLERS
        for controller in controllers(self._snapshot, workload):
            if controller is not workload:
                yield ref(controller)
        yield from (ref(pod) for pod in pods_of(self._snapshot, workload))
        for entry in workload["spec"].get("volumeClaimTemplates") or ():
            if name := entry["spec"].get("storageClassName"):
                yield Ref("StorageClass", "", name)
        yield from (found.target for found in references(workload))
        yield from (ref(policy) for policy in every_selecting(self._snapshot, workload))

    def _of_absent(self, where: Ref) -> Iterator[Ref]:
        """Yield what should have made a pod or a claim that is not there: a StatefulSet.

        A StatefulSet makes the claims of a pod just before the pod, and a pod only after those of
        lower numbers are ready. A claim whose pod is there was made, and somebody took it away.
        """
        if where.kind not in ("Pod", "PersistentVolumeClaim"):
            return
        for found in self._snapshot.of_kind("StatefulSet", where.namespace):
            name, entries = found["metadata"]["name"], found["spec"].get("volumeClaimTemplates")
            of_claims = [f"{entry['metadata']['name']}-{name}" for entry in entries or ()]
            for stem in [name] if where.kind == "Pod" else of_claims:
                number = where.name.removeprefix(f"{stem}-")
                pod = self._snapshot.get("Pod", where.namespace, f"{name}-{number}")
                if number != where.name and number.isdecimal() and pod is None:
                    yield ref(found)
        for workload in self._snapshot.system.every_workload:
            is_its = where in (claim.ref for claim in workload.claimed)
            if is_its and self._snapshot.at(workload.ref) is None:
                yield workload.ref

    def _awaited(self, claim: Object) -> Iterator[Ref]:
        """Yield the workloads of those pods that a claim is for, which have no node yet."""
        for pod in self._snapshot.of_kind("Pod", claim["metadata"].get("namespace", "")):
            wants_it = any(found.target == ref(claim) for found in references(pod))
            if wants_it and (workload := workload_of(self._snapshot, pod)):
                yield ref(workload)

    def _asked(self, workload: Object) -> Iterator[Ref]:
        """Yield the Services that a workload is to ask, and what resolves their names."""
        namespace = workload["metadata"].get("namespace", "")
        if status_of(workload).is_current:
            return  # it runs; whether what it is configured with is right decides nothing below it
        zone = self._snapshot.system.zone
        for address in addresses_of(self._snapshot, workload):
            if meant := services_meant(address.host, namespace, zone):
                there = [where for where in meant if self._snapshot.at(where)]
                yield from there or meant[:1]
                yield from self._dns()

    def _dns(self) -> Iterator[Ref]:
        """Yield by what names are resolved: the Services there are, and the usual name.

        What is found out by asking is found of the latter, whatever the Service is called.
        """
        yield DNS
        yield from (ref(service) for service in dns_services(self._snapshot))

    def _of_pod(self, pod: Object) -> Iterator[Ref]:
        spec = pod["spec"]
        if node := spec.get("nodeName"):
            yield Ref("Node", "", node)
        else:
            yield from map(ref, awaited_nodes(self._snapshot, pod))
        yield from (found.target for found in references(pod))


def _walked(
    start: Iterable[Ref],
    directly: Callable[[Ref], Iterable[Ref]],
    without: Collection[Ref] = (),
) -> dict[Ref, Ref | None]:
    """Return all that these objects need, the nearest first, each with what first needed it."""
    came: dict[Ref, Ref | None] = dict.fromkeys(start)
    waiting = deque(came)
    while waiting:
        where = waiting.popleft()
        for needed in directly(where):
            if needed not in came and needed not in without:
                came[needed] = where
                waiting.append(needed)
    return came
