"""Nodes: whether they are there, at ease and open to pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.graces import RETURN
from nova_acceptance.components.kubernetes.graph import CLOSED
from nova_acceptance.components.kubernetes.pods import ill_pods, short
from nova_acceptance.components.kubernetes.status import condition
from nova_acceptance.findings import Finding, ref
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


def nodes_unfit(snapshot: Snapshot) -> Iterator[Finding]:
    """Find nodes that cannot run pods; without any that can, nothing becomes ready."""
    nodes = list(snapshot.of_kind("Node"))
    is_any_open = any(is_ready(node) and not is_cordoned(node) for node in nodes)
    for node in nodes:
        if not is_ready(node):
            yield _not_ready(node, None if is_any_open else RETURN)
        yield from _short(node, None)
        if is_cordoned(node) and not is_any_open:
            yield _cordoned(node, RETURN)


def nodes_missed(snapshot: Snapshot) -> Iterator[Finding]:
    """Find nodes that cannot run pods and are what pods that are not ready wait for.

    A node that is only cordoned has nothing to do with what goes wrong in a pod that runs there:
    where there is such a pod, and none that wants a place, the node is passed over.
    """
    ill = list(ill_pods(snapshot))
    is_missed = any(CLOSED.search(_scheduled(each.pod)) for each in ill)
    troubled = {str(each.pod["spec"].get("nodeName") or "") for each in ill}
    for node in snapshot.of_kind("Node"):
        is_concerned = is_missed or _name(node) in troubled
        if not is_ready(node) and is_concerned:
            yield _not_ready(node, RETURN)
        if is_missed:
            yield from _short(node, RETURN)
        if is_cordoned(node) and (is_missed or _name(node) not in troubled):
            yield _cordoned(node, RETURN if is_missed else None)


def is_ready(node: Object) -> bool:
    """Whether the node's kubelet calls it ready."""
    return condition(node, "Ready").get("status") == "True"


def is_cordoned(node: Object) -> bool:
    """Whether new pods are kept from the node by its administrator."""
    spec = node.get("spec") or {}
    return bool(spec.get("unschedulable")) or f"{TAINT}unschedulable" in _taints(node)


def _taints(node: Object) -> set[str]:
    return {taint["key"] for taint in (node.get("spec") or {}).get("taints") or ()}


def _name(node: Object) -> str:
    return str(node["metadata"]["name"])


def _scheduled(pod: Object) -> str:
    return str(condition(pod, "PodScheduled").get("message") or "")


def _not_ready(node: Object, grace: float | None) -> Finding:
    ready, name = condition(node, "Ready"), _name(node)
    return Finding(
        "NODE_NOT_READY",
        ref(node),
        Phrase(
            "node {node} is not ready: {reason}",
            node=name,
            reason=ready.get("reason") or Phrase("it says nothing"),
        ),
        Phrase("`kubectl describe node {node}`; restart its kubelet or the machine", node=name),
        evidence=(_words("Ready", ready),),
        grace=grace,
    )


def _short(node: Object, grace: float | None) -> Iterator[Finding]:
    taints, name = _taints(node), _name(node)
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
            grace=grace,
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
            grace=grace,
        )


def _cordoned(node: Object, grace: float | None) -> Finding:
    name = _name(node)
    return Finding(
        "NODE_CORDONED",
        ref(node),
        Phrase("node {node} is cordoned: no new pod is placed on it", node=name),
        Phrase("`kubectl uncordon {node}` once its maintenance is over", node=name),
        evidence=(f"Node {name}: spec.unschedulable is true",),
        grace=grace,
    )


def _words(name: str, found: Object) -> str:
    said = " ".join(filter(None, (found.get("reason"), short(found.get("message") or ""))))
    return f"condition {name} is {found.get('status', 'absent')}: {said or 'no reason given'}"


BEFOREHAND: Final = (nodes_unfit,)
LIVE: Final = (nodes_missed,)
