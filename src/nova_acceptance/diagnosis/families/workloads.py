"""Workloads and their pods: what is left over, what restarts, what is not ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref, ref
from nova_acceptance.diagnosis.graces import AT_ONCE
from nova_acceptance.diagnosis.snapshot import Snapshot, uid
from nova_acceptance.diagnosis.status import State, status_of
from nova_acceptance.diagnosis.workloads import workload_of, workloads
from nova_acceptance.phrase import Phrase

UNDECLARED_WORKLOAD: Final = Cause(
    "UNDECLARED_WORKLOAD",
    "Something runs in a namespace of Nova that nova.yaml does not know",
    "Nothing, or it takes traffic and resources that are meant for others",
    "The namespace's Deployments and StatefulSets against nova.yaml",
    "declare it in nova.yaml, or remove it",
)
POD_LEFT_OVER: Final = Cause(
    "POD_LEFT_OVER",
    "A pod is there that belongs to no declared workload, or has ended",
    "It may take traffic by its labels; it holds its claim and its node's resources",
    "Pods without an owner, pods that have failed, pods that do not end",
    "delete it (`kubectl delete pod`), once nobody needs what it shows",
)
CLAIM_LEFT_OVER: Final = Cause(
    "CLAIM_LEFT_OVER",
    "A claim is there that belongs to no declared workload",
    "It keeps a volume, and old data may come back with it",
    "The namespace's claims against nova.yaml",
    "delete it, once nobody needs its data",
)
CONTAINER_RESTARTED: Final = Cause(
    "CONTAINER_RESTARTED",
    "A container has restarted since its pod was deployed",
    "All is well again, and something ended it",
    "`restartCount` and `lastState` of the pod's containers",
    "see how it ended (`kubectl logs --previous`), and delete the pod to begin anew",
    is_symptom=True,
)
SPREAD_LOST: Final = Cause(
    "SPREAD_LOST",
    "Replicas share a node although others could carry them",
    "One node's loss takes several replicas with it",
    "The pods' nodes against the nodes that can carry them",
    "delete one of the pods that share a node; see that its anti-affinity is still there",
    is_symptom=True,
)
SECURITY_CONTEXT_WEAK: Final = Cause(
    "SECURITY_CONTEXT_WEAK",
    "A container may do more than it needs",
    "Nothing, until somebody breaks in",
    "The effective security context of each container",
    "set runAsNonRoot, readOnlyRootFilesystem, allowPrivilegeEscalation: false, drop ALL, seccomp",
)
RESOURCES_UNSET: Final = Cause(
    "RESOURCES_UNSET",
    "A container has no requests or no limits",
    "It is placed where there is no room for it, or takes what others need",
    "`resources` of each container",
    "set requests and limits for cpu and memory",
)
NODE_EXPOSED: Final = Cause(
    "NODE_EXPOSED",
    "A pod shares its node's network, processes or files",
    "Nothing, until somebody breaks in",
    "hostNetwork, hostPID, hostIPC and hostPath of each pod",
    "take it out of the pod's template",
)
API_TOKEN_WRONG: Final = Cause(
    "API_TOKEN_WRONG",
    "A pod holds a token of the API that it does not need, or lacks the one that it needs",
    "It could act on the cluster, or cannot keep its labels",
    "Mounts of serviceaccount tokens against nova.yaml",
    "set automountServiceAccountToken in its template as nova.yaml says",
)
CONNECTION_CUT: Final = Cause(
    "CONNECTION_CUT",
    "A connection ended before anything was answered",
    "Clients see resets",
    "The end of the connection, without a word of the protocol before it",
    "see whether what answers there restarts, or speaks another protocol",
    is_symptom=True,
)
ASKER_MISSING: Final = Cause(
    "ASKER_MISSING",
    "A workload has no pod in which a container runs, so nothing can be asked from inside it",
    "Every question from it stays unasked",
    "The pods of the workload and their containers' states",
    "see why its pods do not run (`kubectl describe pod`)",
    is_symptom=True,
)
ROLLOUT_PAUSED: Final = Cause(
    "ROLLOUT_PAUSED",
    "A Deployment is paused before its rollout is through",
    "Its pods are those of an older template, and no controller replaces them",
    "`spec.paused`, and `status.updatedReplicas` against `spec.replicas`",
    "`kubectl rollout resume` it, or undo the change of its template first",
)
WORKLOAD_NOT_READY: Final = Cause(
    "WORKLOAD_NOT_READY",
    "A workload is not ready",
    "Fewer replicas are ready than are wanted",
    "The workload's status, by the rules of kstatus",
    "see its pods (`kubectl describe`); what they say is in the evidence",
    is_symptom=True,
)

CAUSES: Final = (
    UNDECLARED_WORKLOAD,
    POD_LEFT_OVER,
    CLAIM_LEFT_OVER,
    CONTAINER_RESTARTED,
    SPREAD_LOST,
    SECURITY_CONTEXT_WEAK,
    RESOURCES_UNSET,
    NODE_EXPOSED,
    API_TOKEN_WRONG,
    CONNECTION_CUT,
    ROLLOUT_PAUSED,
    ASKER_MISSING,
    WORKLOAD_NOT_READY,
)


def undeclared_workload(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find workloads in Nova's namespaces that nova.yaml does not know."""
    if snapshot.system is None:
        return
    declared = {Ref(w.kind, w.namespace, w.name) for w in snapshot.system.every_workload}
    for found in workloads(snapshot):
        where = ref(found)
        if (
            where.kind in ("Deployment", "StatefulSet")
            and where.namespace in snapshot.system.namespaces
            and where not in declared
        ):
            yield Diagnosis(
                UNDECLARED_WORKLOAD,
                where,
                Phrase("{where} is none of the workloads of nova.yaml", where=where),
            )


def pod_left_over(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find pods in Nova's namespaces that nobody keeps."""
    for namespace in snapshot.system.namespaces if snapshot.system else ():
        for pod in snapshot.of_kind("Pod", namespace):
            if uid(pod) and workload_of(snapshot, pod) is pod:
                where = ref(pod)
                labels = pod["metadata"].get("labels") or {}
                yield Diagnosis(
                    POD_LEFT_OVER,
                    where,
                    Phrase("{pod} belongs to no workload", pod=where),
                    Phrase(
                        "`kubectl -n {namespace} delete pod {name}`, once nobody needs it",
                        namespace=namespace,
                        name=where.name,
                    ),
                    evidence=(f"labels: {labels}",),
                )


def rollout_paused(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find Deployments that are paused while pods of their present template are wanting."""
    for found in snapshot.of_kind("Deployment"):
        spec, status = found["spec"], found.get("status") or {}
        wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
        if uid(found) and spec.get("paused") and updated < wanted:
            where = ref(found)
            yield Diagnosis(
                ROLLOUT_PAUSED,
                where,
                Phrase(
                    "{where} is paused, and {updated} of {wanted} pods are of its present template",
                    where=where,
                    updated=updated,
                    wanted=wanted,
                ),
                Phrase(
                    "`kubectl -n {namespace} rollout resume deployment {name}`, or undo the change "
                    "of its template first",
                    namespace=where.namespace,
                    name=where.name,
                ),
                grace=AT_ONCE,
            )


def workload_not_ready(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find workloads whose status says that they are not what their specification wants."""
    for found in workloads(snapshot):
        status = status_of(found)
        if found["kind"] == "Job" and status.state is State.IN_PROGRESS:
            continue  # at work, or suspended; its pods tell what goes wrong in it
        if uid(found) and not status.is_current:
            where = ref(found)
            yield Diagnosis(
                WORKLOAD_NOT_READY,
                where,
                Phrase(
                    "{where} is not ready: {why}", where=where, why=status.message or status.reason
                ),
            )


LIVE: Final = (
    undeclared_workload,
    pod_left_over,
    rollout_paused,
    workload_not_ready,
)
