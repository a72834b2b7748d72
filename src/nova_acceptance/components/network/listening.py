"""What programs say of themselves in their logs: at which address and port they listen.

Servers tell it in much the same words when they begin: `Listening at: http://127.0.0.1:8000`,
`Uvicorn running on http://127.0.0.1:8000`, `Serving HTTP on 127.0.0.1 port 8086`, `listening on
IPv4 address "127.0.0.1", port 5432`, `Now listening on: http://localhost:5000`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from nova_acceptance.components.kubernetes.addresses import services_meant
from nova_acceptance.components.kubernetes.backends import carriers, declared_ports
from nova_acceptance.components.kubernetes.pods import short
from nova_acceptance.components.kubernetes.workloads import statuses
from nova_acceptance.components.network.loopback import (
    answers_the_kubelet,
    is_loopback,
    refused_last,
)
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.kube.snapshot import Snapshot

_LOCALHOST: Final = "localhost"
_LINES: Final = 200
"""Last lines of a log that are read for what a program said when it began."""
_SAYS: Final = re.compile(
    r"\b(?:listen(?:s|ing)?|serving|running|start(?:ed|ing)|accepting|bound to|binding to|binds)\b"
    r"(?:(?!\b(?:to|from|for|via|upstream|against)\b)[^\n@]){0,60}?"
    r"(?<![\w.@-])(?P<host>\[[0-9a-f:.]+\]|(?:\d{1,3}\.){3}\d{1,3}|localhost|\*|)"
    r"(?:\"?,?\s+port:?\s+|:)(?P<port>\d{1,5})\b",
    re.IGNORECASE,
)
"""A word for listening, then an address, which is empty or `*` for every one, and a port."""
_FAILED: Final = re.compile(r"error|fail|cannot|could not|denied|in use", re.IGNORECASE)
"""What a line has that tells of no success."""
_REFUSED: Final = re.compile(r"connection refused|ECONNREFUSED", re.IGNORECASE)
_ASKED: Final = re.compile(
    r"(?:\bhost='|\b)(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?:', port=|:)(?P<port>\d{1,5})\b"
)
"""Whom a client says that it asked: `name:port`, or as Python's urllib3 spells it."""


def said_on_loopback(text: str, port: int, *, by_number: bool = False) -> str:
    """Return the words in which a program says that it listens at a port on its loopback alone.

    They are empty where it says nothing of that port, or names another address, too.

    Args:
        text: its log.
        port: the port.
        by_number: whether `localhost` is too little, since some say it whatever they listen at.
    """
    lines = (line for line in text.splitlines() if not _FAILED.search(line))
    every = (each for line in lines for each in _SAYS.finditer(line))
    said = [each for each in every if int(each["port"]) == port]
    hosts = [each["host"].strip("[]").lower() for each in said if not _is_unnamed(each)]
    if not hosts or not all(it == _LOCALHOST or _is_loopback(it) for it in hosts):
        return ""
    if by_number and set(hosts) == {_LOCALHOST}:
        return ""
    return next(short(each[0]) for each in said if not _is_unnamed(each))


def said_in_logs(kube: Kube, pod: PodRef, containers: Iterable[str], port: int) -> str:
    """Return what the log of a pod says of listening on its loopback alone; empty if nothing.

    A log that cannot be read says nothing.
    """
    for name in containers:
        with suppress(NovaError):
            text = kube.logs(pod, container=name, tail_lines=_LINES)
            if said := said_on_loopback(text, port):
                return f"log of {pod}: {said}"
    return ""


def refused_by_name(snapshot: Snapshot) -> Iterator[tuple[Ref, int, str]]:
    """Yield the pods behind a Service of which a client's log says that it refuses, with the port.

    What the kubelet is let in at is open at the pod's own address, whatever a client says.
    """
    for (namespace, name, _), logs in snapshot.logs.items():
        lines = (line for log in logs if not log.previous for line in log.text.splitlines())
        for line in lines:
            if not _REFUSED.search(line):
                continue
            for asked in _ASKED.finditer(line):
                said = f"log of {namespace}/{name}: {short(line)}"
                for pod, port in _behind(snapshot, asked["host"], int(asked["port"]), namespace):
                    if not answers_the_kubelet(pod, port):
                        yield ref(pod), port, said


def told_by_logs(snapshot: Snapshot) -> Iterator[tuple[tuple[Ref, int], tuple[str, ...]]]:
    """Yield the pods' ports that refuse others and of which their logs say why, with what shows it.

    It takes both: who is refused, the kubelet at last or a client that asks by a Service's name,
    and the pod's own words that it listens there on its loopback alone.
    """
    refused: dict[tuple[Ref, int], list[str]] = {}
    for where, port, said in refused_by_name(snapshot):
        refused.setdefault((where, port), []).append(said)
    by_kubelet = dict(refused_last(snapshot))
    for key in dict.fromkeys((*by_kubelet, *refused)):
        said = _said_by_itself(snapshot, *key, by_number=key not in by_kubelet)
        if said:
            seen = [said, *([by_kubelet[key]] if key in by_kubelet else ())]
            yield key, tuple(dict.fromkeys((*seen, *refused.get(key, ()))))


def _said_by_itself(snapshot: Snapshot, where: Ref, port: int, *, by_number: bool) -> str:
    for entry in statuses(snapshot.at(where) or {}):
        if "running" not in (entry.get("state") or {}):
            continue
        logs = snapshot.logs.get((where.namespace, where.name, entry["name"])) or ()
        for log in logs:
            said = said_on_loopback(log.text, port, by_number=by_number)
            if said and not log.previous:
                return f"log of {where.namespace}/{where.name}: {said}"
    return ""


def _behind(
    snapshot: Snapshot, host: str, number: int, namespace: str
) -> Iterator[tuple[Object, int]]:
    """Yield the pods that a name and a port lead to from a namespace, each with its own port."""
    meant = services_meant(host, namespace, snapshot.system.zone)
    service = next(filter(None, map(snapshot.at, meant)), None)
    if service is None:
        return
    ports = [each for each in service["spec"].get("ports") or () if each["port"] == number]
    for port in ports:
        target = port.get("targetPort") or number
        for pod in carriers(snapshot, service) if service["spec"].get("selector") else ():
            named = {each.get("name"): each["containerPort"] for each in declared_ports(pod)}
            found = str(named.get(target, target))
            if found.isdecimal():
                yield pod, int(found)


def _is_unnamed(said: re.Match[str]) -> bool:
    """Whether only a port is named, as in `listening on port 80`: at which address is not said."""
    return not said["host"] and not said[0].endswith(f":{said['port']}")


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return is_loopback(host)
    return False
