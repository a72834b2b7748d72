"""Objects of clusters that are not Nova's: workloads of any name, well unless a test says so."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from nova_acceptance.diagnosis.account import account
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

APP = "app"
LONG_AGO = "2020-01-01T00:00:00Z"
_numbers = count(1)


def made(
    kind: str,
    name: str,
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    *,
    namespace: str = APP,
    owner: Object | None = None,
    **metadata: Any,
) -> Object:
    """Return an object with what a server adds to its metadata."""
    obj: Object = {
        "kind": kind,
        "metadata": {"name": name, "uid": f"uid-{next(_numbers)}", "generation": 1, **metadata},
    }
    if namespace:
        obj["metadata"]["namespace"] = namespace
    if owner:
        its = owner["metadata"]
        obj["metadata"]["ownerReferences"] = [
            {"kind": owner["kind"], "name": its["name"], "uid": its["uid"]}
        ]
    return obj | {key: it for key, it in (("spec", spec), ("status", status)) if it is not None}


def template(app: str, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Return a template of one container of an image of its own."""
    only = {"name": "main", "image": f"example.org/{app}:1", **(container or {})}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [only], **spec}}


def readiness(is_ready: bool) -> dict[str, Any]:
    """Return a pod's or node's condition, which has not changed for long."""
    return {"type": "Ready", "status": str(is_ready), "lastTransitionTime": LONG_AGO}


def pod(name: str, of: dict[str, Any], owner: Object | None = None, **status: Any) -> Object:
    """Return a pod of a template, running and ready unless `status` differs."""
    number = next(_numbers)
    ip = f"10.1.{number // 250}.{number % 250 + 1}"
    running = {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {}}}
    return made(
        "Pod",
        name,
        {"nodeName": "node", **of["spec"]},
        {
            "phase": "Running",
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "conditions": [readiness(True)],
            "containerStatuses": [running],
        }
        | status,
        owner=owner,
        labels=of["metadata"]["labels"],
    )


def deployment(
    name: str, container: dict[str, Any] | None = None, *, ready: bool = True, **spec: Any
) -> list[Object]:
    """Return a Deployment of one replica, its ReplicaSet and its pod, in this order."""
    of = template(name, container, **spec)
    revision = {"deployment.kubernetes.io/revision": "1"}
    number = int(ready)
    conditions = [{"type": "Available", "status": str(ready)}]
    counted = {"readyReplicas": number, "availableReplicas": number, "conditions": conditions}
    workload = made(
        "Deployment",
        name,
        {"replicas": 1, "template": of},
        {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, **counted},
        annotations=revision,
    )
    owner = made("ReplicaSet", f"{name}-1", {"replicas": 1}, {}, owner=workload)
    owner["metadata"]["annotations"] = revision
    return [workload, owner, pod(f"{name}-1-x", of, owner)]


def crashing(name: str, container: dict[str, Any] | None = None) -> list[Object]:
    """Return a Deployment whose program ends with an error each time."""
    workload, owner, its = deployment(name, container, ready=False)
    its["status"]["conditions"] = [readiness(False)]
    its["status"]["containerStatuses"][0] |= {
        "ready": False,
        "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": LONG_AGO}},
    }
    return [workload, owner, its]


def stateful_set(name: str, ready: int | None = None, **spec: Any) -> Object:
    """Return a StatefulSet, ready unless told otherwise, without its pods."""
    its = {"replicas": 1, "serviceName": name, "template": template(name), **spec}
    wanted = its["replicas"] or 0
    there = wanted if ready is None else ready
    counted = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": there}
    return made("StatefulSet", name, its, {"observedGeneration": 1, **counted})


def job(status: dict[str, Any], container: dict[str, Any] | None = None, **spec: Any) -> Object:
    """Return a Job `backup`."""
    return made("Job", "backup", {"template": template("backup", container), **spec}, status)


def service(
    name: str, selector: dict[str, str] | None = None, *, port: int = 80, namespace: str = APP
) -> Object:
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.1",
        "selector": selector or {"app": name},
        "ports": [{"port": port, "protocol": "TCP"}],
    }
    return made("Service", name, spec, namespace=namespace)


def endpoints(name: str, *ips: str, namespace: str = APP, **metadata: Any) -> Object:
    obj = made("Endpoints", name, namespace=namespace, **metadata)
    return obj | {"subsets": [{"addresses": [{"ip": ip} for ip in ips]}]}


def slices(name: str, *ips: str) -> Object:
    """Return the EndpointSlice of a Service's addresses."""
    obj = made("EndpointSlice", f"{name}-1", labels={"kubernetes.io/service-name": name})
    return obj | {"endpoints": [{"addresses": [ip]} for ip in ips]}


def address(of: Object) -> str:
    """Return a pod's first address."""
    return str(of["status"]["podIP"])


def event(about: Object, reason: str, message: str, **involved: str) -> Object:
    obj = made("Event", f"{about['metadata']['name']}.{next(_numbers)}")
    uid = about["metadata"]["uid"]
    said = {"reason": reason, "message": message, "type": "Warning", "lastTimestamp": LONG_AGO}
    return obj | said | {"involvedObject": {"kind": about["kind"], "uid": uid, **involved}}


def dns(name: str = "kube-dns", label: str = "kube-dns", *, ready: bool = True) -> list[Object]:
    """Return kube-system with a DNS of that Service, whose pods carry that label."""
    labels = {"k8s-app": label}
    of = template("coredns", {"ports": [{"containerPort": 53, "protocol": "UDP"}]})
    of["metadata"]["labels"] = labels
    counted = {"desiredNumberScheduled": 1, "currentNumberScheduled": 1, "numberReady": int(ready)}
    counted |= {"updatedNumberScheduled": 1, "numberAvailable": int(ready), "observedGeneration": 1}
    place: dict[str, Any] = {"namespace": "kube-system"}
    workload = made("DaemonSet", "coredns", {"template": of}, counted, **place)
    its = pod("coredns-x", of, workload, conditions=[readiness(ready)])
    its["metadata"] |= place
    front = service(name, labels, port=53, **place)
    front["metadata"]["labels"] = labels
    front["spec"]["ports"] = [{"port": 53, "protocol": "UDP", "targetPort": 53}]
    there = endpoints(name, *([address(its)] * ready), **place)
    return [workload, its, front, there]


def cluster(*objects: Object, names: Iterable[Object] | None = None) -> Snapshot:
    """Return a snapshot of a cluster of one node with these objects and a DNS that is well."""
    node = made("Node", "node", {}, {"conditions": [readiness(True)]}, namespace="")
    node["status"]["allocatable"] = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    places = [
        made("Namespace", name, {}, {"phase": "Active"}, namespace="")
        for name in (APP, "kube-system")
    ]
    return Snapshot.of([node, *places, *(dns() if names is None else names), *objects])


def said_of(snapshot: Snapshot) -> list[str]:
    """Return all that is said to be wrong: causes, consequences, and what is not explained."""
    told = account(snapshot)
    found = [it for each in told.causes for it in (each.root, *each.symptoms)]
    return [*(it.cause for it in found), *(f"UNKNOWN {where}" for where in told.unexplained)]
