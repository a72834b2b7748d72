"""Services: whether they are there, of which type, and where their ports lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.addresses import addresses_of
from nova_acceptance.components.kubernetes.backends import (
    declared_ports,
    offers,
    ready_behind,
    selecting,
)
from nova_acceptance.components.kubernetes.checks.services import is_headless
from nova_acceptance.components.kubernetes.graces import AT_ONCE
from nova_acceptance.components.kubernetes.resolution import configured, service_at
from nova_acceptance.components.kubernetes.status import status_of
from nova_acceptance.components.kubernetes.workloads import template, workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts


def service_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services of nova.yaml that are not there, in namespaces that are."""
    for front in parts.fronts(snapshot.system):
        home = snapshot.get("Namespace", "", front.namespace)
        is_home = home is not None or not snapshot.knows("Namespace")
        if is_home and snapshot.knows("Service", front.namespace):
            yield from checks.services.missing_service(snapshot, front)


def service_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services of nova.yaml of another type, or with other ports, than it says."""
    for front in parts.fronts(snapshot.system):
        yield from checks.services.wrong_type(snapshot, front)
        yield from checks.services.wrong_ports(snapshot, front)
        yield from checks.services.wrong_targets(snapshot, front)


def headless_lost(snapshot: Snapshot) -> Iterator[Finding]:
    """Find governing Services that are missing or have an address, and nova.yaml does not know."""
    for workload in snapshot.of_kind("StatefulSet"):
        name = workload["spec"].get("serviceName")
        where = Ref("Service", workload["metadata"].get("namespace", ""), name or "")
        if not name or _declares(snapshot, where) or not _needs_names(snapshot, workload, name):
            continue
        found = snapshot.at(where)
        if found and not is_headless(found):
            why = Phrase("{workload} has it as its serviceName", workload=ref(workload))
            yield checks.services.headless_lost(found, why)
        elif not found and snapshot.knows("Service", where.namespace):
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


def without_load_balancer(snapshot: Snapshot) -> list[Ref]:
    """Return the Services that no load balancer has an address for.

    Where the cluster has none that is no fault: inside, they are reached as any Service is.
    """
    return [
        ref(each)
        for each in snapshot.of_kind("Service")
        if each["spec"].get("type") == "LoadBalancer"
        and not ((each.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    ]


def target_ports(snapshot: Snapshot) -> Iterator[Finding]:
    """Find ports of Services that lead to no port of any pod behind them."""
    for service, behind in selecting(snapshot):
        for port in service["spec"].get("ports") or ():
            target = port.get("targetPort") or port["port"]
            is_named = isinstance(target, str) and not target.isdigit()
            if is_headless(service) and not is_named:
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
    if not ready_behind(snapshot, ref(service)):
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
        Phrase(
            "lead it to one of {ports}"
            if declared
            else "lead it to one of the ports that its container has",
            ports=declared,
        ),
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
    return where in (front.ref for front in parts.fronts(snapshot.system))


BEFOREHAND: Final = (service_missing, service_wrong, headless_lost, target_ports)
