"""Which connections are tried from which pods, worked out from nova.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nova_acceptance.components.http import questions as http
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.kube import PodRef
from nova_acceptance.system import External, Front, System, Workload, parts
from nova_acceptance.system.parts import Door
from nova_acceptance.vantage.questions import Answer, Dial, Question

CLOSED_PORT: Final = 7
"""A port at which nothing of Nova listens (echo, RFC 862)."""
SILENCE: Final = 1.0
"""Seconds after which a Service's undeclared port counts as not answering."""


def every_question(
    system: System, objects: Seen, pods: Mapping[str, PodRef]
) -> dict[PodRef, list[Question[Answer]]]:
    """Return what each component's pod is to connect to: open ports, and closed ones beside them.

    Args:
        system: what nova.yaml says.
        objects: what the API says.
        pods: the pod to ask from, by the name of its component.
    """
    passages = [*parts.passages(system), *parts.closed_passages(system)]
    unvisited = http.unvisited(system)
    found: dict[PodRef, list[Question[Answer]]] = {}
    for name, pod in pods.items():
        mine = [passage.door for passage in passages if passage.source.name == name]
        asked: list[Question[Answer]] = [dial(it.front, it.port, system) for it in mine]
        asked += [undeclared(it.front, system) for it in mine if not it.front.service.headless]
        reached = dict.fromkeys(door.front.workload.name for door in mine)
        asked += [
            question
            for workload in system.every_workload
            if workload.name in reached
            for address, port in listening(objects, workload).items()
            for question in (Dial(address, CLOSED_PORT), Dial(address, port))
        ]
        asked += [
            question
            for door in (
                *(it for it in unused(system) if it.front.workload.component == name),
                *unvisited,
            )
            for question in (
                dial(door.front, door.port, system),
                *(Dial(*at) for at in listening_behind(objects, door).items()),
            )
        ]
        used = {use.name for use in system.component(name).uses}
        asked += [dial_external(it) for it in verified(system) if it.name in used]
        visited = {(it.front.ref, it.port) for it in (*mine, *unvisited)}
        asked += [
            question
            for service in system.of(Http)
            if (http.front_of(service).ref, service.port) in visited
            for question in http.every_question(service, system)
        ]
        found[pod] = list(dict.fromkeys(asked))
    return found


def open_ports(system: System) -> list[Question[Answer]]:
    """Return the connections to every port that somebody is to reach."""
    doors = (passage.door for passage in parts.passages(system))
    return list(dict.fromkeys(dial(door.front, door.port, system) for door in doors))


def unused(system: System) -> list[Door]:
    """Return the ports that are declared closed to somebody and open to nobody."""
    used = [it.door for it in parts.passages(system)]
    return [it.door for it in parts.closed_passages(system) if it.door not in used]


def dial(front: Front, port: int, system: System) -> Dial:
    """Return the connection to a Service's declared port."""
    return Dial(front.full_name(system.zone), port)


def undeclared(front: Front, system: System) -> Dial:
    """Return the connection to a port that a Service does not declare."""
    return Dial(front.full_name(system.zone), CLOSED_PORT, timeout=SILENCE)


def dial_external(external: External) -> Dial:
    """Return the connection to a system outside the cluster.

    Raises:
        ValueError: nova.yaml does not say where it is.
    """
    if not (external.host and external.port):
        raise ValueError(f"{external.name} has no host and port")
    return Dial(external.host, external.port)


def verified(system: System) -> list[External]:
    """Return the systems outside the cluster of which nova.yaml says where they are to be."""
    return [it for it in system.external if it.verify and it.host and it.port]


def listening(objects: Seen, workload: Workload) -> dict[str, int]:
    """Return a port at which a workload's pods should listen, by the address of each pod.

    It is the one behind the first port of its first Service.
    """
    service = next(iter(workload.services), None)
    if service is None:
        return {}
    port_name, port = next(iter(service.ports.items()))
    return listening_behind(objects, Door(Front(workload, service), port_name, port))


def listening_behind(objects: Seen, door: Door) -> dict[str, int]:
    """Return the port at which pods should listen behind a Service's port, by their addresses.

    It is the one that the API says, else that of nova.yaml.
    """
    service, workload = door.front.service, door.front.workload
    target = service.targets.get(door.port_name)
    usual = target if isinstance(target, int) else door.port
    behind = {
        endpoint.address: dict(endpoint.ports).get(door.port_name, usual)
        for endpoint in objects.endpoints(service.name, workload.namespace)
    }
    return {address: behind.get(address, usual) for address in addresses(objects, workload)}


def addresses(objects: Seen, workload: Workload) -> list[str]:
    """Return the addresses of a workload's pods, of those that have one."""
    found = (pod["status"].get("podIP") for pod in objects.pods_of(workload))
    return [address for address in found if address]
