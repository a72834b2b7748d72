"""What is wrong with the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.pods import short
from nova_acceptance.components.kubernetes.status import condition
from nova_acceptance.findings import NOWHERE, Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

TAINT: Final = "node.kubernetes.io/"
"""What the taints begin with by which a cluster itself closes a node."""
_PRESSURES: Final = {
    "DiskPressure": "disk-pressure",
    "MemoryPressure": "memory-pressure",
    "PIDPressure": "pid-pressure",
}


@check
def wrong_count(snapshot: Snapshot, wanted: int | None = None) -> Iterator[Finding]:
    """Find a cluster without any node, or with another number of them than is wanted."""
    there = len(list(snapshot.of_kind("Node")))
    if not there or there != (wanted or there):
        sentence = Phrase(
            "the cluster has {there} nodes, where {wanted} are wanted",
            there=there,
            wanted=wanted or 1,
        )
        yield Finding("NODE_NOT_READY", NOWHERE, sentence)


@check
def unready_nodes(snapshot: Snapshot) -> Iterator[Finding]:
    """Find nodes that are not ready, and a cluster without any."""
    yield from wrong_count(snapshot)
    for node in snapshot.of_kind("Node"):
        yield from unready_node(node)


@check
def strained_nodes(snapshot: Snapshot) -> Iterator[Finding]:
    """Find nodes that are short of memory, disk, process numbers or a network.

    A node that says nothing is not ready, which is another finding.
    """
    yield from wrong_count(snapshot)
    for node in snapshot.of_kind("Node"):
        yield from strained_node(node)


@check
def unready_node(node: Object) -> Iterator[Finding]:
    """Find a node that its kubelet does not call ready."""
    ready, name = condition(node, "Ready"), node["metadata"]["name"]
    if ready.get("status") != "True":
        yield Finding(
            "NODE_NOT_READY",
            ref(node),
            Phrase(
                "node {node} is not ready: {reason}",
                node=name,
                reason=ready.get("reason") or Phrase("it says nothing"),
            ),
            Phrase("`kubectl describe node {node}`; restart its kubelet or the machine", node=name),
            evidence=(_words("Ready", ready),),
        )


@check
def strained_node(node: Object) -> Iterator[Finding]:
    """Find a node that is short of memory, disk, process numbers or a network."""
    taints, name = taints_of(node), node["metadata"]["name"]
    lacking = [
        each
        for each, taint in _PRESSURES.items()
        if condition(node, each).get("status") == "True" or f"{TAINT}{taint}" in taints
    ]
    if lacking:
        yield Finding(
            "NODE_PRESSURE",
            ref(node),
            Phrase("node {node} is short: {lacking}", node=name, lacking=lacking),
            evidence=tuple(_words(each, condition(node, each)) for each in lacking),
        )
    network = condition(node, "NetworkUnavailable")
    if network.get("status") == "True":
        yield Finding(
            "NODE_NETWORK_UNAVAILABLE",
            ref(node),
            Phrase(
                "node {node} has no pod network: {reason}",
                node=name,
                reason=network.get("reason") or Phrase("it does not say why"),
            ),
            evidence=(_words("NetworkUnavailable", network),),
        )


def taints_of(node: Object) -> set[str]:
    """Return the keys of a node's taints."""
    return {taint["key"] for taint in (node.get("spec") or {}).get("taints") or ()}


def _words(name: str, found: Object) -> str:
    said = " ".join(filter(None, (found.get("reason"), short(found.get("message") or ""))))
    return f"condition {name} is {found.get('status', 'absent')}: {said or 'no reason given'}"
