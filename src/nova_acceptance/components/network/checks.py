"""What is wrong with who reaches whom, by what the pods that try it are answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.network.closed import ABSENT, SILENT, answered_alike
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.network.enforcement import closing, unenforced
from nova_acceptance.components.network.questions import (
    CLOSED_PORT,
    dial,
    dial_external,
    listening,
    undeclared,
)
from nova_acceptance.errors import UnaskedError
from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import External, Front, Passage, Workload
from nova_acceptance.system.parts import Door, passages
from nova_acceptance.vantage.questions import Dial

CLOSED: Final = ("refused", "timeout", "unreachable")
"""How a port that lets nobody in answers."""


@check
def closed_passage(connections: Connections, passage: Passage) -> Iterator[Finding]:
    """Find a port that a component does not reach and should."""
    pod, door = connections.pods[passage.source.name], passage.door
    if found := connections.closed(pod, door.front, door.port):
        yield found


@check
def open_passage(connections: Connections, passage: Passage) -> Iterator[Finding]:
    """Find a port that a component reaches and must not, or that nobody reaches at all.

    What is open to nobody is closed for another reason, and shows nothing. What a NetworkPolicy
    closes and is open all the same shows that the cluster does not enforce them, which is no fault.

    Raises:
        UnaskedError: it is open, and a NetworkPolicy closes it.
    """
    pod, door = connections.pods[passage.source.name], passage.door
    answer = connections.survey.answer(pod, dial(door.front, door.port, connections.system))
    if answer.state == "unresolved":  # which is no proof that it is closed
        sentence = Phrase("the name of the Service does not resolve")
        nameless = Finding("NAME_UNRESOLVED", door.front.ref, sentence)
        yield connections.closed(pod, door.front, door.port) or nameless
    elif answer.state not in CLOSED:
        connections.require_same_rules(pod)
        if answer.state == "open" and (policies := closing(connections.objects, passage)):
            raise UnaskedError(
                unenforced(policies[0], passage),
                hint=Phrase("verify it on a cluster whose network plugin enforces them"),
            )
        sentence = Phrase("{source} reaches {port}", source=passage.source.name, port=door.name)
        yield Finding("PORT_UNDECLARED_OPEN", NOWHERE, sentence, evidence=(answer.state,))
    else:
        yield from _closed_to_all(connections, door)


def _closed_to_all(connections: Connections, door: Door) -> Iterator[Finding]:
    """Yield why a port is closed to all who are to reach it, or else to its own pods."""
    users = [it.source.name for it in passages(connections.system) if it.door == door]
    found = [
        connections.closed(connections.pods[name], door.front, door.port)
        for name in dict.fromkeys(users or [door.front.workload.component])
    ]
    is_open = None in found or (not users and connections.is_listened_at(door))
    yield from (each for each in found[:1] if each and not is_open)


@check
def unreached_external(connections: Connections, external: External) -> Iterator[Finding]:
    """Find a system outside the cluster that a component which uses it does not reach."""
    users = connections.system.users_of(external)
    if not (external.host and external.port):
        sentence = Phrase(
            "nova.yaml does not say at which host and port {name} is", name=external.name
        )
        yield Finding("EXTERNAL_UNREACHABLE", NOWHERE, sentence)
        return
    if not users:
        sentence = Phrase("nothing uses {name}, so that nobody can try it", name=external.name)
        yield Finding("EXTERNAL_UNREACHABLE", NOWHERE, sentence)
    for user in users:
        pod = connections.pods[user.name]
        answer = connections.survey.answer(pod, dial_external(external))
        if answer.state == "unresolved" and answer.detail not in ABSENT:
            yield _nameless(pod, external.host, answer.detail).at(user.workload.ref)
        elif answer.state != "open":
            connections.require_same_rules(pod)
            sentence = Phrase(
                "{user} does not reach {name} at {host}:{port} ({said})",
                user=user.name,
                name=external.name,
                host=external.host,
                port=external.port,
                said=f"{answer.state} {answer.detail}".strip(),
            )
            yield Finding("EXTERNAL_UNREACHABLE", user.workload.ref, sentence)


@check
def wrong_ports_of_pods(connections: Connections, workload: Workload) -> Iterator[Finding]:
    """Find pods at which a declared port is not open, or another one answers, to their users."""
    at = listening(connections.objects, workload)
    if not at:
        sentence = Phrase("{workload} has no pod with an address", workload=workload.name)
        yield Finding("WORKLOAD_NOT_READY", NOWHERE, sentence)
    mine = [it for it in passages(connections.system) if it.door.front.workload == workload]
    for name in dict.fromkeys(passage.source.name for passage in mine):
        pod = connections.pods[name]
        found = [
            each
            for address, port in at.items()
            for each in (
                *_otherwise(connections, pod, address, port, workload),
                *_otherwise(connections, pod, address, CLOSED_PORT),
            )
        ]
        if any(each.cause == "PORT_SILENT" for each in found):
            # what the whole survey shows is more than one port's silence
            closed = (connections.closed(pod, it.door.front, it.door.port) for it in mine)
            yield from (it for it in closed if it and it.cause == "NETWORK_CUT")
        yield from found


def _otherwise(
    connections: Connections,
    pod: PodRef,
    address: str,
    port: int,
    workload: Workload | None = None,
) -> Iterator[Finding]:
    """Yield that a port of a pod itself is not open, or is not refused, as it should be.

    Args:
        connections: from the pods that ask.
        pod: who asks.
        address: of the pod that is asked.
        port: its port.
        workload: whose first Service leads to the port; None where nothing should listen.
    """
    answer = connections.survey.answer(pod, Dial(address, port))
    state = answer.state
    if state != ("open" if workload else "refused"):
        connections.require_same_rules(pod)
        if cut := connections.cut_off(pod, connections.at(address), answer):
            yield cut
            return
        if workload and (found := connections.on_loopback(pod, workload, address, port)):
            yield found
            return
        cause = "PORT_CLOSED" if workload else "PORT_UNDECLARED_OPEN"
        sentence = Phrase(
            "the declared port {port} at {address} is not open to {pod} ({state})"
            if workload
            else "port {port} at {address}, where nothing should listen, does not refuse {pod} "
            "({state})",
            port=port,
            address=address,
            pod=pod,
            state=state,
        )
        where = NOWHERE
        if workload:
            where = Ref("Service", workload.namespace, workload.services[0].name)
        alike = answered_alike(connections.survey.all_to(Dial(address, port)), answer)
        yield Finding(
            "PORT_SILENT" if state in SILENT else cause, where, sentence, asked_from=alike
        )


@check
def open_undeclared_port(connections: Connections, front: Front) -> Iterator[Finding]:
    """Find a Service that lets somebody in by a port that it does not declare.

    That it lets the same pod in by a declared one is seen first.
    """
    doors = {
        it.source.name: it.door for it in passages(connections.system) if it.door.front == front
    }
    for name, door in doors.items():
        pod = connections.pods[name]
        if closed := connections.closed(pod, front, door.port):
            yield closed
            continue
        answer = connections.survey.answer(pod, undeclared(front, connections.system))
        if answer.state == "unresolved":  # which says nothing of the port
            yield _nameless(pod, front.full_name(connections.system.zone), answer.detail).at(
                front.ref
            )
        elif answer.state not in CLOSED:
            connections.require_same_rules(pod)
            sentence = Phrase(
                "{service} answers {pod} at port {port}, which it does not declare ({state})",
                service=front.name,
                pod=pod,
                port=CLOSED_PORT,
                state=answer.state,
            )
            yield Finding("PORT_UNDECLARED_OPEN", NOWHERE, sentence)


def _nameless(pod: PodRef, host: str, said: str) -> Finding:
    """Return that a pod was given no answer for a name, so that nothing behind it was tried."""
    sentence = Phrase("{pod} cannot resolve {host} ({said})", pod=pod, host=host, said=said)
    return Finding("NAME_UNRESOLVED", NOWHERE, sentence)
