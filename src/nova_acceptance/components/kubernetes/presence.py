"""Whether what nova.yaml declares is there at all, and in its number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.workloads import workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase


def namespace_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find namespaces of nova.yaml that are not there."""
    if snapshot.system is None or not snapshot.knows("Namespace"):
        return
    for name in snapshot.system.namespaces:
        if snapshot.get("Namespace", "", name) is None:
            yield Finding(
                "NAMESPACE_MISSING",
                Ref("Namespace", "", name),
                Phrase("the cluster has no namespace {name}", name=name),
                grace=None,
            )


def namespace_terminating(snapshot: Snapshot) -> Iterator[Finding]:
    """Find namespaces that are on their way out although something is wanted in them."""
    concerned = {each["metadata"].get("namespace", "") for each in workloads(snapshot)}
    concerned |= set(snapshot.system.namespaces if snapshot.system else ())
    for namespace in snapshot.of_kind("Namespace"):
        name = namespace["metadata"]["name"]
        if name in concerned and (namespace.get("status") or {}).get("phase") == "Terminating":
            conditions = (namespace.get("status") or {}).get("conditions") or ()
            yield Finding(
                "NAMESPACE_TERMINATING",
                ref(namespace),
                Phrase("namespace {name} is being removed", name=name),
                evidence=tuple(
                    f"{entry['type']}: {entry.get('message', '')}"
                    for entry in conditions
                    if entry.get("status") == "True"
                ),
            )


def workload_missing(snapshot: Snapshot) -> Iterator[Finding]:
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
            yield Finding(
                "WORKLOAD_MISSING",
                where,
                Phrase("there is no {where}, which nova.yaml declares", where=where),
                evidence=(f"{spec.kind}s of {spec.namespace}: {', '.join(there) or 'none'}",),
            )


def replicas_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads that are scaled otherwise than nova.yaml says."""
    for spec in snapshot.system.every_workload if snapshot.system else ():
        found = snapshot.get(spec.kind, spec.namespace, spec.name)
        if found is None:
            continue
        replicas = found["spec"].get("replicas", 1)
        if replicas != spec.replicas:
            where = ref(found)
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


LIVE: Final = (
    namespace_missing,
    namespace_terminating,
    workload_missing,
    replicas_wrong,
)
