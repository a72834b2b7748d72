"""Where the system runs, in rows: nodes, pods, Services, what asks what, and what is limited."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import restarts
from nova_acceptance.kube import Object
from nova_acceptance.system import System
from nova_acceptance.system.parts import uses

ROLE: Final = "node-role.kubernetes.io/"
LIMIT: Final = "limits.nova/"
"""What annotations of workloads begin with that declare a limit: `limits.nova/<name>` with the
reason in English, `limits.nova/<name>.<language>` with the same in another language."""
ENGLISH: Final = "en"


def node_rows(nodes: Iterable[Object]) -> list[dict[str, Any]]:
    """Return one row a node: its name, roles, version, address, and whether it is ready."""
    return [
        {
            "name": node["metadata"]["name"],
            "roles": sorted(
                label.removeprefix(ROLE)
                for label in node["metadata"].get("labels") or {}
                if label.startswith(ROLE)
            ),
            "version": _status(node).get("nodeInfo", {}).get("kubeletVersion", ""),
            "address": next(
                (
                    each["address"]
                    for each in _status(node).get("addresses") or ()
                    if each["type"] == "InternalIP"
                ),
                "",
            ),
            "ready": is_ready(node),
        }
        for node in nodes
    ]


def present_pods(objects: Seen, namespace: str) -> list[Object]:
    """Return a namespace's pods, without those on their way out and those that have completed.

    Nova's workloads run without end, so that none of them wants a pod that has completed.
    """
    return [
        pod
        for pod in objects.of_kind("Pod", namespace)
        if "deletionTimestamp" not in pod["metadata"] and _status(pod).get("phase") != "Succeeded"
    ]


def pod_rows(system: System, objects: Seen) -> list[dict[str, Any]]:
    """Return one row a pod of Nova's namespaces, with the workload that selects it."""
    owners = {
        (ref.namespace, ref.name): workload.name
        for workload in system.every_workload
        for ref in objects.refs_of(workload)
    }
    return [
        {
            "namespace": namespace,
            "name": pod["metadata"]["name"],
            "workload": owners.get((namespace, pod["metadata"]["name"]), ""),
            "node": pod["spec"].get("nodeName", ""),
            "address": _status(pod).get("podIP", ""),
            "phase": _status(pod).get("phase", ""),
            "ready": is_ready(pod),
            "restarts": restarts(pod),
        }
        for namespace in system.namespaces
        for pod in present_pods(objects, namespace)
    ]


def service_rows(system: System, objects: Seen) -> list[dict[str, Any]]:
    """Return one row a Service of Nova's namespaces, with the ready pods behind it."""
    return [
        {
            "namespace": namespace,
            "name": service["metadata"]["name"],
            "type": service["spec"].get("type", ""),
            "address": service["spec"].get("clusterIP") or service["spec"].get("externalName", ""),
            "ports": [
                {
                    "name": port.get("name", ""),
                    "number": port["port"],
                    "target": str(port.get("targetPort", port["port"])),
                }
                for port in service["spec"].get("ports") or ()
            ],
            "pods": _ready_behind(objects, service["metadata"]["name"], namespace),
        }
        for namespace in system.namespaces
        for service in objects.of_kind("Service", namespace)
    ]


def needs(system: System) -> dict[str, list[str]]:
    """Return which workloads each workload asks, as nova.yaml says."""
    found: dict[str, dict[str, None]] = {}
    for component, owner in uses(system):
        found.setdefault(component.workload.name, {})[owner.workload.name] = None
    return {name: list(others) for name, others in found.items()}


def limits(system: System, objects: Seen) -> list[dict[str, Any]]:
    """Return what the workloads declare to be deliberately less, and whom it concerns."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for workload in system.every_workload:
        there = objects.at(workload.ref)
        for name, reasons in _declared(there).items() if there else ():
            found.setdefault((name, tuple(sorted(reasons.items()))), []).append(workload.name)
    return [
        {"name": name, "components": components, "reasons": dict(reasons)}
        for (name, reasons), components in found.items()
    ]


def _declared(workload: Object) -> dict[str, dict[str, str]]:
    """Return a workload's limits: reasons by language, by the limit's name."""
    declared: dict[str, dict[str, str]] = {}
    for key, reason in (workload["metadata"].get("annotations") or {}).items():
        if key.startswith(LIMIT):
            name, _, language = key.removeprefix(LIMIT).partition(".")
            declared.setdefault(name, {})[language or ENGLISH] = reason
    return declared


def _ready_behind(objects: Seen, service: str, namespace: str) -> list[str]:
    # A Service may publish pods that are not ready, too, so that its members find each other.
    ready = {p["metadata"]["name"] for p in present_pods(objects, namespace) if is_ready(p)}
    return sorted(ready & {each.pod for each in objects.endpoints(service, namespace)})


def _status(obj: Object) -> dict[str, Any]:
    return obj.get("status") or {}
