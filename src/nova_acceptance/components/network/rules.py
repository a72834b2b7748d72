"""The network between pods: policies that close it, and ports that do not answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance.components.dns.service import dns_services, own_addresses
from nova_acceptance.components.kubernetes.addresses import addresses_of
from nova_acceptance.components.kubernetes.graces import SETTLING, STARTING
from nova_acceptance.components.kubernetes.policies import Peer, allows, selecting
from nova_acceptance.components.kubernetes.resolution import (
    configured,
    is_certain,
    uses_cluster_dns,
)
from nova_acceptance.components.kubernetes.workloads import selected, template, workload_of
from nova_acceptance.components.network.enforcement import closed_by
from nova_acceptance.components.network.listening import told_by_logs
from nova_acceptance.components.network.loopback import on_loopback_alone
from nova_acceptance.components.network.plugins import are_policies_enforced
from nova_acceptance.components.network.used import Connection, used_connections
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_DNS_PORTS: Final = ((53, "UDP"), (53, "TCP"))
_ON_THE_NODE: Final = "169.254.20.10"
"""Where NodeLocal DNSCache answers ("Using NodeLocal DNSCache" of Kubernetes' documentation)."""


def network_policy_denies(snapshot: Snapshot) -> Iterator[Finding]:
    """Find policies that keep a workload from a Service that it is configured with.

    One diagnosis for a policy, with every connection that it closes. On a cluster that does not
    enforce them they are no cause of anything.
    """
    if next(snapshot.of_kind("NetworkPolicy"), None) is None:
        return
    if not are_policies_enforced(snapshot):
        return
    closed: dict[Ref, dict[Phrase, None]] = defaultdict(dict)
    for policy, said in (*_closed(snapshot), *_without_dns(snapshot)):
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


def _closed(snapshot: Snapshot) -> Iterator[tuple[Ref, Phrase]]:
    """Yield the policies that close a way that is used, with the connection.

    An address in an object that several workloads are given as a whole is used by one of them at
    least: it is closed where it is closed to all of them.
    """
    shared: dict[tuple[Ref, Ref, int], list[list[tuple[Ref, Phrase]]]] = defaultdict(list)
    for each in used_connections(snapshot):
        found = _closing(snapshot, each)
        if each.holder is None:
            yield from found
        elif ref(each.user) not in map(ref, selected(snapshot, each.service)):
            shared[each.holder, ref(each.service), each.ports[0]["port"]].append(found)
    for of_users in shared.values():
        if all(of_users):
            yield from (closing for found in of_users for closing in found)


def _closing(snapshot: Snapshot, connection: Connection) -> list[tuple[Ref, Phrase]]:
    """Return the policies that close a connection; of several ports that it may use, all."""
    user, service = connection.user, connection.service
    by_port = [list(closed_by(snapshot, user, service, port)) for port in connection.ports]
    is_closed = all(by_port) if connection.is_one_of_several else any(by_port)
    return [closing for found in by_port for closing in found] if is_closed else []


def _without_dns(snapshot: Snapshot) -> Iterator[tuple[Ref, Phrase]]:
    """Yield the policies that close their pods' way to the cluster's DNS."""
    servers = [
        # a cache on the node answers in its place, and some plugins see the Service's address
        replace(server, ips=(*server.ips, *own_addresses(service), _ON_THE_NODE))
        for service in dns_services(snapshot)
        for workload in selected(snapshot, service)
        for server in Peer.each_of(snapshot, workload, service["spec"].get("selector"))
    ]
    if not servers:
        return
    for user in configured(snapshot):
        spec = template(user)["spec"]
        if spec.get("hostNetwork") or not uses_cluster_dns(spec):
            continue
        if not any(is_certain(address) for address in addresses_of(snapshot, user)):
            continue  # it asks for no name, as far as its configuration tells
        for own in Peer.each_of(snapshot, user):
            policies = selecting(snapshot, own, "egress")
            if policies and not any(
                allows(policy, "egress", server, port, server)
                for policy in policies
                for server in servers
                for port in _DNS_PORTS
            ):
                yield ref(policies[0]), Phrase("{user} ask the cluster's DNS", user=ref(user))


def listens_on_loopback(snapshot: Snapshot) -> Iterator[Finding]:
    """Find servers that refuse at their pod's address and are there on its loopback.

    It is seen by a port-forward; where none is possible, the program's own log may say it. A
    program may still be starting then, and is given the time for it.
    """
    told = {key: (seen, STARTING) for key, seen in told_by_logs(snapshot)}
    tried = {key: (seen, SETTLING) for key, seen in snapshot.on_loopback.items()}
    for (where, port), (seen, grace) in {**told, **tried}.items():
        pod = snapshot.at(where)
        workload = workload_of(snapshot, pod) if pod else None
        if pod:
            found = on_loopback_alone(
                ref(workload or pod), where, port, Phrase("its loopback"), seen
            )
            yield replace(found, grace=grace)


BEFOREHAND: Final = (network_policy_denies,)
LIVE: Final = (listens_on_loopback,)
