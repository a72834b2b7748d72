"""What is wrong with a Service of nova.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.backends import (
    declared_ports,
    pods_selected,
    ready_behind,
)
from nova_acceptance.components.kubernetes.endpoints import addresses_of_nobody
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import template
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front

CLUSTER_IP = "ClusterIP"
OUTSIDE = "ExternalName"


@check
def wrong_service(snapshot: Snapshot, front: Front) -> Iterator[Finding]:
    """Find a Service that is missing, of another type, or has other ports than nova.yaml says."""
    yield from missing_service(snapshot, front)
    yield from wrong_type(snapshot, front)
    yield from wrong_ports(snapshot, front)
    yield from wrong_targets(snapshot, front)


@check
def missing_service(snapshot: Snapshot, front: Front) -> Iterator[Finding]:
    """Find a Service that is not there."""
    where = front.ref
    if snapshot.at(where) is None:
        there = sorted(ref(each).name for each in snapshot.of_kind("Service", front.namespace))
        yield Finding(
            "SERVICE_MISSING",
            where,
            Phrase(
                "there is no {where}, which nova.yaml puts before {workload}",
                where=where,
                workload=front.workload.name,
            ),
            evidence=(f"Services of {front.namespace}: {', '.join(there) or 'none'}",),
        )


@check
def wrong_type(snapshot: Snapshot, front: Front) -> Iterator[Finding]:
    """Find a Service of another type, or that has an address, or none, where it should not.

    By a headless one its pods have names of their own; by the others a client has one address.
    """
    found, where = snapshot.at(front.ref), front.ref
    if found is None:
        return
    kind = type_of(found)
    if kind != front.service.type:
        sentence = Phrase(
            "{service} is of type {kind}, where nova.yaml means {wanted}",
            service=where,
            kind=kind,
            wanted=front.service.type,
        )
        yield Finding("SERVICE_TYPE_WRONG", where, sentence)
    elif front.service.headless and not is_headless(found):
        yield headless_lost(found, Phrase("nova.yaml says that it is headless"))
    elif is_headless(found) and not front.service.headless:
        sentence = Phrase(
            "{service} is headless, where nova.yaml gives it an address of its own",
            service=where,
        )
        yield Finding("HEADLESS_UNWANTED", where, sentence)


@check
def wrong_ports(snapshot: Snapshot, front: Front) -> Iterator[Finding]:
    """Find a Service whose ports are not those of nova.yaml; a single one needs no name."""
    found, where = snapshot.at(front.ref), front.ref
    if found is None or found["spec"].get("type") == OUTSIDE:
        return
    wanted, ports = front.service.ports, found["spec"].get("ports") or []
    actual = {_name(port, front): port["port"] for port in ports}
    if actual != wanted:
        yield Finding(
            "SERVICE_PORT_WRONG",
            where,
            Phrase(
                "{service} has {ports}, where nova.yaml says {wanted}"
                if actual
                else "{service} has no port, where nova.yaml says {wanted}",
                service=where,
                ports=_told(actual),
                wanted=_told(wanted),
            ),
            Phrase("write {wanted}", wanted=_told(wanted)),
        )


@check
def wrong_targets(snapshot: Snapshot, front: Front) -> Iterator[Finding]:
    """Find ports of a Service that lead to another port of its pods than nova.yaml says."""
    found, where = snapshot.at(front.ref), front.ref
    owner = snapshot.at(front.workload.ref) if front.service.targets else None
    if found is None or owner is None:
        return
    numbers = {it.get("name"): it["containerPort"] for it in declared_ports(template(owner))}
    ports = {_name(port, front): port for port in found["spec"].get("ports") or ()}
    for name, wanted in front.service.targets.items():
        port = ports.get(name, {})
        target = port.get("targetPort") or port.get("port")
        if port and str(numbers.get(target, target)) != str(numbers.get(wanted, wanted)):
            yield Finding(
                "SERVICE_PORT_WRONG",
                where,
                Phrase(
                    "port {port} of {service} leads to {target} of its pods, where nova.yaml says "
                    "{wanted}",
                    port=name,
                    service=where,
                    target=target,
                    wanted=wanted,
                ),
                Phrase("write `targetPort: {wanted}`", wanted=wanted),
            )


@check
def wrong_backends(snapshot: Snapshot, front: Front) -> Iterator[Finding]:
    """Find a Service that does not lead to exactly the ready pods of its workload.

    One for a role leads to as many as are in that role.
    """
    where, role = front.ref, front.service.role
    behind = {each.pod or each.address for each in ready_behind(snapshot, where)}
    pods = {ref(pod).name for pod in pods_selected(snapshot, front.workload)}
    expected = front.workload.expected_behind(front.service)
    wanted = expected if role else len(pods)
    if not behind and expected:
        sentence = Phrase("nothing is behind {service}", service=where)
        yield Finding("SERVICE_WITHOUT_ENDPOINTS", where, sentence)
    elif strangers := sorted(behind - pods):
        if nobody := _of_nobody(snapshot, front, strangers):
            yield nobody
            return
        sentence = Phrase("behind {service} is {pods} as well", service=where, pods=strangers)
        yield Finding("SELECTOR_WRONG", where, sentence)
    elif len(behind) != wanted:
        yield Finding(
            # of a role: where all its pods are ready, others than those in the role are behind it
            "PRIMARY_SERVICE_ASTRAY"
            if role == "primary" or (role and behind and _are_all_ready(snapshot, front))
            else "SERVICE_WITHOUT_ENDPOINTS",
            where,
            Phrase(
                "{service} leads to {pods}, where {wanted} are wanted",
                service=where,
                pods=sorted(behind),
                wanted=wanted,
            ),
            evidence=(f"pods of {front.workload.ref}: {', '.join(sorted(pods))}",),
        )


def _are_all_ready(snapshot: Snapshot, front: Front) -> bool:
    pods = pods_selected(snapshot, front.workload)
    return len(pods) == front.workload.replicas and all(map(is_ready, pods))


def _of_nobody(snapshot: Snapshot, front: Front, strangers: list[str]) -> Finding | None:
    """Return that a Service leads to what is no pod at all, rather than to pods of others."""
    if all(snapshot.get("Pod", front.namespace, name) for name in strangers):
        return None
    found = snapshot.at(front.ref)
    return addresses_of_nobody(snapshot, found) if found else None


def type_of(service: Object) -> str:
    """Return the type of a Service, which need not be said."""
    return str(service["spec"].get("type") or CLUSTER_IP)


def is_headless(service: Object) -> bool:
    """Whether a Service has no address of its own."""
    return bool(service["spec"].get("clusterIP") == "None")


def headless_lost(service: Object, why: Phrase) -> Finding:
    """Return what is wrong with a Service that has an address though its pods need names."""
    address = service["spec"].get("clusterIP")
    sentence = Phrase(
        "{service} has {address} and is not headless"
        if address
        else "{service} has an address that the cluster chooses and is not headless",
        service=ref(service),
        address=address,
    )
    return Finding("HEADLESS_LOST", ref(service), sentence, evidence=(why,))


def _name(port: Object, front: Front) -> str:
    """Return a port's name: of one without a name, which is then the only one, nova.yaml's."""
    only = next(iter(front.service.ports)) if len(front.service.ports) == 1 else ""
    return str(port.get("name") or only or port["port"])


def _told(ports: dict[str, int]) -> list[str]:
    return [f"{name} {number}" for name, number in sorted(ports.items())]
