"""The records that a cluster's DNS should serve, worked out from what the API says.

Source: Kubernetes DNS-Based Service Discovery 1.1, sections 2.3 (ClusterIP) and 2.4 (headless):
https://github.com/kubernetes/dns/blob/master/docs/specification.md
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.kube import Object
from nova_acceptance.libraries import dns
from nova_acceptance.vantage.questions import Exchanged

SCHEMA_VERSION = "1.1.0"


@dataclass(frozen=True, slots=True)
class Records:
    """All values of one name and type.

    Attributes:
        name: absolute, without the final dot.
        rdtype: `A`, `AAAA`, `SRV` or `PTR`.
        values: addresses; `port target` for SRV; names without the final dot for PTR.
    """

    name: str
    rdtype: str
    values: frozenset[str]


def records(service: Object, endpoints: list[Endpoint], zone: str) -> Iterator[Records]:
    """Yield what the DNS should serve for a Service; nothing of one without any address.

    One of type ExternalName has none: what its name leads to is not the cluster's to say.

    Args:
        service: as the API returns it.
        endpoints: the ready addresses behind it.
        zone: the cluster's domain, `cluster.local`.
    """
    metadata, spec = service["metadata"], service["spec"]
    name = f"{metadata['name']}.{metadata['namespace']}.svc.{zone}"
    if not spec.get("clusterIP"):
        return
    headless = spec["clusterIP"] == "None"
    own = spec.get("clusterIPs") or [spec["clusterIP"]]
    addresses = [endpoint.address for endpoint in endpoints] if headless else own
    yield from _addresses(name, addresses)
    named = [endpoint for endpoint in endpoints if endpoint.hostname]
    is_named = len(named) == len(endpoints) > 0
    if headless:
        for endpoint in named:
            yield from _addresses(f"{endpoint.hostname}.{name}", [endpoint.address])
            pointer = ipaddress.ip_address(endpoint.address).reverse_pointer
            yield Records(pointer, "PTR", frozenset({f"{endpoint.hostname}.{name}"}))
    else:
        for address in own:
            pointer = ipaddress.ip_address(address).reverse_pointer
            yield Records(pointer, "PTR", frozenset({name}))
    for port in spec.get("ports") or []:
        # of pods without names of their own the server makes some up
        if port.get("name") and (is_named or not headless):
            protocol = port.get("protocol", "TCP").lower()
            if headless:
                values = frozenset(
                    f"{dict(endpoint.ports)[port['name']]} {endpoint.hostname}.{name}"
                    for endpoint in named
                )
            else:
                values = frozenset({f"{port['port']} {name}"})
            yield Records(f"_{port['name']}._{protocol}.{name}", "SRV", values)


def values(answer: Exchanged, rdtype: str) -> frozenset[str]:
    """Return the values of one type in a name server's answer, written as in `Records`."""
    if answer.message is None:
        return frozenset()
    found: set[str] = set()
    for entry in answer.message.answer:
        if entry.rdtype != dns.rdatatype.from_text(rdtype):
            continue
        for item in entry:
            words = item.to_text().split()
            # priority and weight are the server's own affair
            kept = words[2:] if rdtype == "SRV" else words
            found.add(" ".join(word.rstrip(".").strip('"') for word in kept))
    return frozenset(found)


def is_answered(answer: Exchanged) -> bool:
    """Whether the name server says anything of the name, be it that there is none."""
    known = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return answer.message is not None and answer.message.rcode() in known


def is_absent(answer: Exchanged) -> bool:
    """Whether the name server says that there is no such name."""
    return answer.message is not None and answer.message.rcode() == dns.rcode.NXDOMAIN


def _addresses(name: str, addresses: list[str]) -> Iterator[Records]:
    for rdtype, version in (("A", 4), ("AAAA", 6)):
        of_version = [item for item in addresses if ipaddress.ip_address(item).version == version]
        if of_version:
            yield Records(name, rdtype, frozenset(of_version))
