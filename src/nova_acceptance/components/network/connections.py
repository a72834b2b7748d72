"""Connections from inside a component's pod to what it uses, and why one is closed.

The survey of reachability has tried every port once; a client connects only through one that was
open. One that was not costs nobody another wait, and what keeps it closed is worked out from the
whole of the survey.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from nova_acceptance.components.dns.lookups import ask_why
from nova_acceptance.components.kubernetes.addresses import service_meant
from nova_acceptance.components.kubernetes.policies import distinguishing
from nova_acceptance.components.kubernetes.seen import Seen, addresses_of
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import containers
from nova_acceptance.components.network.closed import ABSENT, SILENT, why_closed
from nova_acceptance.components.network.cut import Cut, cuts
from nova_acceptance.components.network.listening import said_in_logs
from nova_acceptance.components.network.loopback import (
    answers_the_kubelet,
    is_loopback,
    on_loopback_alone,
)
from nova_acceptance.components.network.plugins import are_policies_enforced
from nova_acceptance.components.network.questions import (
    CLOSED_PORT,
    dial,
    listening_behind,
)
from nova_acceptance.components.network.trials import node_of, trials
from nova_acceptance.errors import NovaError, ProbeError, UnaskedError
from nova_acceptance.findings import Finding, FindingError, Ref, ref
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.system import Front, System, Workload
from nova_acceptance.system.parts import Door, doors, fronts, passages
from nova_acceptance.vantage.http import page
from nova_acceptance.vantage.loopback import taken_on_loopback
from nova_acceptance.vantage.places import PlaceKind, Places
from nova_acceptance.vantage.questions import Answer, Dial, Get, Listeners, Listening, Page
from nova_acceptance.vantage.routes import Route, Routes
from nova_acceptance.vantage.survey import Survey

_OF_THE_DNS: Final = frozenset({"DNS_DOWN", "DNS_SLOW", "ZONE_MISNAMED"})
_OF_A_RESOLVER: Final = frozenset({"NETWORK_CUT", "SEARCH_PATH_LOST"})


@dataclass(eq=False)
class Connections:
    """Connections through pods to Services, opened only where the survey found an open port.

    Attributes:
        places: from where the pods can be asked.
        system: what nova.yaml says.
        objects: what the API says.
        routes: opens routes.
        survey: the survey of reachability.
        pods: a pod of each component, by the component's name; asking for one that has none says
            why not.
    """

    places: Places
    system: System
    objects: Seen
    routes: Routes
    survey: Survey
    pods: Mapping[str, PodRef]
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _names: dict[tuple[PodRef, Ref], Finding | None] = field(default_factory=dict, init=False)
    _resolvers: dict[PodRef | None, Finding] = field(default_factory=dict, init=False)
    _loopbacks: dict[tuple[Ref, int], Finding | None] = field(default_factory=dict, init=False)
    _cuts: list[Cut] | None = field(default=None, init=False)

    def is_listened_at(self, door: Door) -> bool:
        """Whether a pod behind a Service's port finds it open at one of these pods itself."""
        pod = self.pods[door.front.workload.component]
        at_pods = listening_behind(self.objects, door).items()
        return any(self.survey.answer(pod, Dial(*each)).state == "open" for each in at_pods)

    def first_to(self, pods: Iterable[PodRef], front: Front, port: int) -> Route:
        """Return the route from the first of several pods to which the port is open.

        Where none of them can be asked from, it is a port-forward to a pod behind the Service.

        Raises:
            FindingError: it is closed to all of them.
            ProbeError: there is no pod to ask from.
        """
        shown: list[Finding] = []
        unasked: list[UnaskedError] = []
        for pod in pods:
            try:
                found = self.closed(pod, front, port)
                if found is None:
                    return self.routes.through(pod, front.full_name(self.system.zone), port)
            except UnaskedError as error:
                unasked.append(error)
            else:
                shown.append(found)
        if shown:
            raise FindingError(shown[0])
        if unasked:
            return self._behind(front, port, unasked[0])
        raise ProbeError(
            f"no pod of a service runs, so {front.name} cannot be asked from one",
            hint="`kubectl get pods -A` shows what there is",
        )

    def to_host(self, pod: PodRef, host: str, port: int) -> Route:
        """Return the route from inside a pod to any host, as its configuration may name one.

        Raises:
            FindingError: it is closed, with the cause that this shows.
            UnaskedError: the pod cannot be asked from.
            ProbeError: it could not be asked.
        """
        for front in fronts(self.system):
            if host == front.full_name(self.system.zone) and port in front.service.ports.values():
                route = self.first_to([pod], front, port)
                route.require_network()
                return route
        question = Dial(host, port)
        meant = service_meant(host, pod.namespace, self.system.zone)
        subject = meant or Ref("Service", pod.namespace, host)
        seen = {pod: self.survey.answer(pod, question)}
        if found := why_closed(pod, question, subject, seen=seen, at_pods=(), reached=()):
            self.require_same_rules(pod)
            raise FindingError(found)
        return self.routes.through(pod, host, port)

    def users_of(self, front: Front, port: int) -> list[PodRef]:
        """Return a pod of each component that is to reach a Service's port.

        Where nobody is, it is the first pod of any other component that does reach it, else one
        of those behind it.

        Raises:
            FindingError: one of them has no pod to ask from.
        """
        users = [
            it.source.name
            for it in passages(self.system)
            if (it.door.front, it.door.port) == (front, port)
        ]
        if users:
            return [self.pods[name] for name in dict.fromkeys(users)]
        others = [each.name for each in self.system.components if each.workload != front.workload]
        for name in others:
            with suppress(UnaskedError):
                if name in self.pods and not self.closed(self.pods[name], front, port):
                    return [self.pods[name]]
        return [self.pods[front.workload.component]]

    def closed(self, pod: PodRef, front: Front, port: int) -> Finding | None:
        """Return why a Service's declared port is closed to a pod; None where it is open.

        Raises:
            ProbeError: it could not be asked.
        """
        question = dial(front, port, self.system)
        answer = self.survey.answer(pod, question)
        if answer.state == "open":
            return None
        self.require_same_rules(pod)
        if cut := self.cut_off(pod, self._answering(front), answer):
            return cut
        if unresolved := self._unresolved(pod, front):
            return unresolved.at(front.ref)
        if answer.state == "refused" and (found := self._closed_at_pods(pod, front, port)):
            return found
        seen = {**self.survey.all_to(question), pod: answer}
        return why_closed(
            pod,
            question,
            front.ref,
            seen=seen,
            at_pods=list(self._at_pods(pod, front)),
            reached=self._reached(pod),
        )

    def cut_off(self, pod: PodRef, asked: Iterable[PodRef], answer: Answer) -> Finding | None:
        """Return that a pod's node is cut off from that of others; None where it is not.

        Args:
            pod: who asked.
            asked: the pods that were to answer.
            answer: what came of it.
        """
        may_be = answer.state in SILENT or (
            answer.state == "unresolved" and answer.detail not in ABSENT
        )
        if not may_be:
            return None
        node = node_of(self.objects, pod)
        nodes = {node_of(self.objects, each) for each in asked}
        for each in self._cut_nodes():
            # a lookup that ends without an answer went to whichever node the DNS is on
            is_on_the_way = answer.state == "unresolved" or any(
                (node, it) in each.cells for it in nodes
            )
            if is_on_the_way and any(node in cell for cell in each.cells):
                return each.finding
        return None

    def at(self, address: str) -> list[PodRef]:
        """Return the pods of the system that have an address."""
        return [
            PodRef(workload.namespace, pod["metadata"]["name"])
            for workload in self.system.every_workload
            for pod in self.objects.pods_of(workload)
            if (pod.get("status") or {}).get("podIP") == address
        ]

    def _cut_nodes(self) -> list[Cut]:
        """Return the nodes that are cut off from each other, by the whole of the survey."""
        with self._lock:
            if self._cuts is None:
                self._cuts = cuts(trials(self.system, self.objects, self.survey))
            return self._cuts

    def _answering(self, front: Front) -> list[PodRef]:
        """Return the pods that a Service leads to, by those of its workload that are ready."""
        found = filter(is_ready, self.objects.pods_of(front.workload))
        return [PodRef(front.namespace, each["metadata"]["name"]) for each in found]

    def on_loopback(
        self, source: PodRef, workload: Workload, address: str, port: int
    ) -> Finding | None:
        """Return that a pod listens at a port on its loopback alone; None where it does not.

        Args:
            source: who asks.
            workload: what the pod is made from.
            address: the pod's own, at which the source is refused.
            port: where.
        """
        if self.survey.answer(source, Dial(address, port)).state != "refused":
            return None
        pods = (it for it in self.objects.pods_of(workload) if it["status"].get("podIP") == address)
        pod = next(pods, None)
        if pod is None:
            return None
        key = ref(pod), port
        with self._lock:
            if key not in self._loopbacks:
                self._loopbacks[key] = self._listens_within(workload, pod, port)
            return self._loopbacks[key]

    def _closed_at_pods(self, source: PodRef, front: Front, port: int) -> Finding | None:
        """Return why a Service's port is refused by the pods behind it, if these show why."""
        name = next((name for name, number in front.service.ports.items() if number == port), "")
        for each in listening_behind(self.objects, Door(front, name, port)).items():
            if found := self.on_loopback(source, front.workload, *each):
                return found
        return None

    def _listens_within(self, workload: Workload, seen: Object, port: int) -> Finding | None:
        """Return that a pod listens on its loopback alone, by its own network where that is read.

        Else it is by a port-forward, which ends there, and where none is possible by what the
        program itself has written. What refuses others on the way looks the same, but for the
        kubelet, whose probes do not come that way.
        """
        pod = PodRef(workload.namespace, seen["metadata"]["name"])
        listeners = self._listeners(pod)
        if listeners is not None:
            at = sorted(address for address, number in listeners.at if number == port)
            if not at or not all(map(is_loopback, at)):
                return None
            first, *others = at
            where = verbatim(first)
            if others:
                where = Phrase("{address} and {others}", address=first, others=others)
            shown = f"/proc/net/tcp of {pod}: {where}, port {port}"
        elif answers_the_kubelet(seen, port):
            return None
        else:
            where = Phrase("its loopback")
            kube, names = self.places.kube, [each["name"] for each in containers(seen)]
            shown = taken_on_loopback(kube, pod, port) or said_in_logs(kube, pod, names, port)
        return on_loopback_alone(workload.ref, ref(seen), port, where, [shown]) if shown else None

    def _listeners(self, pod: PodRef) -> Listening | None:
        """Return what listens in a pod; None where nothing can be asked in its own network.

        A pod that nothing was asked from yet is left alone: a probe pod beside it would not tell.
        """
        if pod not in self.pods.values():
            return None
        with suppress(NovaError):
            if self.places.of(pod).kind is not PlaceKind.PROBE_POD:
                return self.survey.answer(pod, Listeners())
        return None

    def require_same_rules(self, pod: PodRef) -> None:
        """See that an answer which is not as it should be shows something of the pod itself.

        Raises:
            UnaskedError: a probe pod asked in its place, and a NetworkPolicy tells the two apart.
        """
        seen = self.objects.at(Ref("Pod", pod.namespace, pod.name))
        if seen is None or self.places.of(pod).kind is not PlaceKind.PROBE_POD:
            return
        if not are_policies_enforced(self.objects.bare()):
            return
        if policies := distinguishing(self.objects, seen):
            raise UnaskedError(
                Phrase(
                    "a probe pod is judged by other rules than the pod in whose place it asks: "
                    "{policies} selects pods by their labels",
                    policies=[ref(each) for each in policies],
                ),
                hint=Phrase("`--ephemeral` asks from inside the pod itself"),
                evidence=[f"pod {pod}"],
            )

    def page_behind(self, front: Front, question: Get, unasked: UnaskedError) -> Page:
        """Return what a pod behind a Service answers through a port-forward.

        Raises:
            UnaskedError: the given one, where there is none.
            ProbeError: nothing answered.
        """
        found = page(self._behind(front, question.port, unasked), question)
        self.survey.transcript.add(found.evidence)
        return found

    def _behind(self, front: Front, port: int, unasked: UnaskedError) -> Route:
        """Return the port-forward to a pod that a Service leads to."""
        name = next(name for name, number in front.service.ports.items() if number == port)
        for endpoint in self.objects.endpoints(front.name, front.namespace):
            ports = dict(endpoint.ports)
            inside = ports.get(name) or (len(ports) == 1 and next(iter(ports.values())))
            if endpoint.pod and inside:
                route = self.routes.to(PodRef(front.namespace, endpoint.pod), inside)
                return replace(route, instead_of=unasked)
        raise unasked

    def _unresolved(self, pod: PodRef, front: Front) -> Finding | None:
        """Return what is wrong with a Service's name, asked as seldom as it can be.

        What is wrong with the cluster's DNS is so for everybody, and what is wrong with a pod's
        resolver for all that the pod asks.
        """
        with self._lock:
            if found := self._resolvers.get(None) or self._resolvers.get(pod):
                return found
            if (pod, front.ref) not in self._names:
                self._names[pod, front.ref] = found = self._why_unresolved(pod, front)
                if found and found.cause in _OF_A_RESOLVER:
                    self._resolvers[pod] = found
                elif found and found.cause in _OF_THE_DNS:
                    self._resolvers[None] = found
            return self._names[pod, front.ref]

    def _why_unresolved(self, pod: PodRef, front: Front) -> Finding | None:
        wanted = addresses_of(self.objects, front)
        if not wanted:
            return None
        return ask_why(
            self.places,
            pod,
            front.full_name(self.system.zone),
            wanted,
            system=self.system,
            others=self.pods.values(),
        )

    def _at_pods(self, pod: PodRef, front: Front) -> Iterator[Answer]:
        for other in self.objects.pods_of(front.workload):
            if is_ready(other):
                question = Dial(other["status"]["podIP"], CLOSED_PORT)
                if answer := self.survey.all_to(question).get(pod):
                    yield answer

    def _reached(self, pod: PodRef) -> set[str]:
        return {
            door.front.namespace
            for door in doors(self.system)
            if (answer := self.survey.all_to(dial(door.front, door.port, self.system)).get(pod))
            and answer.state == "open"
        }
