"""The network between pods: policies that close it, and ports that do not answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from nova_acceptance.components.dns.service import dns_services
from nova_acceptance.components.kubernetes.addresses import addresses_of
from nova_acceptance.components.kubernetes.graces import SETTLING
from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.policies import Direction, Peer, allows, selecting
from nova_acceptance.components.kubernetes.resolution import configured, is_certain, service_at
from nova_acceptance.components.kubernetes.workloads import selected, template, workload_of
from nova_acceptance.components.network.loopback import on_loopback_alone
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts

_DNS_PORTS: Final = ((53, "UDP"), (53, "TCP"))


def network_policy_denies(snapshot: Snapshot) -> Iterator[Finding]:
    """Find policies that keep a workload from a Service that it is configured with.

    One diagnosis for a policy, with every connection that it closes.
    """
    if next(snapshot.of_kind("NetworkPolicy"), None) is None:
        return
    closed: dict[Ref, dict[Phrase, None]] = defaultdict(dict)
    for user, service, port in _connections(snapshot):
        for policy, said in _closed(snapshot, user, service, port):
            closed[policy][said] = None
    for policy, said in _without_dns(snapshot):
        closed[policy][said] = None
    for policy, connections in closed.items():
        yield Finding(
            "NETWORK_POLICY_DENIES",
            policy,
            Phrase(
                "{policy} does not let {connection} (and {more} more)"
                if len(connections) > 1
                else "{policy} does not let {connection}",
                policy=policy,
                connection=next(iter(connections)),
                more=len(connections) - 1,
            ),
            Phrase(
                "let it through, or `kubectl -n {namespace} delete networkpolicy {name}`",
                namespace=policy.namespace,
                name=policy.name,
            ),
            evidence=tuple(f"closed: {each}" for each in connections),
        )


def _connections(snapshot: Snapshot) -> Iterator[tuple[Object, Object, dict[str, Any]]]:
    """Yield who connects to which port of which Service: by configuration, and by nova.yaml."""
    seen: set[tuple[Ref, Ref, int]] = set()
    for user in configured(snapshot):
        for address in addresses_of(snapshot, user):
            service = service_at(snapshot, address, user["metadata"].get("namespace", ""))
            if service is None or not is_certain(address):
                continue
            for port in service["spec"].get("ports") or ():
                connection = ref(user), ref(service), port["port"]
                if address.port in (None, port["port"]) and connection not in seen:
                    seen.add(connection)
                    yield user, service, port
    for passage in parts.passages(snapshot.system):
        source, front = passage.source, passage.door.front
        client = workload_of_component(snapshot, source)
        server = snapshot.get("Service", front.namespace, front.name)
        if client and server and (ref(client), ref(server), passage.door.port) not in seen:
            for port in server["spec"].get("ports") or ():
                if port["port"] == passage.door.port:
                    yield client, server, port


def _closed(
    snapshot: Snapshot, user: Object, service: Object, port: dict[str, Any]
) -> Iterator[tuple[Ref, Phrase]]:
    source = Peer.of(snapshot, user)
    if template(user)["spec"].get("hostNetwork"):
        return  # policies see a node there, and whether they apply is the plugin's own matter
    target = port.get("targetPort") or port["port"], port.get("protocol", "TCP")
    said = Phrase(
        "{user} to {service}, port {port}", user=ref(user), service=ref(service), port=port["port"]
    )
    for workload in selected(snapshot, service):
        listener = Peer.of(snapshot, workload)
        ends: tuple[tuple[Direction, Peer, Peer], ...] = (
            ("ingress", listener, source),
            ("egress", source, listener),
        )
        for direction, own, other in ends:
            if own.pod and own.pod["spec"].get("hostNetwork"):
                continue
            policies = selecting(snapshot, own, direction)
            if policies and not any(
                allows(policy, direction, other, target, listener) for policy in policies
            ):
                yield ref(policies[0]), said


def _without_dns(snapshot: Snapshot) -> Iterator[tuple[Ref, Phrase]]:
    """Yield the policies that close their pods' way to the cluster's DNS."""
    servers = [
        Peer.of(snapshot, workload)
        for service in dns_services(snapshot)
        for workload in selected(snapshot, service)
    ]
    if not servers:
        return
    for user in configured(snapshot):
        own = Peer.of(snapshot, user)
        if own.pod and own.pod["spec"].get("hostNetwork"):
            continue
        if not any(is_certain(address) for address in addresses_of(snapshot, user)):
            continue  # it asks for no name, as far as its configuration tells
        policies = selecting(snapshot, own, "egress")
        if policies and not any(
            allows(policy, "egress", server, port, server)
            for policy in policies
            for server in servers
            for port in _DNS_PORTS
        ):
            yield ref(policies[0]), Phrase("{user} ask the cluster's DNS", user=ref(user))


def listens_on_loopback(snapshot: Snapshot) -> Iterator[Finding]:
    """Find servers that refuse at their pod's address and are there on its loopback."""
    for (where, port), seen in snapshot.on_loopback.items():
        pod = snapshot.at(where)
        workload = workload_of(snapshot, pod) if pod else None
        if pod:
            found = on_loopback_alone(
                ref(workload or pod), where, port, Phrase("its loopback"), seen
            )
            yield replace(found, grace=SETTLING)


BEFOREHAND: Final = (network_policy_denies,)
LIVE: Final = (listens_on_loopback,)
