"""Objects as a 1.20 server returned them, cut down to what is judged."""

from __future__ import annotations

from typing import Any

from nova_acceptance.kube import Object

NAMESPACE = "nova-services"


def metadata(name: str, owner: Object | None = None, **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": "2026-11-23T14:21:40Z",
        **more,
    }
    if owner:
        data["ownerReferences"] = [
            {"kind": owner["kind"], "name": owner["metadata"]["name"], "controller": True}
            | {"uid": owner["metadata"]["uid"]}
        ]
    return data


def deployment(**status: Any) -> Object:
    """Return a Deployment `user-service` of one replica, rolled out unless `status` differs."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(
            "user-service", annotations={"deployment.kubernetes.io/revision": "1"}
        ),
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "user-service"}}},
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 1,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            ],
            **status,
        },
    }


def replica_set(owner: Object, revision: str = "1", **status: Any) -> Object:
    name = f"user-service-{revision * 5}"
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(
            name, owner, annotations={"deployment.kubernetes.io/revision": revision}
        ),
        "spec": {"replicas": 1},
        "status": {"replicas": 1, **status},
    }


def stateful_set(**status: Any) -> Object:
    """Return a StatefulSet `etcd` of three replicas, rolled out unless `status` differs."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata("etcd"),
        "spec": {
            "replicas": 3,
            "serviceName": "etcd",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": 3,
            "readyReplicas": 3,
            "currentReplicas": 3,
            "updatedReplicas": 3,
            "currentRevision": "etcd-5c9",
            "updateRevision": "etcd-5c9",
            **status,
        },
    }


def pod(
    name: str,
    owner: Object | None = None,
    *,
    phase: str = "Running",
    ready: bool = True,
    container: dict[str, Any] | None = None,
    conditions: tuple[dict[str, Any], ...] = (),
    claim: str = "",
) -> Object:
    """Return a pod of one container, running and ready unless told otherwise."""
    word = "True" if ready else "False"
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    status = {
        "name": "main",
        "image": "docker.io/nova/service:1",
        "ready": ready,
        "restartCount": 0,
        "lastState": {},
        "state": {"running": {"startedAt": "2026-11-23T14:21:43Z"}},
        **(container or {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(name, owner),
        "spec": {"nodeName": "nova-worker", "containers": [{"name": "main"}], "volumes": volumes},
        "status": {
            "phase": phase,
            "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Ready", "status": word},
                *conditions,
            ],
            "containerStatuses": [status],
        },
    }


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    """Return a container's status in a waiting state."""
    return {"state": {"waiting": {"reason": reason, "message": message}}, "ready": False, **more}


def stuck_pod(owner: Object | None, reason: str, message: str = "", **more: Any) -> Object:
    """Return a pod whose container waits for that reason."""
    return pod(
        "user-service-x",
        owner,
        phase="Pending",
        ready=False,
        container=waiting(reason, message, **more),
    )


def unschedulable_pod(owner: Object | None, message: str) -> Object:
    stuck = pod("user-service-x", owner, phase="Pending", ready=False)
    stuck["spec"]["nodeName"] = ""
    stuck["status"] = {
        "phase": "Pending",
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": message,
            }
        ],
    }
    return stuck


def claim(name: str, phase: str = "Pending") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(name),
        "spec": {"storageClassName": "standard"},
        "status": {"phase": phase},
    }


_numbers = iter(range(1, 10**6))


def event(
    about: Object, reason: str, message: str, *, kind: str = "Warning", second: int = 0
) -> Object:
    name = f"{about['metadata']['name']}.{next(_numbers)}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata(name),
        "involvedObject": {"kind": about["kind"], "uid": about["metadata"]["uid"]},
        "type": kind,
        "reason": reason,
        "message": message,
        "lastTimestamp": f"2026-11-23T14:22:{second:02d}Z",
    }


def service(name: str = "user-service", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name),
        "spec": {"type": "ClusterIP", "selector": {"app": name}, **spec},
    }


def endpoints(name: str = "user-service", *addresses: str, unready: tuple[str, ...] = ()) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata(name),
        "subsets": [
            {
                "addresses": [{"ip": ip} for ip in addresses],
                "notReadyAddresses": [{"ip": ip} for ip in unready],
            }
        ],
    }


def namespace(name: str = NAMESPACE, managed_by: str = "nova-acceptance") -> Object:
    labels = {"app.kubernetes.io/managed-by": managed_by} if managed_by else {}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels},
        "status": {"phase": "Active"},
    }
