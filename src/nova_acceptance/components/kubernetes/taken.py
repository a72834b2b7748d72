"""Which port a program or a pod finds taken, and who has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from nova_acceptance.components.kubernetes.workloads import containers
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

_PORT: Final = (
    re.compile(r"(?i)\bport[ :=\"']{1,3}(\d{2,5})\b"),
    re.compile(r"""['"], ?(\d{2,5})\)"""),  # a pair of Python
    re.compile(r"(?:^|[\w\]*.:\s(])[:](\d{2,5})\b(?!:\d)"),
)
"""How programs write a port, the clearest first; times of day have another number after theirs."""
_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?")
_NEAR: Final = 2
"""Lines before and after the one that says it, in which the port may be."""


def port_in(lines: Sequence[str], at: int) -> int | None:
    """Return the port that a program says is taken; None where it names none.

    Args:
        lines: of its log.
        at: which of them says that it is taken; those around it are read as well.
    """
    around = sorted(
        range(max(0, at - _NEAR), min(len(lines), at + _NEAR + 1)), key=lambda it: abs(it - at)
    )
    for number in around:
        line = _CLOCK.sub(" ", lines[number])
        for pattern in _PORT if number == at else _PORT[:1]:
            for found in pattern.finditer(line):
                if 0 < int(found[1]) < 2**16:
                    return int(found[1])
    return None


def declared_by(pod: Object, container: str) -> int | None:
    """Return the only port that a container declares; None where it is not one."""
    ports = {
        int(port["containerPort"])
        for each in containers(pod)
        if each["name"] == container
        for port in each.get("ports") or ()
    }
    return ports.pop() if len(ports) == 1 else None


def told(snapshot: Snapshot, pod: Object, container: str, port: int) -> Phrase:
    """Return in words that a port is taken, and by whom, as far as objects show that.

    Args:
        snapshot: the objects.
        pod: whose program finds it taken.
        container: the program's container.
        port: which.
    """
    beside = [
        each["name"]
        for each in containers(pod)
        if each["name"] != container
        and any(entry.get("containerPort") == port for entry in each.get("ports") or ())
    ]
    if beside:
        return Phrase(
            "port {port} is taken by container {others} of the same pod", port=port, others=beside
        )
    if pod["spec"].get("hostNetwork"):
        node = pod["spec"].get("nodeName", "")
        if pods := [it for it in _on_node(snapshot, node, port) if it != ref(pod)]:
            return Phrase(
                "port {port} of {node} is taken by {pods}",
                port=port,
                node=Ref("Node", "", node),
                pods=pods,
            )
        return Phrase(
            "port {port} of {node} is taken, and no pod there declares it",
            port=port,
            node=Ref("Node", "", node),
        )
    if [each["name"] for each in containers(pod)] == [container]:
        return Phrase("port {port} is taken by another program of the same container", port=port)
    return Phrase(
        "port {port} is taken by another program of the same pod, whose containers are {names}",
        port=port,
        names=[each["name"] for each in containers(pod)],
    )


def cure(pod: Object, port: int) -> Phrase:
    """Return what to do about a port that is taken."""
    if pod["spec"].get("hostNetwork"):
        return Phrase(
            "give one of them another port than {port}, or take `hostNetwork` from {pod}",
            port=port,
            pod=ref(pod),
        )
    return Phrase(
        "the containers of a pod share their ports: let only one of {pod} listen at {port}",
        pod=ref(pod),
        port=port,
    )


def host_ports(snapshot: Snapshot, pod: Object) -> Phrase | None:
    """Return which ports of nodes a pod wants that others have; None where no object shows that."""
    wanted = sorted(_host_ports(pod))
    holders = {each: _holders(snapshot, pod, each) for each in wanted}
    taken = {port: pods for port, pods in holders.items() if pods}
    if not taken:
        return None
    port, pods = next(iter(taken.items()))
    return Phrase(
        "port {port} of the nodes is taken by {pods}", port=port, pods=sorted(map(str, pods))
    )


def _holders(snapshot: Snapshot, pod: Object, port: int) -> list[Ref]:
    there = (it for it in snapshot.of_kind("Pod") if it["spec"].get("nodeName"))
    return [ref(it) for it in there if ref(it) != ref(pod) and port in _host_ports(it)]


def _on_node(snapshot: Snapshot, node: str, port: int) -> Iterator[Ref]:
    for pod in snapshot.of_kind("Pod"):
        if node and pod["spec"].get("nodeName") == node and port in _host_ports(pod):
            yield ref(pod)


def _host_ports(pod: Object) -> set[int]:
    """Return the ports of its node that a pod takes, of one that has not ended."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return set()
    is_on_node = bool(pod["spec"].get("hostNetwork"))
    return {
        int(number)
        for each in containers(pod)
        for port in each.get("ports") or ()
        if (number := _host_port(port, is_on_node=is_on_node))
    }


def _host_port(port: dict[str, Any], *, is_on_node: bool) -> int:
    return int(port.get("hostPort") or (port.get("containerPort") if is_on_node else 0) or 0)
