"""Parts of a Nova as the API tells of them, as short as a test wants to write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nova_acceptance.components.registry import load
from nova_acceptance.kube import Object
from nova_acceptance.system import System

DATABASE = "nova-database"
SERVICES = "nova-services"


def nova() -> System:
    """Return what this repository's nova.yaml says."""
    return load(Path(__file__).parents[3] / "nova.yaml")


def workload(name: str, namespace: str, kind: str = "Deployment", **annotations: str) -> Object:
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"selector": {"matchLabels": {"app": name}}},
        "status": {"readyReplicas": 1},
    }


def pod(name: str, namespace: str, app: str, *, ready: bool = True, **status: Any) -> Object:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "spec": {"nodeName": "nova-worker", "containers": [{"name": app, "image": "nova:1"}]},
        "status": {
            "phase": "Running",
            "podIP": "10.244.1.7",
            "conditions": conditions,
            "containerStatuses": [{"name": app, "restartCount": 2}],
            **status,
        },
    }


def leaving(there: Object) -> Object:
    """Return a pod that is on its way out."""
    metadata = {**there["metadata"], "deletionTimestamp": "2030-01-01T00:00:00Z"}
    return {**there, "metadata": metadata}


def service(name: str, namespace: str, **spec: Any) -> Object:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.9", **spec},
    }


def endpoints(name: str, namespace: str, *pods: str) -> Object:
    addresses = [
        {"ip": f"10.244.1.{number}", "targetRef": {"kind": "Pod", "name": pod}}
        for number, pod in enumerate(pods, start=1)
    ]
    return {
        "kind": "Endpoints",
        "metadata": {"name": name, "namespace": namespace},
        "subsets": [{"addresses": addresses, "ports": [{"name": "http", "port": 8080}]}],
    }
