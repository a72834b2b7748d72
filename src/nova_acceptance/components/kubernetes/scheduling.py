"""Scheduling: why a pod is given no node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from nova_acceptance.components.kubernetes.graces import PLACING, RETURN
from nova_acceptance.components.kubernetes.graph import CLOSED
from nova_acceptance.components.kubernetes.placement import (
    HOSTNAME,
    holds,
    is_chosen,
    selects,
    short_of,
    untolerated,
)
from nova_acceptance.components.kubernetes.pods import Ill, ill_pods, short
from nova_acceptance.components.kubernetes.status import condition, status_of
from nova_acceptance.components.kubernetes.workloads import pods_of, references, template, workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase, verbatim


class _Reason(NamedTuple):
    cause: str
    pattern: str
    what: Phrase  # empty where the scheduler's own words are exact
    grace: float | None = PLACING


_REASONS: Final = (
    _Reason("UNSCHEDULABLE", CLOSED, Phrase("nodes that are closed or not ready"), RETURN),
    _Reason(
        "UNSCHEDULABLE",
        r"(?i)persistentvolumeclaim|persistent volumes? to bind|storageclass",
        Phrase("its claims have no volume"),
        None,
    ),
    _Reason("INSUFFICIENT_RESOURCES", r"Insufficient [\w./-]+|Too many pods", NOTHING),
    _Reason("HOST_PORT_CONFLICT", r"free ports", Phrase("a port of the node is taken")),
    _Reason(
        "VOLUME_NODE_CONFLICT",
        r"volume node affinity conflict|no available volume zone",
        Phrase("its volume is elsewhere"),
    ),
    _Reason("UNSCHEDULABLE", r"max volume count", Phrase("the node holds no more volumes")),
    _Reason("SPREAD_UNSATISFIABLE", r"topology spread", Phrase("spread constraints")),
    _Reason(
        "ANTI_AFFINITY_UNSATISFIABLE",
        r"pods? anti-affinity",
        Phrase("another pod is already on every node that is open to it"),
    ),
    _Reason(
        "AFFINITY_UNSATISFIABLE", r"pod affinity rules", Phrase("pods to be beside are nowhere")
    ),
    _Reason(
        "ANTI_AFFINITY_UNSATISFIABLE",
        r"pod affinity/anti-affinity",
        Phrase("it must not be beside the pods that are there"),
    ),
    _Reason(
        "NODE_SELECTOR_UNMATCHED",
        r"(?i)node affinity|node selector|affinity/selector|node\(s\) didn't match",
        Phrase("no node has the labels asked for"),
    ),
    _Reason("TAINT_NOT_TOLERATED", r"(?:untolerated |had )taints?(?:\(s\))?[^,.]*", NOTHING),
)
"""What the scheduler says, by what it checks last: a node that fails late fits in all before.

Taints are checked first of all: those of a control plane are nearly always among the reasons.
"""
_ROOM: Final = frozenset(
    {"INSUFFICIENT_RESOURCES", "HOST_PORT_CONFLICT", "ANTI_AFFINITY_UNSATISFIABLE"}
)
"""What passes when another pod goes."""


def templates_without_node(snapshot: Snapshot) -> Iterator[Finding]:
    """Find templates whose pods no node of the cluster takes, or too few of them."""
    nodes = list(snapshot.of_kind("Node"))
    if not (nodes and snapshot.knows("Node")):
        return
    for workload in workloads(snapshot):
        if workload["spec"].get("replicas", 1) and not status_of(workload).is_current:
            found = _unplaceable(workload, nodes)
            if found is not None and not _is_node_awaited(snapshot, pods_of(snapshot, workload)):
                yield found


def pods_without_node(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods that the scheduler has given no node, by what it says of them."""
    leaving = any("deletionTimestamp" in pod["metadata"] for pod in snapshot.of_kind("Pod"))
    for ill in ill_pods(snapshot):
        if ill.pod["spec"].get("nodeName") or ill.phase != "Pending":
            continue
        found = _by_condition(snapshot, ill)
        if found and leaving and found.cause in _ROOM:
            continue  # there will be room
        if found:
            is_awaited = _is_node_awaited(snapshot, [ill.pod])
            yield replace(found, grace=None) if is_awaited else found


def _is_node_awaited(snapshot: Snapshot, pods: list[Object]) -> bool:
    """Whether an autoscaler has said that it brings a node for one of these pods."""
    return any(
        event.get("reason") in {"TriggeredScaleUp", "Nominated"}
        for pod in pods
        for event in snapshot.events_about(pod)
    )


def reason_of(message: str) -> tuple[str, Phrase, float | None]:
    """Return what the scheduler's message comes down to: the cause, in words, and its grace."""
    said = re.split(r"(?i)\s*preemption:", message)[0]
    for reason in _REASONS:
        if found := re.search(reason.pattern, said):
            return reason.cause, reason.what or verbatim(found[0].strip()), reason.grace
    what = verbatim(short(said)) or Phrase("the scheduler does not say why")
    return "UNSCHEDULABLE", what, RETURN


def _by_condition(snapshot: Snapshot, ill: Ill) -> Finding | None:
    scheduled = condition(ill.pod, "PodScheduled")
    message = str(scheduled.get("message") or "")
    gates = [gate["name"] for gate in ill.pod["spec"].get("schedulingGates") or ()]
    if gates:
        return Finding(
            "SCHEDULING_GATED",
            ill.subject,
            Phrase("{pod} is kept from being scheduled by {gates}", pod=ill.where, gates=gates),
            grace=RETURN,
        )
    if not scheduled:
        name = ill.pod["spec"].get("schedulerName") or "default-scheduler"
        return Finding(
            "UNSCHEDULABLE",
            ill.subject,
            Phrase(
                "{pod} has been looked at by no scheduler; it waits for {scheduler}",
                pod=ill.where,
                scheduler=name,
            ),
            Phrase("see that {scheduler} runs (`kubectl -n kube-system get pods`)", scheduler=name),
            grace=RETURN,
        )
    if scheduled.get("status") != "False":
        return None
    cause, what, grace = reason_of(message)
    if cause == "VOLUME_NODE_CONFLICT" and (barred := _barred_from_its_volume(snapshot, ill.pod)):
        cause, what = "TAINT_NOT_TOLERATED", barred
    return Finding(
        cause,
        ill.subject,
        Phrase("{pod} is given no node: {what}", pod=ill.where, what=what),
        evidence=(f"the scheduler: {short(message)}",),
        grace=grace,
    )


def _barred_from_its_volume(snapshot: Snapshot, pod: Object) -> Phrase:
    """Return the taints that keep a pod from every node that has its volumes; empty if none do.

    To the scheduler, which looks at each node for itself, the others are the ones in conflict.
    """
    claims = [
        snapshot.at(each.target)
        for each in references(pod)
        if each.target.kind == "PersistentVolumeClaim"
    ]
    names = [name for claim in claims if claim and (name := claim["spec"].get("volumeName"))]
    volumes = [snapshot.get("PersistentVolume", "", name) for name in names]
    homes = [
        node
        for node in snapshot.of_kind("Node")
        if volumes and all(volume and holds(volume, node) for volume in volumes)
    ]
    if not homes or not all(untolerated(pod, node) for node in homes):
        return NOTHING
    barred = [
        Phrase("{node}, which has the taint {taints}", node=ref(node).name, taints=taints)
        for node, taints in ((node, untolerated(pod, node)) for node in homes)
    ]
    return Phrase("its volume is on {nodes}", nodes=_enumerated(barred))


def _enumerated(parts: list[Phrase]) -> Phrase:
    """Return phrases as one, halved and halved again: no deep nest, however many there are."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return Phrase(
        "{first}; {rest}", first=_enumerated(parts[:half]), rest=_enumerated(parts[half:])
    )


def _unplaceable(workload: Object, nodes: list[Object]) -> Finding | None:
    """Return why the nodes, were they empty, would not do."""
    pod, where = template(workload), ref(workload)
    if pod["spec"].get("nodeName"):
        return None
    chosen = [node for node in nodes if is_chosen(pod, node)]
    if not chosen:
        return _unmatched(where, pod, nodes)
    tolerated = [node for node in chosen if not untolerated(pod, node)]
    if not tolerated:
        taints = sorted({taint for node in chosen for taint in untolerated(pod, node)})
        return _certain(
            "TAINT_NOT_TOLERATED",
            where,
            Phrase(
                "{where} tolerates none of the nodes that it could go to: {taints}",
                where=where,
                taints=taints,
            ),
            [f"Node {ref(node).name}: {', '.join(untolerated(pod, node))}" for node in chosen],
        )
    roomy = [node for node in tolerated if not short_of(pod, node)]
    if not roomy:
        lacking = {ref(node).name: short_of(pod, node) for node in tolerated}
        first = next(iter(lacking.values()))[0]
        return _certain(
            "INSUFFICIENT_RESOURCES",
            where,
            Phrase(
                "{where} asks for more than any node has, were it empty: {lacking}",
                where=where,
                lacking=first,
            ),
            [f"Node {name}: {', '.join(words)}" for name, words in lacking.items()],
        )
    return _spread(where, pod, roomy) or _apart(where, workload, roomy)


def _spread(where: Ref, pod: Object, nodes: list[Object]) -> Finding | None:
    """Return the constraint that is about a topology which none of the nodes is part of."""
    for constraint in pod["spec"].get("topologySpreadConstraints") or ():
        key = constraint["topologyKey"]
        if constraint.get("whenUnsatisfiable") == "ScheduleAnyway":
            continue
        if not any(_place(node, key) for node in nodes):
            return _certain(
                "SPREAD_UNSATISFIABLE",
                where,
                Phrase(
                    "{where} is to be spread by {key}, which no node open to it is labelled with",
                    where=where,
                    key=key,
                ),
                [f"Node {ref(node).name}: {_labels(node)}" for node in nodes],
            )
    return None


def _unmatched(where: Ref, pod: Object, nodes: list[Object]) -> Finding:
    selector = pod["spec"].get("nodeSelector") or {}
    asked = [f"{key}={value}" for key, value in selector.items()]
    return _certain(
        "NODE_SELECTOR_UNMATCHED",
        where,
        Phrase(
            "{where} asks for labels that no node has: {labels}",
            where=where,
            labels=asked or Phrase("its required node affinity"),
        ),
        [f"Node {ref(node).name}: {_labels(node)}" for node in nodes],
    )


def _apart(where: Ref, workload: Object, nodes: list[Object]) -> Finding | None:
    """Return why replicas that must be apart do not find places enough."""
    if workload["kind"] not in {"Deployment", "StatefulSet"}:
        return None
    pod, wanted = template(workload), workload["spec"].get("replicas", 1)
    labels = (pod.get("metadata") or {}).get("labels") or {}
    required = ((pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    for term in required or ():
        key = term.get("topologyKey") or HOSTNAME
        places = {place for node in nodes if (place := _place(node, key))}
        if selects(term.get("labelSelector"), labels) and 0 < len(places) < wanted:
            said = Phrase(
                "{where} wants {wanted} replicas apart by {key}, and only 1 place is open to them"
                if len(places) == 1
                else "{where} wants {wanted} replicas apart by {key}, and only {count} places are "
                "open to them",
                where=where,
                wanted=wanted,
                key=key,
                count=len(places),
            )
            evidence = [f"{key}: {', '.join(sorted(places))}"]
            return _certain("ANTI_AFFINITY_UNSATISFIABLE", where, said, evidence)
    return None


def _place(node: Object, key: str) -> str:
    labels = node["metadata"].get("labels") or {}
    return str(labels.get(key) or (ref(node).name if key == HOSTNAME else ""))


def _certain(cause: str, where: Ref, summary: Phrase, evidence: list[str]) -> Finding:
    return Finding(cause, where, summary, evidence=tuple(map(short, evidence)), grace=PLACING)


def _labels(node: Object) -> str:
    labels = node["metadata"].get("labels") or {}
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"


BEFOREHAND: Final = (templates_without_node,)
LIVE: Final = (pods_without_node,)
