"""Where in the cluster the parts of nova.yaml are to be found."""

from __future__ import annotations

from nova_acceptance.findings import Ref
from nova_acceptance.system import Claim, Configuration, Front, Workload


def of_workload(workload: Workload) -> Ref:
    """Return a workload's reference."""
    return Ref(workload.kind, workload.namespace, workload.name)


def of_front(front: Front) -> Ref:
    """Return the reference of a Service."""
    return Ref("Service", front.namespace, front.name)


def of_claim(claim: Claim) -> Ref:
    """Return a claim's reference."""
    return Ref("PersistentVolumeClaim", claim.namespace, claim.name)


def of_configuration(item: Configuration) -> Ref:
    """Return the reference of a ConfigMap or Secret."""
    return Ref(item.kind, item.namespace, item.name)
