"""What is wrong with a Service of nova.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.backends import offers, pods_selected, ready_behind
from nova_acceptance.components.kubernetes.workloads import containers, template
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Store
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front

CLUSTER_IP = "ClusterIP"
OUTSIDE = "ExternalName"


@check
def missing_service(store: Store, front: Front) -> Iterator[Finding]:
    """Find a Service that is not there."""
    where = _where(front)
    if store.at(where) is None and store.knows("Service", front.namespace):
        there = sorted(
            each["metadata"]["name"] for each in store.of_kind("Service", front.namespace)
        )
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
def wrong_type(store: Store, front: Front) -> Iterator[Finding]:
    """Find a Service of another type, or that is headless or has an address though it should not.

    Where a headless one is wanted, its pods have names of their own, which the other has not.
    """
    found, where = store.at(_where(front)), _where(front)
    if found is None:
        return
    kind = found["spec"].get("type") or CLUSTER_IP
    if kind != CLUSTER_IP:
        sentence = Phrase(
            "{service} is of type {kind}, where nova.yaml means ClusterIP",
            service=where,
            kind=kind,
        )
        yield Finding("SERVICE_TYPE_WRONG", where, sentence)
    elif front.service.headless and not is_headless(found):
        yield headless_lost(found, where, "nova.yaml says that it is headless")
    elif is_headless(found) and not front.service.headless:
        sentence = Phrase(
            "{service} is headless, where nova.yaml gives it an address of its own",
            service=where,
        )
        yield Finding(
            "SERVICE_TYPE_WRONG",
            where,
            sentence,
            Phrase("delete {service} and create it without `clusterIP: None`", service=where),
        )


@check
def wrong_ports(store: Store, front: Front) -> Iterator[Finding]:
    """Find a Service whose ports are not those of nova.yaml; a single one needs no name."""
    found, where = store.at(_where(front)), _where(front)
    if found is None or found["spec"].get("type") == OUTSIDE:
        return
    wanted, ports = front.service.ports, list(found["spec"].get("ports") or ())
    actual = {str(port.get("name") or port["port"]): port["port"] for port in ports}
    is_single = len(wanted) == len(ports) == 1 and not ports[0].get("name")
    if actual != wanted and not (is_single and list(actual.values()) == list(wanted.values())):
        yield Finding(
            "SERVICE_PORT_WRONG",
            where,
            _ports_differ(where, _told(actual), _told(wanted)),
            Phrase("write {wanted}", wanted=_told(wanted)),
        )


@check
def wrong_targets(store: Store, front: Front) -> Iterator[Finding]:
    """Find ports of a Service that lead to another port of its pods than nova.yaml says."""
    found, where = store.at(_where(front)), _where(front)
    if found is None or found["spec"].get("type") == OUTSIDE:
        return
    workload = front.workload
    owner = store.get(workload.kind, workload.namespace, workload.name)
    pod = template(owner) if owner else None
    for name, wanted in front.service.targets.items():
        port = _port(found, name, front.service.ports.get(name))
        if port is None:
            continue  # which is a port that is missing
        target = _target(port)
        if pod is None and type(target) is not type(wanted):
            continue  # only its pods say which number a name stands for
        if target == wanted or (pod and _number(pod, target) == _number(pod, wanted) is not None):
            continue
        has_it = pod is None or offers(pod, port)
        yield Finding(
            "SERVICE_PORT_WRONG" if has_it else "TARGET_PORT_WRONG",
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
def wrong_backends(store: Store, front: Front) -> Iterator[Finding]:
    """Find a Service that does not lead to exactly the ready pods of its workload.

    One for a role leads to as many as are in that role.
    """
    where = _where(front)
    behind = {each.pod or each.address for each in ready_behind(store, where)}
    pods = {pod["metadata"]["name"] for pod in pods_selected(store, front.workload)}
    expected = front.workload.expected_behind(front.service)
    if not behind and expected:
        sentence = Phrase("nothing is behind {service}", service=where)
        yield Finding("SERVICE_WITHOUT_ENDPOINTS", where, sentence)
    elif strangers := sorted(behind - pods):
        sentence = Phrase("behind {service} is {pods} as well", service=where, pods=strangers)
        yield Finding("SELECTOR_WRONG", where, sentence)
    elif front.service.role == "primary" and len(behind) != 1:
        sentence = Phrase(
            "{service} leads to {pods}, where one primary is wanted",
            service=where,
            pods=sorted(behind),
        )
        yield Finding("PRIMARY_SERVICE_ASTRAY", where, sentence)
    elif not front.service.role and (lacking := sorted(pods - behind)):
        sentence = Phrase("{service} does not lead to {pods}", service=where, pods=lacking)
        yield Finding("SERVICE_WITHOUT_ENDPOINTS", where, sentence)
    elif front.service.role and len(behind) != expected:
        sentence = Phrase(
            "{service} leads to {pods}, where {wanted} are wanted",
            service=where,
            pods=sorted(behind),
            wanted=expected,
        )
        yield Finding("SERVICE_WITHOUT_ENDPOINTS", where, sentence)


def is_headless(service: Object) -> bool:
    """Whether a Service has no address of its own."""
    return bool(service["spec"].get("clusterIP") == "None")


def headless_lost(service: Object, where: Ref, why: str) -> Finding:
    """Return what is wrong with a Service that has an address though its pods need names."""
    if address := service["spec"].get("clusterIP"):
        sentence = Phrase(
            "{service} has {address} and is not headless", service=where, address=address
        )
    else:
        sentence = Phrase(
            "{service} has an address that the cluster chooses and is not headless", service=where
        )
    return Finding("HEADLESS_LOST", where, sentence, evidence=(why,))


def _where(front: Front) -> Ref:
    return Ref("Service", front.namespace, front.name)


def _port(service: Object, name: str, number: int | None) -> dict[str, Any] | None:
    """Return the port of that name, or the only one if it has the number and no name."""
    ports: list[dict[str, Any]] = service["spec"].get("ports") or []
    for port in ports:
        if port.get("name") == name:
            return port
    is_only = len(ports) == 1 and not ports[0].get("name") and ports[0]["port"] == number
    return ports[0] if is_only else None


def _target(port: dict[str, Any]) -> int | str:
    target = port.get("targetPort") or port["port"]
    return int(target) if str(target).isdigit() else str(target)


def _number(pod: Object, target: int | str) -> int | None:
    """Return the number of a port of a pod's containers."""
    if isinstance(target, int):
        return target
    for container in containers(pod):
        for port in container.get("ports") or ():
            if port.get("name") == target:
                return int(port["containerPort"])
    return None


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


def _told(ports: dict[str, int]) -> list[str]:
    return [f"{name} {number}" for name, number in sorted(ports.items())]
