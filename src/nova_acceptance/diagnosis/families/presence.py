"""Whether what nova.yaml declares is there at all, and in its number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref, ref
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.diagnosis.workloads import workloads
from nova_acceptance.phrase import Phrase

NAMESPACE_MISSING: Final = Cause(
    "NAMESPACE_MISSING",
    "A namespace of nova.yaml does not exist",
    "Nothing that belongs into it is found",
    "The cluster's namespaces against nova.yaml",
    "deploy Nova (`pytest --cluster …` without --no-deploy), or name the right cluster",
)
NAMESPACE_TERMINATING: Final = Cause(
    "NAMESPACE_TERMINATING",
    "A namespace is being removed",
    "Nothing can be created in it; what was in it goes",
    "The namespace's phase is Terminating",
    "wait until it is gone and deploy again; `kubectl get namespace NAME -o yaml` names finalizers "
    "that hold it",
)
NAMESPACE_FOREIGN: Final = Cause(
    "NAMESPACE_FOREIGN",
    "A namespace of Nova's name was made by somebody else",
    "Nothing is deployed: what is in it is not ours to change",
    "The label `app.kubernetes.io/managed-by` of the namespace on the cluster",
    "choose another cluster, or remove that namespace yourself",
)
WORKLOAD_MISSING: Final = Cause(
    "WORKLOAD_MISSING",
    "A workload of nova.yaml does not exist",
    "Its Services have no pods; what needs it fails",
    "The namespace's Deployments and StatefulSets against nova.yaml",
    "deploy it (`pytest --cluster …` without --no-deploy)",
)
REPLICAS_WRONG: Final = Cause(
    "REPLICAS_WRONG",
    "A workload is scaled to another number of replicas than nova.yaml says",
    "Pods are missing, or there are more than expected, and nothing is wrong with any of them",
    "`spec.replicas` against nova.yaml",
    "`kubectl scale` it back, and see what scaled it (an autoscaler, a hand)",
)
CAUSES: Final = (
    NAMESPACE_FOREIGN,
    NAMESPACE_MISSING,
    NAMESPACE_TERMINATING,
    WORKLOAD_MISSING,
    REPLICAS_WRONG,
)


def namespace_missing(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find namespaces of nova.yaml that are not there."""
    if snapshot.system is None or not snapshot.knows("Namespace"):
        return
    for name in snapshot.system.namespaces:
        if snapshot.get("Namespace", "", name) is None:
            yield Diagnosis(
                NAMESPACE_MISSING,
                Ref("Namespace", "", name),
                Phrase("the cluster has no namespace {name}", name=name),
                grace=None,
            )


def namespace_terminating(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find namespaces that are on their way out although something is wanted in them."""
    concerned = {each["metadata"].get("namespace", "") for each in workloads(snapshot)}
    concerned |= set(snapshot.system.namespaces if snapshot.system else ())
    for namespace in snapshot.of_kind("Namespace"):
        name = namespace["metadata"]["name"]
        if name in concerned and (namespace.get("status") or {}).get("phase") == "Terminating":
            conditions = (namespace.get("status") or {}).get("conditions") or ()
            yield Diagnosis(
                NAMESPACE_TERMINATING,
                ref(namespace),
                Phrase("namespace {name} is being removed", name=name),
                evidence=tuple(
                    f"{entry['type']}: {entry.get('message', '')}"
                    for entry in conditions
                    if entry.get("status") == "True"
                ),
            )


def workload_missing(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find workloads of nova.yaml that are not there, in namespaces that are."""
    if snapshot.system is None:
        return
    for spec in snapshot.system.every_workload:
        is_known = snapshot.knows(spec.kind, spec.namespace) and snapshot.knows("Namespace")
        is_home = snapshot.get("Namespace", "", spec.namespace) is not None
        if is_known and is_home and not snapshot.get(spec.kind, spec.namespace, spec.name):
            there = [
                each["metadata"]["name"] for each in snapshot.of_kind(spec.kind, spec.namespace)
            ]
            where = Ref(spec.kind, spec.namespace, spec.name)
            yield Diagnosis(
                WORKLOAD_MISSING,
                where,
                Phrase("there is no {where}, which nova.yaml declares", where=where),
                evidence=(f"{spec.kind}s of {spec.namespace}: {', '.join(there) or 'none'}",),
            )


def replicas_wrong(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find workloads that are scaled otherwise than nova.yaml says."""
    for spec in snapshot.system.every_workload if snapshot.system else ():
        found = snapshot.get(spec.kind, spec.namespace, spec.name)
        if found is None:
            continue
        replicas = found["spec"].get("replicas", 1)
        if replicas != spec.replicas:
            where = ref(found)
            yield Diagnosis(
                REPLICAS_WRONG,
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


LIVE: Final = (
    namespace_missing,
    namespace_terminating,
    workload_missing,
    replicas_wrong,
)
