"""The network between pods: policies that close it, and ports that do not answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.diagnosis.addresses import addresses_of
from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref, ref
from nova_acceptance.diagnosis.dns_service import dns_services
from nova_acceptance.diagnosis.policies import Direction, Peer, allows, selecting
from nova_acceptance.diagnosis.resolution import configured, is_certain, service_at
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.diagnosis.workloads import selected, template
from nova_acceptance.kube import Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts

NETWORK_POLICY_DENIES: Final = Cause(
    "NETWORK_POLICY_DENIES",
    "A NetworkPolicy closes a way that the configuration needs",
    "Connections time out, from some namespaces or from all, while the server is well",
    "The policies that select the pods at either end, and whether any of their rules lets the "
    "traffic through",
    "add a rule for it to the policy, or delete the policy",
)
NETWORK_CUT: Final = Cause(
    "NETWORK_CUT",
    "One namespace, or one node, is cut off from another",
    "Connections from there time out, and the same connections from elsewhere are answered",
    "The answers to the same connection from pods of every namespace",
    "look for a NetworkPolicy, then for the network plugin's pods on the nodes concerned "
    "(`kubectl -n kube-system get pods -o wide`)",
)
SERVICE_UNHEALTHY: Final = Cause(
    "SERVICE_UNHEALTHY",
    "A service answers, and not as one that is well",
    "GET /health answers with another status than 200, or not as HTTP",
    "The answer to GET /health by the Service's name",
    "read the service's log (`kubectl logs`), and see what it needs",
)
PORT_UNDECLARED_OPEN: Final = Cause(
    "PORT_UNDECLARED_OPEN",
    "A port answers that nova.yaml does not declare",
    "Nothing breaks; something listens that nobody meant to be reached",
    "A connection to the port from inside a pod",
    "close it, or declare it in nova.yaml",
)
PORT_CLOSED: Final = Cause(
    "PORT_CLOSED",
    "A declared port refuses connections",
    "`Connection refused`",
    "A connection from inside a pod",
    "see whether a ready pod stands behind the Service, and whether it listens on that port",
    is_symptom=True,
)
PORT_SILENT: Final = Cause(
    "PORT_SILENT",
    "A declared port does not answer",
    "Connections time out",
    "A connection from inside a pod",
    "see whether the Service has endpoints and a policy or a packet filter drops the connection",
    is_symptom=True,
)
CAUSES: Final = (
    NETWORK_POLICY_DENIES,
    NETWORK_CUT,
    SERVICE_UNHEALTHY,
    PORT_UNDECLARED_OPEN,
    PORT_CLOSED,
    PORT_SILENT,
)

_DNS_PORTS: Final = ((53, "UDP"), (53, "TCP"))


def network_policy_denies(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find policies that close a way between a workload and a Service that it is configured with.

    One diagnosis for a policy, with every way that it closes.
    """
    if next(snapshot.of_kind("NetworkPolicy"), None) is None:
        return
    closed: dict[Ref, dict[Phrase, None]] = defaultdict(dict)
    for user, service, port in _ways(snapshot):
        for policy, said in _closed(snapshot, user, service, port):
            closed[policy][said] = None
    for policy, said in _without_dns(snapshot):
        closed[policy][said] = None
    for policy, ways in closed.items():
        yield Diagnosis(
            NETWORK_POLICY_DENIES,
            policy,
            _does_not_let(policy, list(ways)),
            Phrase(
                "let it through, or `kubectl -n {namespace} delete networkpolicy {name}`",
                namespace=policy.namespace,
                name=policy.name,
            ),
            evidence=tuple(f"closed: {way}" for way in ways),
        )


def _does_not_let(policy: Ref, ways: list[Phrase]) -> Phrase:
    first, *others = ways
    if not others:
        return Phrase("{policy} does not let {way}", policy=policy, way=first)
    return Phrase(
        "{policy} does not let {way} (and {more} more ways)",
        policy=policy,
        way=first,
        more=len(others),
    )


def _ways(snapshot: Snapshot) -> Iterator[tuple[Object, Object, dict[str, Any]]]:
    """Yield who connects to which port of which Service: by configuration, and by nova.yaml."""
    seen: set[tuple[Ref, Ref, int]] = set()
    for user in configured(snapshot):
        for address in addresses_of(snapshot, user):
            service = service_at(snapshot, address, user["metadata"].get("namespace", ""))
            if service is None or not is_certain(address):
                continue
            for port in service["spec"].get("ports") or ():
                way = ref(user), ref(service), port["port"]
                if address.port in (None, port["port"]) and way not in seen:
                    seen.add(way)
                    yield user, service, port
    for passage in parts.passages(snapshot.system) if snapshot.system else ():
        source, front = passage.source, passage.door.front
        client = snapshot.get("Deployment", source.namespace, source.name)
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


BEFOREHAND: Final = (network_policy_denies,)
