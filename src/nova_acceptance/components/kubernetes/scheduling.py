"""Scheduling: why a pod is given no node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance.components.kubernetes.graces import PLACING, RETURN
from nova_acceptance.components.kubernetes.placement import (
    HOSTNAME,
    is_chosen,
    selects,
    short_of,
    untolerated,
)
from nova_acceptance.components.kubernetes.pods import Ill, ill_pods, short
from nova_acceptance.components.kubernetes.scheduler_words import reason_of
from nova_acceptance.components.kubernetes.status import condition, status_of
from nova_acceptance.components.kubernetes.taken import host_ports
from nova_acceptance.components.kubernetes.unplaced import why_no_node
from nova_acceptance.components.kubernetes.workloads import pods_of, template, workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase

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
    """Find pods that the scheduler has given no node, by the objects and by what it says."""
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
    reason = why_no_node(snapshot, ill.pod)
    if reason is None:
        have_been_seen = any(snapshot.of_kind("Node")) and snapshot.knows("Node")
        reason = reason_of(message, have_nodes_been_seen=have_been_seen)
    what = reason.what
    if reason.cause == "HOST_PORT_CONFLICT":
        what = host_ports(snapshot, ill.pod) or what
    said = (f"the scheduler: {short(message)}",) if message else ()
    return Finding(
        reason.cause,
        ill.subject,
        Phrase("{pod} is given no node: {what}", pod=ill.where, what=what),
        evidence=(*said, *map(short, reason.evidence)),
        grace=reason.grace,
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
            Phrase(
                "give {where} a toleration of it, or `kubectl taint node {node} {taint}-`",
                where=where,
                node=ref(chosen[0]).name,
                taint=untolerated(pod, chosen[0])[0],
            ),
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


def _certain(
    cause: str, where: Ref, summary: Phrase, evidence: list[str], cure: Phrase = NOTHING
) -> Finding:
    seen = tuple(map(short, evidence))
    return Finding(cause, where, summary, cure, evidence=seen, grace=PLACING)


def _labels(node: Object) -> str:
    labels = node["metadata"].get("labels") or {}
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"


BEFOREHAND: Final = (templates_without_node,)
LIVE: Final = (pods_without_node,)
