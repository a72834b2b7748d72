"""Why no node takes a pod that waits for one, by the objects: nodes, claims and volumes.

A scheduler says the same in sentences that change from one version of Kubernetes to the next; the
objects do not. What else runs on a node is not counted: that a node is full, that its ports are
taken or that a pod there must not be beside this one, only the scheduler says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from nova_acceptance.components.kubernetes.graces import PLACING, RETURN
from nova_acceptance.components.kubernetes.placement import (
    CLOSED_BY_CLUSTER,
    holds,
    is_chosen,
    short_of,
    tolerates,
    untolerated,
    waits_for_a_pod,
)
from nova_acceptance.components.kubernetes.status import condition
from nova_acceptance.components.kubernetes.workloads import references
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase

CLOSED: Final = "|".join(("were unschedulable", *map(re.escape, CLOSED_BY_CLUSTER)))
"""The scheduler's words for nodes that the cluster or its administrator has closed.

It names the taint from 1.20 to 1.33 or so; later versions say `untolerated taint(s)` of any.
"""
_MAY_BE_CLOSED: Final = re.compile(rf"{CLOSED}|untolerated taint\(s\)")
NODES_CLOSED: Final = Phrase("nodes that are closed or not ready")
NO_VOLUME: Final = Phrase("its claims have no volume")
ELSEWHERE: Final = Phrase("its volume is elsewhere")
_UNSCHEDULABLE: Final = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a pod has no node.

    Attributes:
        cause: its name.
        what: in words.
        grace: seconds after which waiting does not cure it; None where it is a consequence.
        evidence: the objects that show it, a line each.
    """

    cause: str
    what: Phrase
    grace: float | None = PLACING
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The nodes, by what keeps a pod from each; one may be in several lists.

    Attributes:
        chosen: the labels are those that the pod asks for.
        near: the pod's volumes can be reached from it.
        tolerated: the pod puts up with its taints, those of the node's state aside.
        big: the pod would fit into it, were it empty.
    """

    every: list[Object]
    chosen: list[Object] = field(default_factory=list)
    near: list[Object] = field(default_factory=list)
    tolerated: list[Object] = field(default_factory=list)
    big: list[Object] = field(default_factory=list)


def is_closed(node: Object) -> bool:
    """Whether the cluster, or its administrator, lets no new pod onto a node for now."""
    spec = node.get("spec") or {}
    taints = (taint["key"] for taint in spec.get("taints") or ())
    return (
        bool(spec.get("unschedulable"))
        or condition(node, "Ready").get("status") != "True"
        or any(key.startswith(CLOSED_BY_CLUSTER) for key in taints)
    )


def awaited_nodes(snapshot: Snapshot, pod: Object) -> list[Object]:
    """Return the nodes that are closed for now and that a pod without a node waits for.

    These are those that would take it if they were open, where the scheduler says that it passed
    over closed nodes, or no open one would take the pod. A scheduler looks first at whether a node
    is closed: that it names one says nothing of whether the pod could go there.
    """
    scheduled = condition(pod, "PodScheduled")
    if pod["spec"].get("nodeName") or scheduled.get("status") != "False":
        return []
    nodes = list(snapshot.of_kind("Node"))
    closed = [node for node in nodes if is_closed(node) and _puts_off(pod, node)]
    awaited = _sorted_out(snapshot, pod, closed).big
    if not awaited or _MAY_BE_CLOSED.search(str(scheduled.get("message") or "")):
        return awaited
    others = [node for node in nodes if node not in closed]
    return [] if _sorted_out(snapshot, pod, others).big else awaited


def claims_unready(snapshot: Snapshot, pod: Object) -> Reason | None:
    """Return that a pod has no node for its claims' sake, which are to be there before."""
    for where in _claims_named(pod):
        claim = snapshot.at(where)
        if claim is None:
            if snapshot.knows(where.kind, where.namespace):
                return Reason("UNSCHEDULABLE", NO_VOLUME, None, (f"{where} does not exist",))
            continue
        phase = (claim.get("status") or {}).get("phase")
        if "deletionTimestamp" in claim["metadata"]:
            what = Phrase("{claim} is being deleted", claim=where)
            return Reason("UNSCHEDULABLE", what, RETURN)
        is_bound = bool(claim["spec"].get("volumeName"))
        if phase == "Lost" or (phase == "Pending" and not is_bound and _is_first(snapshot, claim)):
            return Reason("UNSCHEDULABLE", NO_VOLUME, None, (f"{where} is {phase}",))
    return None


def why_no_node(snapshot: Snapshot, pod: Object) -> Reason | None:
    """Return why none of the nodes takes a pod; None where one would, for all that objects show."""
    if found := claims_unready(snapshot, pod):
        return found
    nodes = list(snapshot.of_kind("Node"))
    if not (nodes and snapshot.knows("Node")):
        return None
    sorted_out = _sorted_out(snapshot, pod, nodes)
    if [node for node in sorted_out.big if not (is_closed(node) and _puts_off(pod, node))]:
        return None
    if sorted_out.big:
        names = [ref(node).name for node in sorted_out.big]
        return Reason(
            "UNSCHEDULABLE", NODES_CLOSED, RETURN, tuple(f"Node {it} is closed" for it in names)
        )
    return _barred(snapshot, pod, sorted_out)


def has_volumes(snapshot: Snapshot, pod: Object) -> bool:
    """Whether a pod's claims have volumes that only some nodes reach."""
    return any(volume["spec"].get("nodeAffinity") for volume in _volumes(snapshot, pod))


def _barred(snapshot: Snapshot, pod: Object, nodes: _Nodes) -> Reason:
    """Return why no node takes a pod, were all of them open and empty."""
    seen = tuple(f"Node {ref(node).name}: {_taints(pod, node)}" for node in nodes.every)
    if not nodes.chosen:
        selector = pod["spec"].get("nodeSelector") or {}
        asked = [f"{key}={value}" for key, value in selector.items()]
        what = Phrase(
            "no node has {labels}" if asked else "no node has the labels asked for",
            labels=asked,
        )
        return Reason("NODE_SELECTOR_UNMATCHED", what)
    homes = [node for node in nodes.near if node in nodes.chosen]
    if not homes:
        return Reason("VOLUME_NODE_CONFLICT", ELSEWHERE, evidence=_where(snapshot, pod))
    tolerated = [node for node in homes if node in nodes.tolerated]
    if not tolerated:
        what = _barred_homes(pod, homes) if has_volumes(snapshot, pod) else _every_taint(pod, homes)
        return Reason("TAINT_NOT_TOLERATED", what, evidence=seen)
    lacking = {ref(node).name: short_of(pod, node) for node in tolerated}
    what = next(iter(lacking.values()))[0]
    return Reason(
        "INSUFFICIENT_RESOURCES",
        Phrase("it asks for more than any node has, were it empty: {lacking}", lacking=what),
        evidence=tuple(f"Node {name}: {words[0]}" for name, words in lacking.items()),
    )


def _sorted_out(snapshot: Snapshot, pod: Object, nodes: list[Object]) -> _Nodes:
    volumes = _volumes(snapshot, pod)
    found = _Nodes(nodes)
    for node in nodes:
        is_asked_for = is_chosen(pod, node)
        is_near = all(holds(volume, node) for volume in volumes)
        is_tolerated = not untolerated(pod, node)
        for is_in, there in (
            (is_asked_for, found.chosen),
            (is_near, found.near),
            (is_tolerated, found.tolerated),
        ):
            if is_in:
                there.append(node)
        if is_asked_for and is_near and is_tolerated and not short_of(pod, node):
            found.big.append(node)
    return found


def _puts_off(pod: Object, node: Object) -> bool:
    """Whether a node's being closed keeps this pod from it: one of a DaemonSet may tolerate it."""
    spec = node.get("spec") or {}
    state = [
        taint
        for taint in spec.get("taints") or ()
        if taint["key"].startswith(CLOSED_BY_CLUSTER) and taint.get("effect") != "PreferNoSchedule"
    ]
    if spec.get("unschedulable"):
        state.append(_UNSCHEDULABLE)
    return not state or not all(tolerates(pod, taint) for taint in state)


def _claims_named(pod: Object) -> Iterable[Ref]:
    return dict.fromkeys(
        each.target for each in references(pod) if each.target.kind == "PersistentVolumeClaim"
    )


def _volumes(snapshot: Snapshot, pod: Object) -> list[Object]:
    """Return the volumes that a pod's claims are bound to, of those that were seen."""
    claims = (snapshot.at(where) for where in _claims_named(pod))
    names = [name for claim in claims if claim and (name := claim["spec"].get("volumeName"))]
    found = (snapshot.get("PersistentVolume", "", name) for name in names)
    return [volume for volume in found if volume]


def _is_first(snapshot: Snapshot, claim: Object) -> bool:
    """Whether a claim is to have its volume before its pod has a node, by its class."""
    name = claim["spec"].get("storageClassName") or ""
    storage_class = snapshot.get("StorageClass", "", name)
    annotations = claim["metadata"].get("annotations") or {}
    is_placed = "volume.kubernetes.io/selected-node" in annotations
    is_known = storage_class is not None or (snapshot.knows("StorageClass") and not name)
    return is_known and not is_placed and not waits_for_a_pod(snapshot, claim)


def _where(snapshot: Snapshot, pod: Object) -> tuple[str, ...]:
    found = []
    for volume in _volumes(snapshot, pod):
        required = (volume["spec"].get("nodeAffinity") or {}).get("required") or {}
        values = [
            f"{each['key']} {each.get('operator', 'In')} {', '.join(each.get('values') or ())}"
            for term in required.get("nodeSelectorTerms") or ()
            for each in term.get("matchExpressions") or ()
        ]
        found.append(f"{ref(volume)}: {'; '.join(values) or 'on any node'}")
    return tuple(found)


def _taints(pod: Object, node: Object) -> str:
    return ", ".join(untolerated(pod, node)) or "no taint that keeps it off"


def _every_taint(pod: Object, nodes: list[Object]) -> Phrase:
    taints = sorted({taint for node in nodes for taint in untolerated(pod, node)})
    return Phrase("it does not tolerate {taints}", taints=taints)


def _barred_homes(pod: Object, homes: list[Object]) -> Phrase:
    """Return the taints of the nodes that have a pod's volumes."""
    barred = [
        Phrase("{node}, which has the taint {taints}", node=ref(node).name, taints=taints)
        for node, taints in ((node, untolerated(pod, node)) for node in homes)
    ]
    return Phrase("its volume is on {nodes}", nodes=_enumerated(barred)) if barred else NOTHING


def _enumerated(parts: list[Phrase]) -> Phrase:
    """Return phrases as one, halved and halved again: no deep nest, however many there are."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return Phrase(
        "{first}; {rest}", first=_enumerated(parts[:half]), rest=_enumerated(parts[half:])
    )
