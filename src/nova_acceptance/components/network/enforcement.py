"""Whether NetworkPolicies do anything on a cluster: not every network plugin enforces them.

It is found out by trying: a connection that policies close and that is open all the same shows that
nothing enforces them. That is a limit of the cluster, and no fault of what runs on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from nova_acceptance.components.dns.service import own_addresses
from nova_acceptance.components.kubernetes.backends import replicas_wanted
from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.policies import Direction, Peer, allows, selecting
from nova_acceptance.components.kubernetes.workloads import selected, template
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Passage, System, parts

UNENFORCED = Phrase("NetworkPolicies are not enforced on this cluster")


def closing(snapshot: Snapshot, passage: Passage) -> list[Ref]:
    """Return the policies that close a component's way to a port, enforced or not."""
    front = passage.door.front
    client = workload_of_component(snapshot, passage.source)
    server = snapshot.get("Service", front.namespace, front.name)
    if not (client and server):
        return []
    ports = [it for it in server["spec"].get("ports") or () if it["port"] == passage.door.port]
    return [policy for port in ports for policy, _ in closed_by(snapshot, client, server, port)]


def open_despite(
    snapshot: Snapshot, system: System, state: Callable[[Passage], str]
) -> Phrase | None:
    """Return that a connection is open which policies close; None where none is.

    Args:
        snapshot: what the API says.
        system: what nova.yaml says.
        state: what a component's pod itself was answered at a port; empty where it was not asked.
    """
    if next(iter(snapshot.of_kind("NetworkPolicy")), None) is None:
        return None
    for passage in (*parts.passages(system), *parts.closed_passages(system)):
        policies = closing(snapshot, passage)
        if policies and state(passage) == "open":
            return unenforced(policies[0], passage)
    return None


def unenforced(policy: Ref, passage: Passage) -> Phrase:
    """Return that policies are not enforced, by the one that should close an open connection."""
    return Phrase(
        "{said}: {policy} closes {port} to {source}, and it is open",
        said=UNENFORCED,
        policy=policy,
        port=passage.door.name,
        source=passage.source.name,
    )


def closed_by(
    snapshot: Snapshot, user: Object, service: Object, port: dict[str, Any]
) -> Iterator[tuple[Ref, Phrase]]:
    """Yield the policies that close a Service's port to a workload, with the connection.

    A pod reaches itself whatever policies say.
    """
    if template(user)["spec"].get("hostNetwork"):
        return  # policies see a node there, and whether they apply is the plugin's own matter
    target = port.get("targetPort") or port["port"], port.get("protocol", "TCP")
    said = Phrase(
        "{user} to {service}, port {port}", user=ref(user), service=ref(service), port=port["port"]
    )
    own_addresses_of = tuple(own_addresses(service))
    sources = Peer.each_of(snapshot, user)
    for workload in selected(snapshot, service):
        if ref(workload) == ref(user) and replicas_wanted(user) <= 1:
            continue
        for listener in Peer.each_of(snapshot, workload, service["spec"].get("selector")):
            # some plugins see what is sent before the Service's address has become a pod's
            addressed = replace(listener, ips=(*listener.ips, *own_addresses_of))
            for source in sources:
                ends: tuple[tuple[Direction, Peer, Peer], ...] = (
                    ("ingress", listener, source),
                    ("egress", source, addressed if listener.ips else listener),
                )
                for direction, own, other in ends:
                    if policy := _closes(
                        snapshot, direction, own, other, target=target, listener=listener
                    ):
                        yield policy, said


def _closes(
    snapshot: Snapshot,
    direction: Direction,
    own: Peer,
    other: Peer,
    *,
    target: tuple[Any, str],
    listener: Peer,
) -> Ref | None:
    """Return the first of the policies that close a way at one of its ends, if they do."""
    if own.pod and own.pod["spec"].get("hostNetwork"):
        return None
    policies = selecting(snapshot, own, direction)
    if any(allows(policy, direction, other, target, listener) for policy in policies):
        return None
    return ref(policies[0]) if policies else None
