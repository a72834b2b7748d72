"""What is wrong with a workload of nova.yaml, its pods and what runs besides them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.backends import pods_selected
from nova_acceptance.components.kubernetes.placement import is_open
from nova_acceptance.components.kubernetes.status import State, is_ready, status_of
from nova_acceptance.components.kubernetes.summaries import summary
from nova_acceptance.components.kubernetes.workloads import (
    is_leaving,
    is_past,
    restarts,
    statuses,
)
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import System, Workload

DECLARED: Final = ("Deployment", "StatefulSet")
"""The kinds of workloads that nova.yaml can name."""


@check
def missing_workload(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find a workload that is not there."""
    where = spec.ref
    if snapshot.at(where) is None:
        there = [ref(each).name for each in snapshot.of_kind(spec.kind, spec.namespace)]
        yield Finding(
            "WORKLOAD_MISSING",
            where,
            Phrase("there is no {where}, which nova.yaml declares", where=where),
            evidence=(f"{spec.kind}s of {spec.namespace}: {', '.join(there) or 'none'}",),
        )


@check
def wrong_scale(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find a workload that wants another number of replicas than nova.yaml says."""
    where = spec.ref
    found = snapshot.at(where)
    replicas = found["spec"].get("replicas", 1) if found else spec.replicas
    if replicas != spec.replicas:
        yield Finding(
            "REPLICAS_WRONG",
            where,
            Phrase(
                "{where} is scaled to {replicas}, where nova.yaml says {wanted}",
                where=where,
                replicas=replicas,
                wanted=spec.replicas,
            ),
            Phrase(
                "`kubectl -n {namespace} scale {kind} {name} --replicas={wanted}`, and see "
                "what scaled it",
                namespace=spec.namespace,
                kind=spec.kind.lower(),
                name=spec.name,
                wanted=spec.replicas,
            ),
        )


@check
def lacking_replicas(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find a workload without as many replicas, up to date and ready, as nova.yaml says."""
    yield from missing_workload(snapshot, spec)
    yield from wrong_scale(snapshot, spec)
    found = snapshot.at(spec.ref)
    if found is None:
        return
    yield from unfinished_rollout(found)
    status = found.get("status") or {}
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if (updated, ready) != (spec.replicas, spec.replicas):
        said = Phrase(
            "of {wanted} replicas {updated} are up to date and {ready} are ready",
            wanted=spec.replicas,
            updated=updated,
            ready=ready,
        )
        yield _not_ready(spec, said)


@check
def unfinished_rollout(found: Object) -> Iterator[Finding]:
    """Find a workload whose status says that it is not what its specification wants."""
    status, where = status_of(found), ref(found)
    if not status.is_current:
        sentence = Phrase(
            "{where} is not ready: {why}", where=where, why=status.message or status.reason
        )
        yield Finding("WORKLOAD_NOT_READY", where, sentence)


@check
def unready_pods(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find a workload with more or fewer pods than replicas, or with one that is not ready."""
    pods = pods_selected(snapshot, spec)
    if len(pods) != spec.replicas:
        said = Phrase(
            "it has {count} pods, where nova.yaml says {wanted}",
            count=len(pods),
            wanted=spec.replicas,
        )
        yield _not_ready(spec, said)
    if unready := [pod for pod in pods if not is_ready(pod)]:
        names = [pod["metadata"]["name"] for pod in unready]
        yield _not_ready(
            spec,
            Phrase("{pods} is not ready", pods=names),
            *(f"{pod['metadata']['name']}: {summary(pod)}" for pod in unready),
        )


@check
def restarted_containers(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find pods in which a container has restarted since they were made."""
    yield from no_pods(snapshot, spec)
    for pod in pods_selected(snapshot, spec):
        if count := restarts(pod):
            ends = [
                Phrase(
                    "{container}: {reason}, exit status {status}",
                    container=entry["name"],
                    reason=last.get("reason", "?"),
                    status=last.get("exitCode", "?"),
                )
                for entry in statuses(pod)
                if (last := (entry.get("lastState") or {}).get("terminated"))
            ]
            sentence = Phrase("{where} has restarted {count} times", where=ref(pod), count=count)
            if ends:
                sentence = Phrase(
                    "{restarted}, the last time by {ends}", restarted=sentence, ends=ends
                )
            yield Finding("CONTAINER_RESTARTED", spec.ref, sentence)


@check
def crowded_nodes(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find replicas that share a node although others could carry them."""
    yield from no_pods(snapshot, spec)
    pods = pods_selected(snapshot, spec)
    on_nodes = Counter(pod["spec"].get("nodeName", "no node") for pod in pods)
    nodes = [node for node in snapshot.of_kind("Node") if all(is_open(pod, node) for pod in pods)]
    wanted = min(spec.replicas, len(nodes))
    if on_nodes and len(on_nodes) < wanted:
        yield Finding(
            "SPREAD_LOST",
            spec.ref,
            Phrase(
                "the pods of {workload} are on {nodes}, where {wanted} nodes could carry them",
                workload=spec.ref,
                nodes=sorted(on_nodes),
                wanted=wanted,
            ),
            evidence=tuple(f"{node}: {count}" for node, count in sorted(on_nodes.items())),
        )


@check
def no_pods(snapshot: Snapshot, spec: Workload) -> Iterator[Finding]:
    """Find a workload without any pod, of which nothing can be told by its pods."""
    if not pods_selected(snapshot, spec):
        yield _not_ready(spec, Phrase("it has no pod"))


@check
def undeclared_workloads(snapshot: Snapshot, system: System, namespace: str) -> Iterator[Finding]:
    """Find what runs in a namespace that nova.yaml does not know, unless it allows that."""
    if system.undeclared == "allowed":
        return
    declared = {each.ref for each in system.every_workload}
    for kind in DECLARED:
        for found in snapshot.of_kind(kind, namespace):
            if (where := ref(found)) not in declared:
                sentence = Phrase("{where} is none of the workloads of nova.yaml", where=where)
                yield Finding("UNDECLARED_WORKLOAD", where, sentence)


@check
def pods_left_over(snapshot: Snapshot, system: System, namespace: str) -> Iterator[Finding]:
    """Find pods that no workload of nova.yaml keeps or that have failed, unless it allows them.

    One that is on its way out is none until it is stuck. A Job keeps its pods, at work and
    finished; of those that failed it keeps all but when it has failed itself.
    """
    if system.undeclared == "allowed":
        return
    declared = {
        ref(pod)
        for workload in system.every_workload
        if workload.namespace == namespace
        for pod in pods_selected(snapshot, workload)
        if pod["metadata"].get("ownerReferences")
    }
    for pod in snapshot.of_kind("Pod", namespace):
        where = ref(pod)
        has_failed = (pod.get("status") or {}).get("phase") == "Failed"
        is_kept = where in declared or _is_of_job(pod)
        if has_failed and _is_of_job(pod):
            has_failed = _has_failed_job(snapshot, pod)
        if (is_kept and not has_failed) or is_leaving(pod, datetime.now(UTC)):
            continue
        yield Finding(
            "POD_LEFT_OVER",
            where,
            Phrase(
                "{pod} has failed, and is still there"
                if is_kept
                else "{pod} belongs to no workload of nova.yaml",
                pod=where,
            ),
            Phrase(
                "`kubectl -n {namespace} delete pod {name}`, once nobody needs it",
                namespace=namespace,
                name=where.name,
            ),
            evidence=(summary(pod), f"labels: {pod['metadata'].get('labels') or {}}"),
        )


def _is_of_job(pod: Object) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or ())


def _has_failed_job(snapshot: Snapshot, pod: Object) -> bool:
    """Whether a pod's Job has given up, and no later run of its CronJob has done the work."""
    owner = next(each for each in pod["metadata"]["ownerReferences"] if each["kind"] == "Job")
    job = snapshot.at(Ref("Job", pod["metadata"]["namespace"], owner["name"]))
    return job is not None and status_of(job).state is State.FAILED and not is_past(snapshot, job)


def _not_ready(spec: Workload, why: Phrase, *evidence: str) -> Finding:
    where = spec.ref
    sentence = Phrase("{where} is not ready: {why}", where=where, why=why)
    return Finding("WORKLOAD_NOT_READY", where, sentence, evidence=evidence)
