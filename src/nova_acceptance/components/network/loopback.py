"""Servers that listen on their pod's loopback alone, where nobody else reaches them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any, Final

from nova_acceptance.components.kubernetes.pods import message, short
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import containers, statuses
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_REFUSED: Final = re.compile(r"dial tcp \[?([0-9a-fA-F.:]+?)\]?:(\d+): connect: connection refused")
_BY_NETWORK: Final = ("httpGet", "tcpSocket", "grpc")


def on_loopback_alone(
    subject: Ref, pod: Ref, port: int, address: str | Phrase, evidence: Iterable[str]
) -> Finding:
    """Return that a pod's port is open on its loopback alone.

    Args:
        subject: its workload, of which the configuration is to be mended.
        pod: the pod.
        port: its port.
        address: where the server listens.
        evidence: what showed it.
    """
    return Finding(
        "LISTENS_ON_LOOPBACK",
        subject,
        Phrase(
            "{pod} listens at port {port} on {address} alone, where no other pod reaches it",
            pod=pod,
            port=port,
            address=address,
        ),
        Phrase(
            "have {workload} listen on every address at port {port} (0.0.0.0, or :: with IPv6) "
            "in the place of {address}",
            workload=subject,
            port=port,
            address=address,
        ),
        evidence=tuple(evidence),
    )


def refused_ports(snapshot: Snapshot) -> Iterator[tuple[Ref, int]]:
    """Yield the ports of running pods at which a probe of the kubelet was refused.

    Those are left out at which one is answered by now: a refusal is told for an hour.
    """
    for pod in snapshot.of_kind("Pod"):
        status = pod.get("status") or {}
        if not any("running" in (entry.get("state") or {}) for entry in statuses(pod)):
            continue
        said = (
            _REFUSED.search(message(event))
            for event in snapshot.events_about(pod)
            if event.get("reason") == "Unhealthy"
        )
        own = {status.get("podIP"), *(each.get("ip") for each in status.get("podIPs") or ())}
        for port in dict.fromkeys(int(it[2]) for it in said if it and it[1] in own):
            if not answers_the_kubelet(pod, port):
                yield ref(pod), port


def refused_last(snapshot: Snapshot) -> Iterator[tuple[tuple[Ref, int], str]]:
    """Yield the ports at which the latest of a pod's failed probes was refused, with its words.

    A pod that is ready has been let in since, or is asked by other probes than that.
    """
    for where, port in refused_ports(snapshot):
        pod = snapshot.at(where)
        if pod is None or is_ready(pod):
            continue
        events = snapshot.events_about(pod)
        unhealthy = [message(each) for each in events if each.get("reason") == "Unhealthy"]
        found = _REFUSED.search(unhealthy[-1])
        if found and int(found[2]) == port:
            yield (where, port), f"the kubelet: {short(unhealthy[-1])}"


def is_loopback(address: str) -> bool:
    """Whether nobody but the pod itself gets to an address."""
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)  # ::ffff:127.0.0.1
    return (mapped or found).is_loopback


def answers_the_kubelet(pod: Object, port: int) -> bool:
    """Whether a ready container's readiness probe asks for that port at the pod's own address."""
    ready = {entry["name"] for entry in statuses(pod) if entry.get("ready")}
    return any(
        _port_of(asked, container) == port
        for container in containers(pod)
        if container["name"] in ready
        for field in _BY_NETWORK
        if (asked := (container.get("readinessProbe") or {}).get(field)) and not asked.get("host")
    )


def _port_of(asked: dict[str, Any], container: dict[str, Any]) -> int | None:
    """Return the number of a probe's port, which it may name."""
    named = {each.get("name"): each["containerPort"] for each in container.get("ports") or ()}
    found = asked.get("port")
    number = str(named.get(found, found))
    return int(number) if number.isdecimal() else None
