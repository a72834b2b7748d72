"""Which connections are used: by what configuration holds, and by what nova.yaml says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from nova_acceptance.components.kubernetes.addresses import Address, addresses_of
from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.resolution import configured, is_certain, service_at
from nova_acceptance.components.kubernetes.workloads import references
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import parts

_USUAL: Final = {
    "http": 80,
    "ws": 80,
    "https": 443,
    "wss": 443,
    "redis": 6379,
    "rediss": 6379,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mongodb": 27017,
    "amqp": 5672,
    "amqps": 5671,
    "nats": 4222,
    "ldap": 389,
    "ldaps": 636,
}
"""The port of a URL that says none, as IANA or the URL's own specification has it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Who connects to which ports of which Service.

    Attributes:
        user: the workload.
        service: the Service.
        ports: of it; one at least.
        is_one_of_several: whether any of the ports may be the one that is used.
        holder: the object that holds the address and is given to several workloads as a whole, so
            that this one need not use it; None where it does.
    """

    user: Object
    service: Object
    ports: tuple[dict[str, Any], ...]
    is_one_of_several: bool = False
    holder: Ref | None = None


def used_connections(snapshot: Snapshot) -> Iterator[Connection]:
    """Yield every connection that is used, or that one of several workloads uses."""
    seen: set[tuple[Ref, Ref, int]] = set()
    for each in _declared(snapshot):
        seen |= {(ref(each.user), ref(each.service), port["port"]) for port in each.ports}
        yield each
    shared = _shared(snapshot)
    found: dict[tuple[Ref, Ref, tuple[int, ...], Ref | None], Connection] = {}
    for user in configured(snapshot):
        for address in addresses_of(snapshot, user):
            service = service_at(snapshot, address, user["metadata"].get("namespace", ""))
            if service is None or not is_certain(address):
                continue
            ports = _ports(service, address)
            numbers = tuple(port["port"] for port in ports)
            if not ports or any((ref(user), ref(service), it) in seen for it in numbers):
                continue
            holder = address.holder if (ref(user), address.holder) in shared else None
            found[ref(user), ref(service), numbers, holder] = Connection(
                user, service, ports, len(ports) > 1, holder
            )
    certain = {key[:3] for key in found if key[3] is None}
    yield from (it for key, it in found.items() if key[3] is None or key[:3] not in certain)


def _declared(snapshot: Snapshot) -> Iterator[Connection]:
    for passage in parts.passages(snapshot.system):
        source, front = passage.source, passage.door.front
        client = workload_of_component(snapshot, source)
        server = snapshot.get("Service", front.namespace, front.name)
        if client and server:
            for port in server["spec"].get("ports") or ():
                if port["port"] == passage.door.port:
                    yield Connection(client, server, (port,))


def _ports(service: Object, address: Address) -> tuple[dict[str, Any], ...]:
    """Return the port of a Service that an address means; all where it does not say."""
    every = tuple(service["spec"].get("ports") or ())
    number = address.port or _USUAL.get(address.scheme.partition("+")[0])
    meant = tuple(port for port in every if port["port"] == number)
    return meant if meant or address.port else every


def _shared(snapshot: Snapshot) -> frozenset[tuple[Ref, Ref]]:
    """Return workloads with the objects that they are given as a whole, as others are too."""
    whole: dict[Ref, set[Ref]] = defaultdict(set)
    named: set[tuple[Ref, Ref]] = set()
    for user in configured(snapshot):
        for reference in references(user):
            if reference.key:
                named.add((ref(user), reference.target))
            else:
                whole[reference.target].add(ref(user))
    return frozenset(
        (user, holder)
        for holder, users in whole.items()
        if len(users) > 1
        for user in users
        if (user, holder) not in named
    )
