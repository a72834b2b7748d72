"""What a reader wants to know of an object, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nova_acceptance.components.kubernetes.backends import addresses_in
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import restarts
from nova_acceptance.kube import Object


def summary(found: Object) -> str:
    """Return in one line what a reader wants to know of an object; never a Secret's value."""
    summarise = _SUMMARIES.get(found["kind"])
    return summarise(found) if summarise else "present"


def _keys(found: Object) -> str:
    return f"keys {', '.join(sorted(found.get('data') or {})) or 'none'}"


def _replicas(found: Object) -> str:
    status, spec = found.get("status") or {}, found["spec"]
    return f"{status.get('readyReplicas', 0)} of {spec.get('replicas', 1)} ready"


def _claim(found: Object) -> str:
    status = found.get("status") or {}
    return f"{status.get('phase')} {(status.get('capacity') or {}).get('storage', 'no size')}"


def _service(found: Object) -> str:
    spec = found["spec"]
    ports = ", ".join(f"{port.get('name', '')}:{port['port']}" for port in spec.get("ports") or [])
    return f"{spec.get('clusterIP') or spec.get('externalName')} {ports}"


def _endpoints(found: Object) -> str:
    ready = [each for each in addresses_in(found) if each.is_ready]
    return ", ".join(f"{each.address} ({each.pod})" for each in ready) or "no address"


def _pod(found: Object) -> str:
    node = found["spec"].get("nodeName", "no node")
    ready = "ready" if is_ready(found) else "not ready"
    return f"{_phase(found)}, {ready}, {restarts(found)} restarts, on {node}"


def _phase(found: Object) -> str:
    return str((found.get("status") or {}).get("phase"))


def _node(found: Object) -> str:
    conditions = (found.get("status") or {}).get("conditions") or []
    ready = [condition["status"] for condition in conditions if condition["type"] == "Ready"]
    return f"Ready {''.join(ready) or 'unknown'}"


_SUMMARIES: Final[dict[str, Callable[[Object], str]]] = {
    "ConfigMap": _keys,
    "Deployment": _replicas,
    "Endpoints": _endpoints,
    "EndpointSlice": _endpoints,
    "Namespace": _phase,
    "Node": _node,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Secret": _keys,
    "Service": _service,
    "StatefulSet": _replicas,
}
