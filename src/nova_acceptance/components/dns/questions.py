"""What the cluster's DNS is asked, worked out from nova.yaml and from what the API says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nova_acceptance.components.dns.records import Records, records
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.system import Front, System
from nova_acceptance.system.parts import forms, fronts
from nova_acceptance.vantage.questions import Answer, Exchange, Question, Resolve

ABSENT: Final = "absent"


def every_form(name: str, namespace: str, system: System) -> list[str]:
    """Return the forms of a name that work from every namespace, the absolute one as the last."""
    found = forms(name, namespace, system.zone)
    return [*found, f"{found[-1]}."]


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


def expected_records(objects: Seen, front: Front, system: System) -> list[Records]:
    """Return the records that should be served for a Service, by what the API says of it now."""
    service = objects.at(front.ref)
    if service is None:
        return []
    endpoints = objects.endpoints(front.name, front.namespace)
    return list(records(service, endpoints, system.zone))


def every_question(system: System, objects: Seen) -> Sequence[Question[Answer]]:
    """Return every lookup and every exchange that the checks of names read."""
    hosts: list[str] = []
    exchanges: list[Question[Answer]] = []
    for front in fronts(system):
        hosts += [front.name, *every_form(front.name, front.namespace, system)]
        exchanges.append(address(front, system))
        for expected in expected_records(objects, front, system):
            exchanges += [Exchange(expected.name, expected.rdtype, tcp) for tcp in (False, True)]
        exchanges.append(of_another_type(front, system))
        if front.service.headless:
            for name in pod_names(front):
                hosts += every_form(name, front.namespace, system)
    for name in absent_names(system):
        hosts.append(f"{name}.")
        exchanges += [Exchange(name, "A", tcp) for tcp in (False, True)]
    exchanges += [kubernetes_address(system), schema_version(system)]
    return [*(Resolve(host) for host in dict.fromkeys(hosts)), *dict.fromkeys(exchanges)]


def address(front: Front, system: System) -> Exchange:
    """Return the question for a Service's addresses."""
    return Exchange(front.full_name(system.zone), "A")


def of_another_type(front: Front, system: System) -> Exchange:
    """Return the question for a type that the name exists without: a mail exchanger."""
    return Exchange(front.full_name(system.zone), "MX")


def schema_version(system: System) -> Exchange:
    """Return the question for the version of the specification that the DNS follows."""
    return Exchange(f"dns-version.{system.zone}", "TXT")


def kubernetes_address(system: System) -> Exchange:
    """Return the question for the API server's own Service, which every cluster has."""
    return Exchange(f"kubernetes.default.svc.{system.zone}", "A")
