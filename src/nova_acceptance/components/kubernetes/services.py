"""Services: whether they are there, of which type, and where their ports lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.kubernetes.addresses import addresses_of
from nova_acceptance.components.kubernetes.backends import (
    declared_ports,
    endpoints_of,
    is_done,
    offers,
)
from nova_acceptance.components.kubernetes.graces import AT_ONCE
from nova_acceptance.components.kubernetes.resolution import configured, service_at
from nova_acceptance.components.kubernetes.status import status_of
from nova_acceptance.components.kubernetes.workloads import (
    selected,
    template,
    workloads,
)
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts

_OUTSIDE: Final = "ExternalName"


def service_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services of nova.yaml that are not there, in namespaces that are."""
    for front in parts.fronts(snapshot.system) if snapshot.system else ():
        where = Ref("Service", front.namespace, front.name)
        home = snapshot.get("Namespace", "", front.namespace)
        is_known = snapshot.knows("Service", front.namespace)
        is_known = is_known and (home is not None or not snapshot.knows("Namespace"))
        if is_known and snapshot.at(where) is None:
            there = sorted(ref(it).name for it in snapshot.of_kind("Service", front.namespace))
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


def headless_lost(snapshot: Snapshot) -> Iterator[Finding]:
    """Find governing Services that are missing or have an address of their own."""
    told: set[Ref] = set()
    for front in parts.fronts(snapshot.system) if snapshot.system else ():
        found = snapshot.get("Service", front.namespace, front.name)
        if found and front.service.headless and not _is_headless(found):
            told.add(ref(found))
            yield _headless_lost(found, f"nova.yaml says that {ref(found)} is headless")
    for workload in snapshot.of_kind("StatefulSet"):
        name = workload["spec"].get("serviceName")
        where = Ref("Service", workload["metadata"].get("namespace", ""), name or "")
        if not name or where in told or not _needs_names(snapshot, workload, name):
            continue
        found = snapshot.at(where)
        if found and not _is_headless(found):
            yield _headless_lost(found, f"{ref(workload)} has it as its serviceName")
        elif (
            not found
            and snapshot.knows("Service", where.namespace)
            and not _declares(snapshot, where)
        ):
            yield Finding(
                "HEADLESS_LOST",
                ref(workload),
                Phrase(
                    "{workload} has {name} as its serviceName, and there is no such Service",
                    workload=ref(workload),
                    name=name,
                ),
                Phrase(
                    "create the Service {name} in {namespace} with `clusterIP: None`",
                    name=name,
                    namespace=where.namespace,
                ),
            )


def service_type_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services of nova.yaml that are no plain ClusterIP, or headless though none should be."""
    for front in parts.fronts(snapshot.system) if snapshot.system else ():
        found = snapshot.get("Service", front.namespace, front.name)
        if found is None:
            continue
        kind = found["spec"].get("type") or "ClusterIP"
        if kind != "ClusterIP":
            said = Phrase(
                "{service} is of type {kind}, where nova.yaml means ClusterIP",
                service=ref(found),
                kind=kind,
            )
            yield Finding("SERVICE_TYPE_WRONG", ref(found), said)
        elif _is_headless(found) and not front.service.headless:
            said = Phrase(
                "{service} is headless, where nova.yaml gives it an address of its own",
                service=ref(found),
            )
            yield Finding("SERVICE_TYPE_WRONG", ref(found), said)


def service_ports(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services of nova.yaml whose ports are not those that it says."""
    for front in parts.fronts(snapshot.system) if snapshot.system else ():
        found = snapshot.get("Service", front.namespace, front.name)
        if found is None or found["spec"].get("type") == _OUTSIDE:
            continue
        wanted = front.service.ports
        ports = list(found["spec"].get("ports") or ())
        actual = {str(port.get("name") or port["port"]): port["port"] for port in ports}
        same_numbers = sorted(actual.values()) == sorted(wanted.values())
        if actual != wanted and not (
            same_numbers and len(wanted) == 1 and not ports[0].get("name")
        ):
            yield Finding(
                "SERVICE_PORT_WRONG",
                ref(found),
                _ports_differ(ref(found), _ports(actual), _ports(wanted)),
                Phrase("write {wanted}", wanted=_ports(wanted)),
            )


def _ports_differ(service: Ref, ports: list[str], wanted: list[str]) -> Phrase:
    if not ports:
        return Phrase(
            "{service} has no port, where nova.yaml says {wanted}", service=service, wanted=wanted
        )
    return Phrase(
        "{service} has {ports}, where nova.yaml says {wanted}",
        service=service,
        ports=ports,
        wanted=wanted,
    )


def target_ports(snapshot: Snapshot) -> Iterator[Finding]:
    """Find ports of Services that lead to no port of any pod behind them."""
    for service in snapshot.of_kind("Service"):
        spec = service["spec"]
        if not spec.get("selector") or spec.get("type") == _OUTSIDE:
            continue
        behind = [each for each in selected(snapshot, service) if not is_done(each)]
        for port in spec.get("ports") or ():
            target = port.get("targetPort") or port["port"]
            is_named = isinstance(target, str) and not target.isdigit()
            if _is_headless(service) and not is_named:
                continue  # its name leads to the pods themselves, at whichever port is asked for
            if not behind or any(offers(template(each), port) for each in behind):
                continue
            if is_named or not _is_well(snapshot, service):
                yield _target_port_wrong(snapshot, service, port, behind, is_named=is_named)


def _is_well(snapshot: Snapshot, service: Object) -> bool:
    """Whether a Service leads to ready pods, nova.yaml does not know it, and no user of it is ill.

    What ports a container declares is informational; its program may well listen on more.
    """
    if _declares(snapshot, ref(service)):
        return False
    if not any(each.is_ready for each in endpoints_of(snapshot, service)):
        return False
    return not any(
        service_at(snapshot, address, user["metadata"].get("namespace", "")) is service
        for user in configured(snapshot)
        if not status_of(user).is_current
        for address in addresses_of(snapshot, user)
    )


def _target_port_wrong(
    snapshot: Snapshot,
    service: Object,
    port: dict[str, Any],
    behind: list[Object],
    *,
    is_named: bool,
) -> Finding:
    target = port.get("targetPort") or port["port"]
    declared = sorted({_told(it) for each in behind for it in declared_ports(template(each))})
    owners = [str(ref(each)) for each in behind]
    others = [
        str(ref(workload))
        for workload in workloads(snapshot, service["metadata"].get("namespace", ""))
        if workload not in behind
        and not is_named
        and any(it["containerPort"] == int(target) for it in declared_ports(template(workload)))
    ]
    return Finding(
        "TARGET_PORT_WRONG",
        ref(service),
        Phrase(
            "port {port} of {service} leads to {target}/{protocol}, which {owners} does not have",
            port=port["port"],
            service=ref(service),
            target=target,
            protocol=port.get("protocol", "TCP"),
            owners=owners,
        ),
        Phrase("lead it to one of {ports}", ports=declared)
        if declared
        else Phrase("lead it to one of the ports that its container has"),
        evidence=(
            f"ports of {', '.join(owners)}: {', '.join(declared) or 'none declared'}",
            *((f"{target} is a port of {', '.join(others)}",) if others else ()),
        ),
        # no pod with such a port: the Service never has endpoints
        grace=AT_ONCE if is_named else None,
    )


def _told(port: dict[str, Any]) -> str:
    """Return how a sentence names a port that a container declares."""
    number, protocol = port["containerPort"], port.get("protocol", "TCP")
    if name := port.get("name"):
        return f"{name} {number}/{protocol}"
    return Phrase("unnamed {number}/{protocol}", number=number, protocol=protocol)


def _headless_lost(service: Object, why: str) -> Finding:
    if address := service["spec"].get("clusterIP"):
        said = Phrase(
            "{service} has {address} and is not headless", service=ref(service), address=address
        )
    else:
        said = Phrase(
            "{service} has an address that the cluster chooses and is not headless",
            service=ref(service),
        )
    return Finding("HEADLESS_LOST", ref(service), said, evidence=(why,))


def _needs_names(snapshot: Snapshot, workload: Object, service: str) -> bool:
    """Whether the pods of a StatefulSet are meant to be found by their own names."""
    if (workload["spec"].get("replicas") or 1) > 1 and not status_of(workload).is_current:
        return True
    own = f".{service}."
    return any(
        own in f".{address.host.partition('.')[2]}."
        for user in configured(snapshot)
        for address in addresses_of(snapshot, user)
    )


def _declares(snapshot: Snapshot, where: Ref) -> bool:
    fronts = parts.fronts(snapshot.system) if snapshot.system else ()
    return any((it.namespace, it.name) == (where.namespace, where.name) for it in fronts)


def _ports(ports: dict[str, int]) -> list[str]:
    return [f"{name} {number}" for name, number in sorted(ports.items())]


def _is_headless(service: Object) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


BEFOREHAND: Final = (
    service_missing,
    headless_lost,
    service_type_wrong,
    service_ports,
    target_ports,
)
