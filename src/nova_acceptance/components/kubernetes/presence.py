"""Whether what nova.yaml declares is there at all, and in its number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.workloads import workloads
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot


def namespaces_inactive(snapshot: Snapshot) -> Iterator[Finding]:
    """Find namespaces that are not there, or on their way out, although something is wanted."""
    if not snapshot.knows("Namespace"):
        return
    wanted = dict.fromkeys(snapshot.system.namespaces)
    there = (each["metadata"].get("namespace", "") for each in workloads(snapshot))
    wanted |= dict.fromkeys(name for name in there if snapshot.get("Namespace", "", name))
    for name in wanted:
        yield from checks.namespaces.inactive_namespace(snapshot, name)


def workload_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads of nova.yaml that are not there, in namespaces that are."""
    for spec in snapshot.system.every_workload:
        is_home = snapshot.get("Namespace", "", spec.namespace) is not None
        if is_home and snapshot.knows(spec.kind, spec.namespace):
            yield from checks.workloads.missing_workload(snapshot, spec)


def replicas_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads that are scaled otherwise than nova.yaml says."""
    for spec in snapshot.system.every_workload:
        yield from checks.workloads.wrong_scale(snapshot, spec)


LIVE: Final = (namespaces_inactive, workload_missing, replicas_wrong)
