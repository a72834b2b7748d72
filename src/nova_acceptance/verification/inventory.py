"""The state of the system in rows and counts, as a report's summary shows it."""

from __future__ import annotations

from typing import Any, Final

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.workloads import restarts
from nova_acceptance.kube import Object
from nova_acceptance.system import Front, System, Workload
from nova_acceptance.system.parts import fronts
from nova_acceptance.verification.topology import (
    limits,
    needs,
    node_rows,
    pod_rows,
    present_pods,
    service_rows,
)

COUNTED: Final = {
    "services": "Service",
    "claims": "PersistentVolumeClaim",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
}
KINDS: Final = ("Namespace", "Node", "Pod", "EndpointSlice", *COUNTED.values())
"""What is read for it."""
MADE_BY_KUBERNETES: Final = frozenset({"kube-root-ca.crt"})
TOKEN: Final = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret


def snapshot(system: System, objects: Seen) -> dict[str, Any]:
    """Return the state of the system as the record's `snapshot` has it.

    Args:
        system: what nova.yaml says.
        objects: what the API says; `KINDS` are read of it.
    """
    return {
        "rows": rows(system, objects),
        "counts": counts(system, objects),
        "external": external_rows(system),
        "nodes": node_rows(objects.of_kind("Node") if objects.knows("Node") else ()),
        "pods": pod_rows(system, objects),
        "services": service_rows(system, objects),
        "limits": limits(system, objects),
        "needs": needs(system),
    }


def rows(system: System, objects: Seen) -> list[dict[str, Any]]:
    """Return one row a workload and one a Service: what was wanted, and what there is."""
    workloads = [_row(workload, objects) for workload in system.every_workload]
    return workloads + [_addresses(front, objects) for front in fronts(system)]


def counts(system: System, objects: Seen) -> dict[str, int]:
    """Return how many objects of each kind Nova's namespaces hold, counted, not calculated.

    What Kubernetes itself puts into every namespace is left out, and so are pods that are on
    their way out or have completed. A kind that may not be read is not counted.
    """
    found = {
        "pods": sum(len(present_pods(objects, namespace)) for namespace in system.namespaces),
    }
    if objects.knows("Namespace"):
        there = {item["metadata"]["name"] for item in objects.of_kind("Namespace")}
        found = {"namespaces": len(there & set(system.namespaces)), **found}
    for plural, kind in COUNTED.items():
        if not all(objects.knows(kind, namespace) for namespace in system.namespaces):
            continue
        found[plural] = sum(
            _is_novas(item)
            for namespace in system.namespaces
            for item in objects.of_kind(kind, namespace)
        )
    return found


def external_rows(system: System) -> list[dict[str, Any]]:
    """Return the systems that are declared and not verified, with who uses them."""
    return [
        {"name": external.name, "used_by": [user.name for user in system.users_of(external)]}
        for external in system.external
        if not external.verify
    ]


def _row(workload: Workload, objects: Seen) -> dict[str, Any]:
    found = objects.at(workload.ref) or {}
    pods = objects.pods_of(workload) if found else []
    return {
        "layer": workload.layer,
        "component": workload.name,
        "kind": workload.kind,
        "namespace": workload.namespace,
        "wanted": workload.replicas,
        "ready": (found.get("status") or {}).get("readyReplicas", 0),
        "restarts": sum(restarts(pod) for pod in pods),
        "image": ", ".join(sorted({c["image"] for p in pods for c in p["spec"]["containers"]})),
        "node": ", ".join(pod["spec"].get("nodeName", "none") for pod in pods),
    }


def _addresses(front: Front, objects: Seen) -> dict[str, Any]:
    behind = objects.endpoints(front.name, front.namespace)
    return {
        "layer": "networking",
        "component": front.name,
        "kind": "Service",
        "namespace": front.namespace,
        "wanted": front.workload.expected_behind(front.service),
        # of two families a pod has an address each
        "ready": len({each.pod or each.address for each in behind}),
    }


def _is_novas(item: Object) -> bool:
    return item["metadata"]["name"] not in MADE_BY_KUBERNETES and item.get("type") != TOKEN
