"""Which questions the surveys of names and of reachability put, worked out from nova.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from nova_acceptance.components.dns.records import Records, records
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.kube import PodRef
from nova_acceptance.system import Front, System, Workload, parts
from nova_acceptance.system.parts import fronts
from nova_acceptance.vantage.questions import Answer, Dial, Exchange, Get, Question, Resolve

CLOSED_PORT: Final = 7
"""A port at which nothing of Nova listens (echo, RFC 862)."""
SILENCE: Final = 1.0
"""Seconds after which a Service's undeclared port counts as not answering."""
ABSENT: Final = "absent"


def reachability_questions(
    system: System, objects: Objects, pods: Mapping[str, PodRef]
) -> dict[PodRef, list[Question[Answer]]]:
    """Return what each component's pod is to connect to: open doors, and closed ones."""
    passages = [*parts.passages(system), *parts.closed_passages(system)]
    closed = [undeclared(front, system) for front in fronts(system) if not front.service.headless]
    found: dict[PodRef, list[Question[Answer]]] = {}
    for name, pod in pods.items():
        mine = [passage.door for passage in passages if passage.source.name == name]
        asked: list[Question[Answer]] = [dial(it.front, it.port, system) for it in mine]
        reached = dict.fromkeys(door.front.workload.name for door in mine)
        asked += [
            dial_pod(address, port)
            for workload in system.every_workload
            if workload.name in reached
            for address in addresses(objects, workload)
            for port in (CLOSED_PORT, *listening(workload)[:1])
        ]
        found[pod] = list(
            dict.fromkeys([*asked, *closed, *_pages(system), *_outside(system, name)])
        )
    return found


def open_doors(system: System) -> list[Question[Answer]]:
    """Return the connections to every port that somebody is to reach."""
    open_ = (passage.door for passage in parts.passages(system))
    return list(dict.fromkeys(dial(door.front, door.port, system) for door in open_))


def _pages(system: System) -> list[Get]:
    return [health(component, system) for component in system.of(Http) if component.is_asked]


def _outside(system: System, component: str) -> list[Dial]:
    """Return the connections to systems outside the cluster that a component is to reach."""
    used = {use.name for use in system.component(component).uses}
    return [
        Dial(it.host, it.port)
        for it in system.external
        if it.name in used and it.verify and it.host and it.port
    ]


def dial(front: Front, port: int, system: System) -> Dial:
    """Return the connection to a Service's declared port."""
    return Dial(front.full_name(system.zone), port)


def health(component: Http, system: System) -> Get:
    """Return the question how a service is, put to its Service.

    Raises:
        ValueError: nova.yaml does not say how it tells.
    """
    front = parts.front_of(component)
    if front is None or component.health is None:
        raise ValueError(f"{component.name} is asked for no page")
    return Get(front.full_name(system.zone), component.port, component.health.path)


def undeclared(front: Front, system: System) -> Dial:
    """Return the connection to a port that a Service does not declare."""
    return Dial(front.full_name(system.zone), CLOSED_PORT, SILENCE)


def dial_pod(address: str, port: int) -> Dial:
    """Return the connection to a pod's own address."""
    return Dial(address, port)


def listening(workload: Workload) -> list[int]:
    """Return the ports that a workload's Services declare."""
    return [port for service in workload.services for port in service.ports.values()]


def addresses(objects: Objects, workload: Workload) -> list[str]:
    """Return the addresses of a workload's pods, of those that have one."""
    found = (pod["status"].get("podIP") for pod in objects.pods_of(workload))
    return [address for address in found if address]


def forms(name: str, namespace: str, system: System) -> list[str]:
    """Return the forms of a name that work from every namespace, shortest first."""
    return [
        f"{name}.{namespace}",
        f"{name}.{namespace}.svc",
        f"{name}.{namespace}.svc.{system.zone}",
        f"{name}.{namespace}.svc.{system.zone}.",
    ]


def pod_names(front: Front) -> list[str]:
    """Return the names of a headless Service's pods, without namespace and zone."""
    return [f"{front.workload.name}-{i}.{front.name}" for i in range(front.workload.replicas)]


def absent_names(system: System) -> list[str]:
    """Return names that must not exist, absolute: of a Service, a pod, a namespace, the zone."""
    inside = [f"{ABSENT}.{namespace}.svc.{system.zone}" for namespace in system.namespaces]
    pods = [
        f"{front.workload.name}-{front.workload.replicas}.{front.full_name(system.zone)}"
        for front in fronts(system)
        if front.service.headless
    ]
    return [*inside, *pods, f"{ABSENT}.{ABSENT}.svc.{system.zone}", f"{ABSENT}.{system.zone}"]


def expected_records(objects: Objects, front: Front, system: System) -> list[Records]:
    """Return the records that should be served for a Service, by what the API says of it now."""
    service = objects.find("Service", front.name, front.namespace)
    if service is None:
        return []
    endpoints = objects.endpoints(front.name, front.namespace)
    return list(records(service, endpoints, system.zone))


def lookups(system: System, objects: Objects) -> Sequence[Question[Answer]]:
    """Return every lookup and every exchange that the tests of names read."""
    hosts: list[str] = []
    exchanges: list[Question[Answer]] = []
    for front in fronts(system):
        hosts += [front.name, *forms(front.name, front.namespace, system)]
        for expected in expected_records(objects, front, system):
            exchanges += [Exchange(expected.name, expected.rdtype, tcp) for tcp in (False, True)]
        exchanges.append(other_family(front, system))
        if front.service.headless:
            for name in pod_names(front):
                hosts += [name, *forms(name, front.namespace, system)]
    for name in absent_names(system):
        hosts.append(f"{name}.")
        exchanges += [Exchange(name, "A", tcp) for tcp in (False, True)]
    exchanges += [kubernetes_address(system), schema_version(system)]
    return [*(Resolve(host) for host in dict.fromkeys(hosts)), *dict.fromkeys(exchanges)]


def other_family(front: Front, system: System) -> Exchange:
    """Return the question for a type that the name exists without: a mail exchanger."""
    return Exchange(front.full_name(system.zone), "MX")


def schema_version(system: System) -> Exchange:
    """Return the question for the version of the specification that the DNS follows."""
    return Exchange(f"dns-version.{system.zone}", "TXT")


def kubernetes_address(system: System) -> Exchange:
    """Return the question for the API server's own Service, which every cluster has."""
    return Exchange(f"kubernetes.default.svc.{system.zone}", "A")
