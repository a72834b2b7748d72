"""Who may talk to whom, by the NetworkPolicies of a snapshot.

Source: "Network Policies" of Kubernetes' documentation: pods that no policy selects are open, and
what several policies allow adds up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from nova_acceptance.components.kubernetes.placement import selects
from nova_acceptance.components.kubernetes.workloads import containers, pods_of, template
from nova_acceptance.kube import Object
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.kube.snapshot import Snapshot, uid

Direction = Literal["ingress", "egress"]
_NAMED: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Peer:
    """A kind of pod: its namespace's labels, its own, and its addresses where it has any."""

    namespace: str
    namespace_labels: dict[str, str]
    labels: dict[str, str]
    ips: tuple[str, ...] = ()
    pod: Object | None = None

    @classmethod
    def of(cls, snapshot: Snapshot, workload: Object) -> Peer:
        """Return what policies see of a workload's pods."""
        namespace = workload["metadata"].get("namespace", "")
        pod = template(workload)
        ips = [(it.get("status") or {}).get("podIP") for it in pods_of(snapshot, workload)]
        return cls(
            namespace,
            labels_of_namespace(snapshot, namespace),
            pod.get("metadata", {}).get("labels") or {},
            tuple(filter(None, ips)),
            pod,
        )

    @classmethod
    def each_of(
        cls, snapshot: Snapshot, workload: Object, selector: dict[str, str] | None = None
    ) -> list[Peer]:
        """Return what policies see of a workload's pods, once for each set of labels.

        Programs put labels on their pods while they run, the role of a database's member for
        instance, and policies follow them. Where no pod is there yet it has its template's, and
        whatever leads to it selects.

        Args:
            snapshot: what was seen.
            workload: what makes the pods.
            selector: that of a Service, of whose pods alone is asked.
        """
        wanted, meant = selector or {}, cls.of(snapshot, workload)
        there: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for pod in pods_of(snapshot, workload):
            labels, status = pod["metadata"].get("labels") or {}, pod.get("status") or {}
            if wanted.items() <= labels.items() and status.get("phase") in ("Pending", "Running"):
                ips = there.setdefault(tuple(sorted(labels.items())), [])
                ips += filter(None, [status.get("podIP")])
        return [
            replace(meant, labels=dict(labels), ips=tuple(ips)) for labels, ips in there.items()
        ] or [replace(meant, labels={**meant.labels, **wanted})]


def labels_of_namespace(snapshot: Snapshot, namespace: str) -> dict[str, str]:
    """Return what policies see of a namespace.

    The API server names each by a label since 1.21, so that what was only rendered lacks it. One
    that was read without it is of an older server, on which no selector by that label ever holds.
    """
    home = snapshot.get("Namespace", "", namespace) or {"metadata": {}}
    labels = home["metadata"].get("labels") or {}
    return labels if uid(home) else {_NAMED: namespace, **labels}


def selecting(snapshot: Snapshot, peer: Peer, direction: Direction) -> list[Object]:
    """Return the policies that close these pods in that direction, but for what they allow."""
    return [
        policy
        for policy in snapshot.of_kind("NetworkPolicy", peer.namespace)
        if direction in directions(policy)
        and selects(policy["spec"].get("podSelector") or {}, peer.labels)
    ]


def every_selecting(snapshot: Snapshot, workload: Object) -> Iterator[Object]:
    """Yield the policies that select a workload's pods, in whichever direction."""
    labels = template(workload).get("metadata", {}).get("labels") or {}
    for policy in snapshot.of_kind("NetworkPolicy", workload["metadata"].get("namespace", "")):
        if selects(policy["spec"].get("podSelector") or {}, labels):
            yield policy


def distinguishing(snapshot: Snapshot, pod: Object) -> list[Object]:
    """Return the policies that treat what a pod sends otherwise than what a probe pod sends.

    They select the one by its labels and not the other, which has none of the system's.
    """
    namespace = pod["metadata"]["namespace"]
    own = Peer(
        namespace,
        labels_of_namespace(snapshot, namespace),
        pod["metadata"].get("labels") or {},
    )
    other = replace(own, labels={RUN_LABEL: ""})
    return [
        policy
        for policy in snapshot.of_kind("NetworkPolicy")
        if _selects_for_egress(policy, own) != _selects_for_egress(policy, other)
        or _is_let_in(policy, own) != _is_let_in(policy, other)
    ]


def _selects_for_egress(policy: Object, peer: Peer) -> bool:
    return (
        policy["metadata"].get("namespace", "") == peer.namespace
        and "egress" in directions(policy)
        and selects(policy["spec"].get("podSelector") or {}, peer.labels)
    )


def _is_let_in(policy: Object, peer: Peer) -> list[bool]:
    """Return of each rule whether it lets traffic from these pods in, whatever the port."""
    own = policy["metadata"].get("namespace", "")
    return [
        not rule.get("from") or any(_is_peer(each, peer, own) for each in rule["from"])
        for rule in policy["spec"].get("ingress") or ()
    ]


def directions(policy: Object) -> set[str]:
    """Return in which directions a policy closes what it selects."""
    named = policy["spec"].get("policyTypes")
    if named:
        return {name.lower() for name in named}
    return {"ingress", "egress"} if policy["spec"].get("egress") else {"ingress"}


def allows(
    policy: Object, direction: Direction, other: Peer, port: tuple[Any, str], listener: Peer
) -> bool:
    """Whether a policy lets traffic with those pods through; in doubt it does.

    Args:
        policy: one that selects the pods in question.
        direction: which of its rules count.
        other: who is at the other end.
        port: the port that is connected to, by number or name, and its protocol.
        listener: the pods that listen, whose names of ports count.
    """
    own = policy["metadata"].get("namespace", "")
    peers, ports = ("from", "ports") if direction == "ingress" else ("to", "ports")
    return any(
        (not rule.get(peers) or any(_is_peer(each, other, own) for each in rule[peers]))
        and (not rule.get(ports) or any(_is_port(each, port, listener) for each in rule[ports]))
        for rule in policy["spec"].get(direction) or ()
    )


def _is_peer(rule: dict[str, Any], other: Peer, own: str) -> bool:
    if block := rule.get("ipBlock"):
        return _is_in(block, other.ips)
    if "namespaceSelector" in rule:
        if not selects(rule["namespaceSelector"] or {}, other.namespace_labels):
            return False
    elif other.namespace != own:
        return False
    return "podSelector" not in rule or selects(rule["podSelector"] or {}, other.labels)


def _is_in(block: dict[str, Any], ips: tuple[str, ...]) -> bool:
    try:
        network = ipaddress.ip_network(block["cidr"], strict=False)
        addresses = [ipaddress.ip_address(ip) for ip in ips]
        but = [ipaddress.ip_network(it, strict=False) for it in block.get("except") or ()]
    except ValueError:
        return True
    return not addresses or any(
        address in network and not any(address in each for each in but) for address in addresses
    )


def _is_port(rule: dict[str, Any], port: tuple[Any, str], listener: Peer) -> bool:
    wanted, protocol = port
    if rule.get("protocol", "TCP") != protocol:
        return False
    named = rule.get("port")
    if named is None:
        return True
    number, first = number_of(listener, wanted), number_of(listener, named)
    if number is None or first is None:
        return bool(named == wanted)
    return first <= number <= int(rule.get("endPort") or first)


def number_of(listener: Peer, port: Any) -> int | None:
    """Return the number of a port that may be given by its name in the listening pods."""
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    for container in containers(listener.pod) if listener.pod else ():
        for declared in container.get("ports") or ():
            if declared.get("name") == port:
                return int(declared["containerPort"])
    return None
