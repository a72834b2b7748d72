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


def template(app: str) -> dict[str, Any]:
    """Return a template of one container."""
    container = {"name": "main", "image": "docker.io/nova/service:1"}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}


def asking(workload: Object, **spec: Any) -> Object:
    """Return the workload with more in its template's specification."""
    workload["spec"]["template"]["spec"].update(spec)
    return workload


def with_container(workload: Object, **more: Any) -> Object:
    """Return the workload with more in its template's only container."""
    workload["spec"]["template"]["spec"]["containers"][0].update(more)
    return workload


def deployment(**status: Any) -> Object:
    """Return a Deployment `user-service` of one replica, rolled out unless `status` differs."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(
            "user-service", annotations={"deployment.kubernetes.io/revision": "1"}
        ),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "user-service"}},
            "template": template("user-service"),
        },
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
            "template": template("etcd"),
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


def node(
    name: str = "nova-worker",
    *,
    ready: str = "True",
    allocatable: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    taints: tuple[str, ...] = (),
    cordoned: bool = False,
    conditions: tuple[dict[str, Any], ...] = (),
) -> Object:
    """Return a node, ready and empty unless told otherwise; a taint is `key=value:effect`."""
    spec: dict[str, Any] = {"unschedulable": True} if cordoned else {}
    if taints:
        spec["taints"] = [_taint(text) for text in taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "labels": {"kubernetes.io/hostname": name, **(labels or {})},
        },
        "spec": spec,
        "status": {
            "allocatable": allocatable or {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "conditions": [
                *conditions,
                {"type": "Ready", "status": ready, "reason": "KubeletReady", "message": ""},
            ],
        },
    }


def _taint(text: str) -> dict[str, str]:
    head, _, effect = text.rpartition(":")
    key, _, value = head.partition("=")
    return (
        {"key": key, "value": value, "effect": effect}
        if value
        else {
            "key": key,
            "effect": effect,
        }
    )


def storage_class(
    name: str = "standard", *, default: bool = True, mode: str = "WaitForFirstConsumer"
) -> Object:
    word = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "uid": f"uid-{name}", "annotations": word},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": mode,
    }


def secret(name: str, *keys: str) -> Object:
    """Return a Secret by the shapes of its values, as a snapshot holds it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(name),
        "type": "Opaque",
        "data": dict.fromkeys(keys, "‹0123456789ab›"),  # noqa: RUF001 - as `shapes` marks them
    }


def config_map(name: str, **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(name),
        "data": data,
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
    """Return the EndpointSlice of a Service."""
    return {
        "apiVersion": "discovery.k8s.io/v1beta1",
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "metadata": metadata(f"{name}-abcde", labels={"kubernetes.io/service-name": name}),
        "endpoints": [
            {"addresses": [ip], "conditions": {"ready": is_ready}}
            for ips, is_ready in ((addresses, True), (unready, False))
            for ip in ips
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
