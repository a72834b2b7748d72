"""The ways from a service's pod to what it uses, and why one is closed.

The survey of reachability has dialled every door once; a client is sent only through one that was
open. A door that was not costs nobody another wait, and what keeps it closed is worked out from
the whole of the survey.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nova_acceptance.claims import BrokenClaimError
from nova_acceptance.components.dns.lookups import examine
from nova_acceptance.components.kubernetes.addresses import service_meant
from nova_acceptance.components.kubernetes.pod_specs import is_ready
from nova_acceptance.components.kubernetes.seen import Seen, addresses_of, of_front
from nova_acceptance.components.network.questions import CLOSED_PORT, dial, dial_pod
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front, System
from nova_acceptance.system.parts import doors, fronts
from nova_acceptance.vantage.questions import Answer, Dial
from nova_acceptance.vantage.routes import Route, Routes
from nova_acceptance.vantage.survey import Survey

SILENT: Final = frozenset({"timeout", "unreachable"})


def of_door(
    asker: PodRef,
    door: Dial,
    subject: Ref,
    *,
    seen: Mapping[PodRef, Answer],
    at_pods: Sequence[Answer],
    reached: Iterable[str],
) -> Finding | None:
    """Return why a door is closed to a pod; None where it is open.

    Args:
        asker: who dialled.
        door: the address.
        subject: the Service.
        seen: what everybody who dialled the same was answered.
        at_pods: what the asker was answered at a port of the pods behind it where nothing listens:
            a refusal shows that packets get there and back.
        reached: the namespaces of which the asker reached anything.
    """
    answer = seen[asker]
    where = f"{door.host}:{door.port}"
    evidence = tuple(f"from {pod}: {each.evidence.answer}" for pod, each in seen.items())
    if answer.state == "open":
        return None
    if answer.state == "unresolved":
        sentence = Phrase(
            "{asker} cannot resolve {host} ({said})",
            asker=asker,
            host=door.host,
            said=answer.detail,
        )
        return Finding("NAME_UNRESOLVED", subject, sentence, evidence=evidence)
    if answer.state == "refused":
        sentence = Phrase("{where} refuses {asker}", where=where, asker=asker)
        return Finding("PORT_CLOSED", subject, sentence, evidence=evidence)
    if answer.state not in SILENT:
        sentence = Phrase("{where} cuts {asker} off", where=where, asker=asker)
        return Finding("CONNECTION_CUT", subject, sentence, evidence=evidence)
    return _of_silence(asker, where, subject, seen=seen, at_pods=at_pods, reached=reached)


def _of_silence(
    asker: PodRef,
    where: str,
    subject: Ref,
    *,
    seen: Mapping[PodRef, Answer],
    at_pods: Sequence[Answer],
    reached: Iterable[str],
) -> Finding:
    """Tell a port that is silent from a network that is cut."""
    evidence = tuple(f"from {pod}: {each.evidence.answer}" for pod, each in seen.items())
    evidence += tuple(f"at the pods themselves: {each.evidence.answer}" for each in at_pods)
    if elsewhere := _answered_elsewhere(asker, subject, seen):
        sentence = Phrase(
            "{where} answers {others}, and nobody in {namespace}",
            where=where,
            others=elsewhere,
            namespace=asker.namespace,
        )
        return Finding(
            "NETWORK_CUT", Ref("Namespace", "", asker.namespace), sentence, evidence=evidence
        )
    if not at_pods or any(each.state not in SILENT for each in at_pods):
        others = [str(pod) for pod, each in seen.items() if each.state == "open"]
        sentence = (
            Phrase(
                "{where} does not answer {asker}, and answers {others}",
                where=where,
                asker=asker,
                others=others,
            )
            if others
            else Phrase("{where} does not answer {asker}", where=where, asker=asker)
        )
        return Finding("PORT_SILENT", subject, sentence, evidence=evidence)
    others = sorted(set(reached) - {asker.namespace})
    cut_off = subject.namespace if others else asker.namespace
    sentence = (
        Phrase(
            "nothing of namespace {asked} answers namespace {namespace}",
            asked=subject.namespace,
            namespace=asker.namespace,
        )
        if others
        else Phrase("nothing outside namespace {namespace} answers it", namespace=asker.namespace)
    )
    return Finding("NETWORK_CUT", Ref("Namespace", "", cut_off), sentence, evidence=evidence)


def _answered_elsewhere(asker: PodRef, subject: Ref, seen: Mapping[PodRef, Answer]) -> list[str]:
    """Return the other namespaces that are answered, where nobody of the asker's own is.

    The namespace of what is asked does not count: a pod always reaches itself.
    """
    mine = [answer for pod, answer in seen.items() if pod.namespace == asker.namespace]
    if any(answer.state not in SILENT for answer in mine):
        return []
    others = {pod.namespace for pod, answer in seen.items() if answer.state == "open"}
    return sorted(others - {asker.namespace, subject.namespace})


class Ways:
    """Routes through pods to Services, opened only where the survey found an open door.

    Args:
        kube: the API that the pods are behind.
        system: what nova.yaml says.
        objects: what the API says.
        routes: who opens the ways.
        survey: the survey of reachability.
    """

    def __init__(
        self, kube: Kube, system: System, objects: Seen, routes: Routes, survey: Survey
    ) -> None:
        self._kube = kube
        self._system = system
        self._objects = objects
        self._routes = routes
        self._survey = survey
        self._lock = threading.Lock()
        self._names: dict[tuple[str, str], Finding | None] = {}

    def to(self, pod: PodRef, front: Front, port: int) -> Route:
        """Return the way from inside a pod to a Service's declared port.

        Raises:
            BrokenClaimError: it is closed, with the cause that this shows.
            ProbeError: it could not be asked.
        """
        if found := self.closed(pod, front, port):
            raise BrokenClaimError(found)
        return self._routes.through(pod, front.full_name(self._system.zone), port)

    def first_to(self, pods: Iterable[PodRef], front: Front, port: int) -> Route:
        """Return the way from the first of several pods to which the door is open.

        Raises:
            BrokenClaimError: it is closed to all of them.
            ProbeError: there is no pod to ask from.
        """
        shown: list[Finding] = []
        for pod in pods:
            found = self.closed(pod, front, port)
            if found is None:
                return self._routes.through(pod, front.full_name(self._system.zone), port)
            shown.append(found)
        if shown:
            raise BrokenClaimError(shown[0])
        raise ProbeError(
            f"no pod of a service runs, so {front.name} cannot be asked from one",
            hint="`kubectl get pods -A` shows what there is",
        )

    def to_host(self, pod: PodRef, host: str, port: int) -> Route:
        """Return the way from inside a pod to any host, as its configuration may name one.

        Raises:
            BrokenClaimError: it is closed, with the cause that this shows.
            ProbeError: it could not be asked.
        """
        for front in fronts(self._system):
            if host == front.full_name(self._system.zone) and port in front.service.ports.values():
                return self.to(pod, front, port)
        door = Dial(host, port)
        subject = service_meant(host, pod.namespace, self._system.zone)
        seen = {pod: self._survey.answer(pod, door)}
        subject = subject or Ref("Service", pod.namespace, host)
        if found := of_door(pod, door, subject, seen=seen, at_pods=(), reached=()):
            raise BrokenClaimError(found)
        return self._routes.through(pod, host, port)

    def closed(self, pod: PodRef, front: Front, port: int) -> Finding | None:
        """Return why a Service's declared port is closed to a pod; None where it is open.

        Raises:
            ProbeError: it could not be asked.
        """
        door = dial(front, port, self._system)
        answer = self._survey.answer(pod, door)
        if answer.state == "open":
            return None
        if named := self._misnamed(pod, front):
            return named.at(of_front(front))
        seen = {**self._survey.all_to(door), pod: answer}
        return of_door(
            pod,
            door,
            of_front(front),
            seen=seen,
            at_pods=self._at_pods(pod, front),
            reached=self._reached(pod),
        )

    def _misnamed(self, pod: PodRef, front: Front) -> Finding | None:
        """Return what is wrong with a Service's name, asked once for all who want it."""
        key = front.namespace, front.name
        with self._lock:
            if key not in self._names:
                host, wanted = (
                    front.full_name(self._system.zone),
                    addresses_of(self._objects, front),
                )
                self._names[key] = examine(self._kube, pod, host, wanted) if wanted else None
            return self._names[key]

    def _at_pods(self, pod: PodRef, front: Front) -> list[Answer]:
        found = [
            self._survey.all_to(dial_pod(other["status"]["podIP"], CLOSED_PORT)).get(pod)
            for other in self._objects.pods_of(front.workload)
            if is_ready(other)
        ]
        return [answer for answer in found if answer]

    def _reached(self, pod: PodRef) -> set[str]:
        return {
            door.front.namespace
            for door in doors(self._system)
            if (answer := self._survey.all_to(dial(door.front, door.port, self._system)).get(pod))
            and answer.state == "open"
        }
