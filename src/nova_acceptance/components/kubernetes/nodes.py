"""Nodes: whether they are there, at ease and open to pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.checks.nodes import TAINT, taints_of
from nova_acceptance.components.kubernetes.graces import RETURN
from nova_acceptance.components.kubernetes.pods import ill_pods
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.unplaced import awaited_nodes
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase


def nodes_unfit(snapshot: Snapshot) -> Iterator[Finding]:
    """Find nodes that cannot run pods; without any that can, nothing becomes ready."""
    nodes = list(snapshot.of_kind("Node"))
    is_any_open = any(is_ready(node) and not is_cordoned(node) for node in nodes)
    for node in nodes:
        unready = checks.nodes.unready_node(node)
        yield from (replace(each, grace=None if is_any_open else RETURN) for each in unready)
        yield from checks.nodes.strained_node(node)
        if is_cordoned(node) and not is_any_open:
            yield _cordoned(node, RETURN)


def nodes_missed(snapshot: Snapshot) -> Iterator[Finding]:
    """Find nodes that cannot run pods and are what pods that are not ready wait for.

    A node that is only cordoned has nothing to do with what goes wrong in a pod that runs there:
    where there is such a pod, and none that would have to go there, the node is passed over.
    """
    ill = list(ill_pods(snapshot))
    missed = {ref(node) for each in ill for node in awaited_nodes(snapshot, each.pod)}
    troubled = {str(each.pod["spec"].get("nodeName") or "") for each in ill}
    for node in snapshot.of_kind("Node"):
        is_missed, is_troubled = ref(node) in missed, ref(node).name in troubled
        if is_missed or is_troubled:
            yield from (replace(it, grace=RETURN) for it in checks.nodes.unready_node(node))
        if is_missed:
            yield from (replace(it, grace=RETURN) for it in checks.nodes.strained_node(node))
        if is_cordoned(node) and (is_missed or not is_troubled):
            yield _cordoned(node, RETURN if is_missed else None)


def is_cordoned(node: Object) -> bool:
    """Whether new pods are kept from the node by its administrator."""
    spec = node.get("spec") or {}
    return bool(spec.get("unschedulable")) or f"{TAINT}unschedulable" in taints_of(node)


def _cordoned(node: Object, grace: float | None) -> Finding:
    name = ref(node).name
    return Finding(
        "NODE_CORDONED",
        ref(node),
        Phrase("node {node} is cordoned: no new pod is placed on it", node=name),
        Phrase("`kubectl uncordon {node}` once its maintenance is over", node=name),
        evidence=(f"Node {name}: spec.unschedulable is true",),
        grace=grace,
    )


BEFOREHAND: Final = (nodes_unfit,)
LIVE: Final = (nodes_missed,)
