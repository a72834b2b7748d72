"""Host names and ports that configuration holds, and the Services that they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from nova_acceptance.components.kubernetes.shapes import is_host_key
from nova_acceptance.components.kubernetes.workloads import containers, references, template
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS: Final = re.compile(
    rf"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^\s:/@?#,]*)(?::[^\s@]*)?@)?)?"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*)\.?(?::(?P<port>[0-9]{{1,5}}))?(?P<path>/[^\s?#,]*)?",
    re.IGNORECASE,
)
_SVC: Final = "svc"
_CLUSTERSET: Final = ".svc.clusterset.local"
"""Of Services that several clusters share (KEP-1645): no Service of that name need be here."""


_HOST: Final = re.compile(r"(host|hostname|addr|address|endpoint)$", re.IGNORECASE)
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_ASSIGNED: Final = re.compile(r"[\w.-]+=")
_COMMENTS: Final = ("#", "//", ";", "--")
_AROUND: Final = "\"'`[](){}<>;"


@dataclass(frozen=True, slots=True)
class Address:
    """One address that a value holds.

    Attributes:
        holder: the ConfigMap, Secret or workload that holds it.
        key: the key, variable or option.
        host: the name as it is written, in lower case.
        port: None where none is written.
        scheme: of a URL; empty for a bare `host:port`.
        user: of a URL; empty if none.
        path: of a URL, with its slash; empty if none.
        is_in_text: whether the value is a file of several lines, of which little is understood.
    """

    holder: Ref
    key: str
    host: str
    port: int | None
    scheme: str
    user: str
    path: str
    is_in_text: bool = False

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def addresses_in(text: str, holder: Ref, key: str) -> Iterator[Address]:
    """Yield the addresses that a value, or the shape of a Secret's value, is made of.

    A URL, a `host:port`, a bare name under a key such as `REDIS_HOST`, or a list of these with
    commas, each perhaps after `name=`; a value that is anything else holds none.
    """
    text = text.strip()
    lines = text.splitlines()
    is_in_text = len(lines) > 1
    if is_in_text:
        kept = (line for line in lines if not line.lstrip().startswith(_COMMENTS))
        text = "\n".join(line.partition(" #")[0] for line in kept)
    for part in re.split(r"[,\s]+", text):
        bare = part.partition("?")[0].partition("#")[0].strip(_AROUND)
        bare = bare[found.end() :] if (found := _ASSIGNED.match(bare)) else bare
        if address := _address(bare, holder, key, is_in_text=is_in_text):
            yield address


def _address(text: str, holder: Ref, key: str, *, is_in_text: bool) -> Address | None:
    found = _ADDRESS.fullmatch(text.removeprefix("jdbc:"))
    if found is None:
        return None
    host, port = found["host"].lower(), found["port"]
    is_named = not is_in_text and is_host_key(key) and _NAME.fullmatch(text) is not None
    if not (found["scheme"] or port or is_named or host.endswith((".svc", ".local"))):
        return None
    if host.replace(".", "").isdigit():
        return None
    return Address(
        holder,
        key,
        host,
        int(port) if port else None,
        (found["scheme"] or "").lower(),
        found["user"] or "",
        found["path"] or "",
        is_in_text,
    )


def addresses_of(snapshot: Snapshot, workload: Object) -> tuple[Address, ...]:
    """Return the addresses that a workload is configured with.

    They are in the literal values of its variables and arguments, and in the ConfigMaps and
    Secrets that it refers to.
    """
    where = ref(workload)
    if snapshot.at(where) is not workload:
        return tuple(_addresses_of(snapshot, workload))  # one that is not of this snapshot
    return snapshot.once((_addresses_of, where), lambda: tuple(_addresses_of(snapshot, workload)))


def _addresses_of(snapshot: Snapshot, workload: Object) -> Iterator[Address]:
    holder = ref(workload)
    for container in containers(template(workload)):
        literal = {
            variable["name"]: str(variable.get("value") or "")
            for variable in container.get("env") or ()
        }
        yield from _addresses_under(literal, literal, holder)
        for argument in (*(container.get("command") or ()), *(container.get("args") or ())):
            option, _, value = str(argument).rpartition("=")
            yield from addresses_in(value, holder, option.lstrip("-") or Phrase("arguments"))
    seen: set[tuple[Ref, str]] = set()
    for reference in references(workload):
        if (reference.target, reference.key) in seen:
            continue
        seen.add((reference.target, reference.key))
        found = snapshot.at(reference.target)
        if found is None or found["kind"] not in ("ConfigMap", "Secret"):
            continue
        data = {key: str(value) for key, value in (found.get("data") or {}).items()}
        wanted = {key: data[key] for key in data if reference.key in ("", key)}
        yield from _addresses_under(wanted, data, reference.target)


def _addresses_under(
    values: dict[str, str], beside: dict[str, str], holder: Ref
) -> Iterator[Address]:
    """Yield the addresses of values by their keys; that of REDIS_HOST has the port REDIS_PORT."""
    for key, value in values.items():
        for address in addresses_in(value, holder, key):
            port = beside.get(_partner(key), "") if address.port is None else ""
            is_port = is_host_key(key) and not address.scheme and port.isdigit()
            yield replace(address, port=int(port)) if is_port else address


def _partner(key: str) -> str:
    found = _HOST.search(key)
    if found is None:
        return ""
    return f"{key[: found.start()]}{'PORT' if found[0].isupper() else 'port'}"


def service_meant(host: str, namespace: str, zone: str = "cluster.local") -> Ref | None:
    """Return the Service that a host name means to a pod of `namespace`, existing or not.

    `name`, `name.namespace`, `name.namespace.svc` and `name.namespace.svc.ZONE` mean a Service;
    with a pod's name before it, a headless one. Any other name with dots is outside the cluster.
    """
    labels = host.removesuffix(".").removesuffix(f".{zone}").split(".")
    if host.removesuffix(".").endswith(_CLUSTERSET):
        return None
    if _SVC in labels:
        end = len(labels) - 1 - labels[::-1].index(_SVC)
        labels = labels[:end]
        if len(labels) not in (2, 3):
            return None
        return Ref("Service", labels[-1], labels[-2])
    if len(labels) == 1:
        return Ref("Service", namespace, labels[0])
    return Ref("Service", labels[1], labels[0]) if len(labels) == 2 else None  # noqa: PLR2004


def services_meant(host: str, namespace: str, zone: str = "cluster.local") -> tuple[Ref, ...]:
    """Return every Service that a host name can mean to a pod of `namespace`, likeliest first.

    `a.b` is the Service a of the namespace b, or the pod a of the headless Service b beside; and
    `a.b.c` the pod a of the headless Service b in c. What exists of these decides.
    """
    meant = service_meant(host, namespace, zone)
    labels = host.removesuffix(".").split(".")
    if meant and len(labels) == 2:  # noqa: PLR2004
        return meant, Ref("Service", namespace, labels[1])
    if meant is None and len(labels) == 3:  # noqa: PLR2004
        return (Ref("Service", labels[2], labels[1]),)
    return (meant,) if meant else ()
