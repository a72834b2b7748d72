"""What is wrong with a workload of nova.yaml, its pods and what runs besides them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.backends import pods_listed, pods_selected
from nova_acceptance.components.kubernetes.placement import is_open
from nova_acceptance.components.kubernetes.pods import short
from nova_acceptance.components.kubernetes.reboots import ended_with_node, restarts_of_its_own
from nova_acceptance.components.kubernetes.rollouts import is_rolling_over
from nova_acceptance.components.kubernetes.status import condition, is_ready, status_of
from nova_acceptance.components.kubernetes.summaries import summary
from nova_acceptance.components.kubernetes.workloads import is_leaving, statuses
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase, verbatim
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
    """Find a workload without as many replicas, up to date and ready, as nova.yaml says.

    One that is being replaced pod by pod, and serves meanwhile, is none.
    """
    yield from missing_workload(snapshot, spec)
    yield from wrong_scale(snapshot, spec)
    found = snapshot.at(spec.ref)
    if found is None or is_rolling_over(snapshot, found):
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
    """Find a workload with more or fewer pods than replicas, or with one that is not ready.

    What a rollout makes beside those that serve is none too many.
    """
    pods = pods_selected(snapshot, spec)
    found = snapshot.at(spec.ref)
    is_served = sum(map(is_ready, pods)) >= spec.replicas
    if found and is_served and is_rolling_over(snapshot, found):
        return
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
    """Find pods in which a container has restarted since they were made, and not with its node."""
    yield from no_pods(snapshot, spec)
    for pod in pods_selected(snapshot, spec):
        if count := restarts_of_its_own(snapshot, pod):
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

    One that is on its way out is none until it is stuck. A Job keeps its pods, at work, finished
    and failed; so does whoever else made one that has done its work.
    """
    if system.undeclared == "allowed":
        return
    owners = {
        ref(pod): workload
        for workload in system.every_workload
        if workload.namespace == namespace
        for pod in pods_listed(snapshot, workload)
        if pod["metadata"].get("ownerReferences")
    }
    for pod in snapshot.of_kind("Pod", namespace):
        owner = owners.get(ref(pod))
        phase = (pod.get("status") or {}).get("phase")
        if _is_of_job(pod) or is_leaving(pod, datetime.now(UTC)):
            continue
        if owner and "deletionTimestamp" in pod["metadata"]:
            yield _stuck(pod)
        elif owner and ended_with_node(pod):
            continue  # another is made in its place, as soon as there is one
        elif owner and phase == "Failed":
            yield _ended(snapshot, pod, owner)
        elif not owner and not (phase == "Succeeded" and pod["metadata"].get("ownerReferences")):
            yield _stray(pod)


def _stray(pod: Object) -> Finding:
    sentence = Phrase("{pod} belongs to no workload of nova.yaml", pod=ref(pod))
    why = _why_ended(pod)
    return _left_over(pod, sentence, *([why] if why else ()))


def _stuck(pod: Object) -> Finding:
    metadata = pod["metadata"]
    sentence = Phrase(
        "{pod} was to be gone by {moment} and is still there",
        pod=ref(pod),
        moment=metadata["deletionTimestamp"],
    )
    return _left_over(pod, sentence, f"finalizers: {metadata.get('finalizers') or 'none'}")


def _ended(snapshot: Snapshot, pod: Object, owner: Workload) -> Finding:
    """Return that a pod has ended and is still listed, why, and what runs in its place."""
    ready = sum(map(is_ready, pods_selected(snapshot, owner)))
    why = _why_ended(pod)
    sentence = Phrase(
        "{pod} was evicted and is still listed, while {ready} of {wanted} replicas of {workload} "
        "are ready: {why}"
        if (pod.get("status") or {}).get("reason") == "Evicted"
        else "{pod} has failed and is still listed, while {ready} of {wanted} replicas of "
        "{workload} are ready: {why}",
        pod=ref(pod),
        ready=ready,
        wanted=owner.replicas,
        workload=owner.ref,
        why=verbatim(why) if why else Phrase("it does not say why"),
    )
    return _left_over(pod, sentence)


def _left_over(pod: Object, sentence: Phrase, *evidence: str) -> Finding:
    where = ref(pod)
    return Finding(
        "POD_LEFT_OVER",
        where,
        sentence,
        Phrase(
            "`kubectl -n {namespace} delete pod {name}`, once nobody needs it",
            namespace=where.namespace,
            name=where.name,
        ),
        evidence=(summary(pod), *evidence, f"labels: {pod['metadata'].get('labels') or {}}"),
    )


def _why_ended(pod: Object) -> str:
    """Return why a pod has ended, in the words of its node or of who disrupted it."""
    status = pod.get("status") or {}
    if status.get("phase") != "Failed":
        return ""
    disrupted = condition(pod, "DisruptionTarget")
    said = [status.get("reason") or disrupted.get("reason")]
    said.append(short(str(status.get("message") or disrupted.get("message") or "")))
    return ": ".join(filter(None, said))


def _is_of_job(pod: Object) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or ())


def _not_ready(spec: Workload, why: Phrase, *evidence: str) -> Finding:
    where = spec.ref
    sentence = Phrase("{where} is not ready: {why}", where=where, why=why)
    return Finding("WORKLOAD_NOT_READY", where, sentence, evidence=evidence)
