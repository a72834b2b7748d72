"""The Service by which pods ask the cluster's DNS, under the names that distributions give it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.graph import DNS
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.kube import Object

_LABEL: Final = "k8s-app"
_PORT: Final = 53


def is_dns(service: Object) -> bool:
    """Whether a Service is the cluster's DNS: by its usual name, or its usual label and port."""
    metadata = service["metadata"]
    if (metadata.get("namespace"), metadata["name"]) == (DNS.namespace, DNS.name):
        return True
    is_labelled = (metadata.get("labels") or {}).get(_LABEL) == DNS.name
    ports = {port["port"] for port in service["spec"].get("ports") or ()}
    return metadata.get("namespace") == DNS.namespace and is_labelled and _PORT in ports


def dns_services(snapshot: Snapshot) -> Iterator[Object]:
    """Yield the cluster's DNS Services."""
    return (each for each in snapshot.of_kind("Service", DNS.namespace) if is_dns(each))
