"""The Service by which pods ask the cluster's DNS, under the names that distributions give it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

DNS: Final = Ref("Service", "kube-system", "kube-dns")
"""The name under which nearly every cluster's DNS answers, CoreDNS's too."""
_LABEL: Final = "k8s-app"
_PORT: Final = 53


def _is_dns(service: Object) -> bool:
    """Whether a Service is the cluster's DNS: by its usual name, or its usual label and port."""
    metadata = service["metadata"]
    if (metadata.get("namespace"), metadata["name"]) == (DNS.namespace, DNS.name):
        return True
    is_labelled = (metadata.get("labels") or {}).get(_LABEL) == DNS.name
    ports = {port["port"] for port in (service.get("spec") or {}).get("ports") or ()}
    return metadata.get("namespace") == DNS.namespace and is_labelled and _PORT in ports


def dns_services(snapshot: Snapshot) -> Iterator[Object]:
    """Yield the cluster's DNS Services; where none has the usual name, those that serve names."""
    there = list(snapshot.of_kind("Service", DNS.namespace))
    usual = [each for each in there if _is_dns(each)]
    yield from usual or (each for each in there if _serves_names(each))


def _serves_names(service: Object) -> bool:
    spec = service.get("spec") or {}
    return bool(spec.get("selector")) and any(
        (port["port"], port.get("protocol")) == (_PORT, "UDP") for port in spec.get("ports") or ()
    )


def own_addresses(service: Object) -> list[str]:
    """Return the addresses of a Service that has any of its own and knows them yet."""
    spec = service.get("spec") or {}
    own = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [address for address in own if address and address != "None"]


def keeps_servers(snapshot: Snapshot) -> bool:
    """Whether pods of kube-system are servers of names, by the label that installers give them."""
    return any(
        (pod["metadata"].get("labels") or {}).get(_LABEL) in (DNS.name, "coredns")
        for pod in snapshot.of_kind("Pod", DNS.namespace)
    )
