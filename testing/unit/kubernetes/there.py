"""A workload with its Services on a cluster, as nova.yaml says, and as the API tells of it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Front, KubeService, Workload

SHOP = "shop"
WEB = Workload(name="web", kind="Deployment", namespace=SHOP, component="web", replicas=2)
STORE = Workload(
    name="store",
    kind="StatefulSet",
    namespace=SHOP,
    component="store",
    replicas=1,
    claims={"data": "1Gi"},
)


def front(workload: Workload = WEB, **more: Any) -> Front:
    """Return the Service of a workload, by nova.yaml."""
    return Front(workload, KubeService(**{"name": workload.name, "ports": {"http": 80}, **more}))


def made(spec: Workload = WEB, **status: Any) -> Object:
    """Return a workload that is rolled out, unless its status says otherwise."""
    many = spec.replicas
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {
        "kind": spec.kind,
        "metadata": {"name": spec.name, "namespace": spec.namespace, "generation": 3},
        "spec": {
            "replicas": many,
            "selector": {"matchLabels": {"app": spec.name}},
            "template": {"metadata": {"labels": {"app": spec.name}}, "spec": container()},
        },
        "status": {
            "observedGeneration": 3,
            **dict.fromkeys(counts, many),
            "conditions": [{"type": "Available", "status": "True"}],
            **status,
        },
    }


def container() -> dict[str, Any]:
    """Return a pod's specification: one container, as safe as it should be."""
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "main",
                "ports": [{"name": "http", "containerPort": 8080}],
                "securityContext": {
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "resources": {
                    "requests": {"cpu": "1m", "memory": "8Mi"},
                    "limits": {"cpu": "1m", "memory": "8Mi"},
                },
            }
        ],
    }


def pod(name: str, spec: Workload = WEB, *, node: str = "one", **status: Any) -> Object:
    """Return a ready pod of a workload."""
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": spec.namespace,
            "uid": f"uid-{name}",
            "labels": {"app": spec.name},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"{spec.name}-1", "uid": "uid-1"}],
        },
        "spec": {"nodeName": node, **container()},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "main", "restartCount": 0}],
            **status,
        },
    }


def node(name: str, *conditions: tuple[str, str], ready: str = "True") -> Object:
    """Return a node that pods can be placed on."""
    every = (("Ready", ready), *conditions)
    return {
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {},
        "status": {"conditions": [{"type": kind, "status": status} for kind, status in every]},
    }


def service(name: str = "web", *ports: dict[str, Any], **spec: Any) -> Object:
    """Return a Service with an address of its own."""
    there = list(ports) or [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": SHOP},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ports": there, **spec},
    }


def endpoints(name: str, *pods: str) -> Object:
    """Return the EndpointSlice of a Service."""
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-x",
            "namespace": SHOP,
            "labels": {"kubernetes.io/service-name": name},
        },
        "endpoints": [
            {"addresses": [f"10.0.0.{number}"], "targetRef": {"kind": "Pod", "name": each}}
            for number, each in enumerate(pods)
        ],
    }


def seen(*objects: Object) -> Snapshot:
    """Return a snapshot of copies, which a test may have changed."""
    return Snapshot.of(map(copy.deepcopy, objects))


def causes(found: Iterable[Finding]) -> list[tuple[str, str]]:
    """Return each cause that was found, with the name of its subject."""
    return [(each.cause, each.subject.name) for each in found]
