"""Host names and ports that configuration holds, and the Services that they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nova_acceptance.diagnosis.cause import Ref
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.diagnosis.workloads import containers, references, template
from nova_acceptance.kube import Object

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS: Final = re.compile(
    rf"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^\s:/@?#,]*)(?::[^\s@]*)?@)?)?"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*)\.?(?::(?P<port>[0-9]{{1,5}}))?(?P<path>/[^\s?#,]*)?",
    re.IGNORECASE,
)
_SVC: Final = "svc"


@dataclass(frozen=True, slots=True)
class Address:
    """One address that a value holds.

    Attributes:
        holder: the ConfigMap, Secret or workload that holds it.
        key: the key or variable.
        host: the name as it is written, in lower case.
        port: None where none is written.
        scheme: of a URL; empty for a bare `host:port`.
        user: of a URL; empty if none.
        path: of a URL, with its slash; empty if none.
    """

    holder: Ref
    key: str
    host: str
    port: int | None
    scheme: str
    user: str
    path: str

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def addresses_in(text: str, holder: Ref, key: str) -> Iterator[Address]:
    """Yield the addresses that a value, or the shape of a Secret's value, is made of.

    A URL, a `host:port`, a bare name with at least one dot, or a list of these with commas; a
    value that is anything else holds none.
    """
    for part in re.split(r"[,\s]+", text.strip()):
        found = _ADDRESS.fullmatch(part.partition("?")[0].partition("#")[0].strip())
        if found is None:
            continue
        host, port = found["host"].lower(), found["port"]
        if not (found["scheme"] or port or host.endswith((".svc", ".local"))):
            continue
        if host.replace(".", "").isdigit():
            continue
        yield Address(
            holder,
            key,
            host,
            int(port) if port else None,
            (found["scheme"] or "").lower(),
            found["user"] or "",
            found["path"] or "",
        )


def addresses_of(snapshot: Snapshot, workload: Object) -> Iterator[Address]:
    """Yield the addresses that a workload is configured with.

    They are in the literal values of its variables and arguments, and in the ConfigMaps and
    Secrets that it refers to.
    """
    metadata = workload["metadata"]
    namespace = metadata.get("namespace", "")
    holder = Ref(workload["kind"], namespace, metadata["name"])
    pod = template(workload)
    for container in containers(pod):
        for variable in container.get("env") or ():
            yield from addresses_in(str(variable.get("value") or ""), holder, variable["name"])
        for argument in (*(container.get("command") or ()), *(container.get("args") or ())):
            yield from addresses_in(str(argument).rpartition("=")[2], holder, "arguments")
    seen: set[tuple[Ref, str]] = set()
    for reference in references(pod, namespace):
        if (reference.target, reference.key) in seen:
            continue
        seen.add((reference.target, reference.key))
        found = snapshot.at(reference.target)
        if found is None or found["kind"] not in ("ConfigMap", "Secret"):
            continue
        for key, value in (found.get("data") or {}).items():
            if not reference.key or key == reference.key:
                yield from addresses_in(str(value), reference.target, key)


def service_meant(host: str, namespace: str, zone: str = "cluster.local") -> Ref | None:
    """Return the Service that a host name means to a pod of `namespace`, existing or not.

    `name`, `name.namespace`, `name.namespace.svc` and `name.namespace.svc.ZONE` mean a Service;
    with a pod's name before it, a headless one. Any other name with dots is outside the cluster.
    """
    labels = host.removesuffix(".").removesuffix(f".{zone}").split(".")
    if _SVC in labels:
        end = len(labels) - 1 - labels[::-1].index(_SVC)
        labels = labels[:end]
        if len(labels) not in (2, 3):
            return None
        return Ref("Service", labels[-1], labels[-2])
    if len(labels) == 1:
        return Ref("Service", namespace, labels[0])
    return Ref("Service", labels[1], labels[0]) if len(labels) == 2 else None  # noqa: PLR2004
