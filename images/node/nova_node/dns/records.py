"""Services and Endpoints of the API to the records of the cluster's zone.

Numbers in brackets are sections of the DNS-Based Service Discovery specification 1.1.
Endpoints rather than EndpointSlices: one object a Service, in every Kubernetes version.
"""

from __future__ import annotations

import ipaddress
import logging
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nova_node.api import Object
from nova_node.dns.wire import TTL, Name, Record, Type, ancestors, name_of

SCHEMA_VERSION: Final = "1.1.0"
_SRV: Final = struct.Struct("!3H")
_SOA: Final = struct.Struct("!5I")
_IPV4: Final = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Zones:
    """The names for which this server speaks.

    Args:
        cluster: the cluster's domain, such as "cluster.local".
    """

    cluster: str = "cluster.local"

    @property
    def server(self) -> str:
        """The server's own name, which is a Service's in every cluster."""
        return f"kube-dns.kube-system.svc.{self.cluster}"

    @property
    def apexes(self) -> tuple[Name, ...]:
        """The tops of authority, most specific first.

        The last is the root: a cluster without a way out has no names besides its own, and
        NXDOMAIN is what says so. REFUSED or SERVFAIL would be a lame server's answer: glibc
        repeats the question and reports a temporary failure, musl waits for its time-out,
        and neither goes on quickly along the search list.
        """
        return (name_of(self.cluster), name_of("in-addr.arpa"), name_of("ip6.arpa"), name_of(""))


@dataclass(frozen=True)
class Records:
    """All records by owner and type, and every name that exists.

    Args:
        by_name: the records of each owner.
        names: all owners and the names above them, which exist without records (RFC 4592).
    """

    by_name: Mapping[Name, Mapping[int, list[Record]]] = field(default_factory=dict)
    names: frozenset[Name] = frozenset()


def records_of_cluster(
    zones: Zones, services: Iterable[Object], endpoints: Mapping[str, Object]
) -> Records:
    """Every record of a cluster.

    Args:
        zones: where the records belong.
        services: all Services.
        endpoints: the Endpoints by "namespace/name".
    """
    by_name: dict[Name, dict[int, list[Record]]] = {}
    names: set[Name] = set()

    def add(record: Record) -> None:
        siblings = by_name.setdefault(record.name, {}).setdefault(record.type, [])
        if record not in siblings:
            siblings.append(record)
        for name in ancestors(record.name):
            if name in names:
                break
            names.add(name)

    for record in _apex_records(zones):
        add(record)
    for service in services:
        metadata = service["metadata"]
        own = endpoints.get(f"{metadata['namespace']}/{metadata['name']}", {})
        try:
            found = list(records_of(zones, service, own))
        except ValueError as error:
            # One Service that cannot be named must not take all others' names away.
            log.warning("service %s/%s: %s", metadata["namespace"], metadata["name"], error)
            continue
        for record in found:
            add(record)
    return Records(by_name, frozenset(names))


def soa(zones: Zones, apex: Name) -> Record:
    """The start of authority at `apex`; its last field is how long an absence may be kept."""
    contact = name_of(f"hostmaster.{zones.cluster}")
    # No secondaries transfer this zone, so that the serial number has nothing to say.
    numbers = _SOA.pack(1, 7200, 1800, 86400, TTL)
    return Record(apex, Type.SOA, name_of(zones.server) + contact + numbers)


def records_of(zones: Zones, service: Object, endpoints: Object) -> Iterator[Record]:
    """The records of one Service.

    Raises:
        ValueError: a name or an address of it cannot be written in a record.
    """
    metadata, spec = service["metadata"], service["spec"]
    name = f"{metadata['name']}.{metadata['namespace']}.svc.{zones.cluster}"
    if spec.get("type") == "ExternalName":  # [2.5]
        yield Record(name_of(name), Type.CNAME, name_of(spec["externalName"]))
        return
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP", "")]
    if addresses[0] == "None":
        yield from _headless(name, spec, endpoints)
    elif addresses[0]:
        yield from _cluster_ip(name, spec, addresses)


def _apex_records(zones: Zones) -> Iterator[Record]:
    for apex in zones.apexes:
        yield soa(zones, apex)
        yield Record(apex, Type.NS, name_of(zones.server))
    version = SCHEMA_VERSION.encode()  # [2.2]
    name = name_of(f"dns-version.{zones.cluster}")
    yield Record(name, Type.TXT, bytes([len(version)]) + version)


def _cluster_ip(name: str, spec: Object, addresses: Iterable[str]) -> Iterator[Record]:
    for address in addresses:
        yield _address(name, address)  # [2.3.1]
        yield _pointer(address, name)  # [2.3.3]
    for port in spec.get("ports") or ():
        if port.get("name"):
            yield _service(name, port, name)  # [2.3.2]


def _headless(name: str, spec: Object, endpoints: Object) -> Iterator[Record]:
    for subset in endpoints.get("subsets") or ():
        ready = list(subset.get("addresses") or ())
        if spec.get("publishNotReadyAddresses"):
            ready += subset.get("notReadyAddresses") or ()
        for endpoint in ready:
            address = endpoint["ip"]
            # [2.4.1]: an endpoint without a hostname gets an identifier of ours.
            host = endpoint.get("hostname") or address.replace(".", "-").replace(":", "-")
            own = f"{host}.{name}"
            yield _address(name, address)
            yield _address(own, address)
            yield _pointer(address, own)  # [2.4.3]
            for port in subset.get("ports") or ():
                if port.get("name"):
                    yield _service(name, port, own)  # [2.4.2]


def _address(name: str, address: str) -> Record:
    parsed = ipaddress.ip_address(address)
    return Record(name_of(name), Type.A if parsed.version == _IPV4 else Type.AAAA, parsed.packed)


def _pointer(address: str, name: str) -> Record:
    reverse = ipaddress.ip_address(address).reverse_pointer
    return Record(name_of(reverse), Type.PTR, name_of(name))


def _service(name: str, port: Object, target: str) -> Record:
    owner = f"_{port['name']}._{port.get('protocol', 'TCP').lower()}.{name}"
    # One priority and one weight for all: the specification leaves them open.
    return Record(name_of(owner), Type.SRV, _SRV.pack(0, 10, port["port"]) + name_of(target))
