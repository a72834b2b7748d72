"""A made-up Nova as a cluster would tell it: whole, or with a pod on no node and one not ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Row = dict[str, Any]

WORKLOADS: Final = (
    ("infrastructure", "redis", "StatefulSet", "nova-redis", "docker.io/nova/redis:7", 1),
    ("infrastructure", "etcd", "StatefulSet", "nova-database", "docker.io/nova/etcd:3.4", 3),
    ("infrastructure", "postgres", "StatefulSet", "nova-database", "docker.io/nova/postgres:15", 3),
    ("services", "user-service", "Deployment", "nova-services", "docker.io/nova/service:1", 1),
    ("services", "auth-service", "Deployment", "nova-services", "docker.io/nova/service:1", 1),
    ("services", "search-service", "Deployment", "nova-services", "docker.io/nova/service:1", 1),
)
SERVICES: Final[dict[str, tuple[str, tuple[int, ...], str]]] = {
    "redis-service": ("redis", (6379,), "10.96.0.11"),
    "etcd": ("etcd", (2379, 2380), "None"),
    "postgres-primary": ("postgres", (5432,), "10.96.0.12"),
    "user-service": ("user-service", (8080,), "10.96.0.21"),
    "auth-service": ("auth-service", (8084,), "10.96.0.22"),
    "search-service": ("search-service", (8086,), "10.96.0.23"),
}
"""By name: the workload behind it, its ports and its address."""
APPLICATIONS: Final = ("user-service", "auth-service", "search-service")
HOMELESS: Final = "postgres-2"
UNREADY: Final = "search-service-59b56ddc78-qf7c5"
UNDECLARED: Final = 9
"""A port that no Service declares."""

NODES: Final[list[Row]] = [
    {"name": name, "roles": roles, "version": "v1.20.2", "address": address, "ready": True}
    for name, roles, address in (
        ("nova-control-plane", ["control-plane"], "172.18.0.2"),
        ("nova-worker", [], "172.18.0.3"),
        ("nova-worker2", [], "172.18.0.4"),
    )
]
COUNTS: Final = {
    "namespaces": 3,
    "pods": 10,
    "services": 6,
    "claims": 7,
    "configmaps": 1,
    "secrets": 6,
    "deployments": 3,
    "statefulsets": 3,
}
NEEDS: Final = {
    "postgres": ["etcd"],
    "user-service": ["postgres", "redis"],
    "auth-service": ["postgres", "redis"],
    "search-service": ["postgres", "redis"],
}
LIMITS: Final[list[Row]] = [
    {
        "name": "memory",
        "components": ["search-service"],
        "reasons": {
            "en": "Its index is small here, so it asks for less memory.",
            "zh-Hant": "此處的索引很小，因此要求較少的記憶體。",  # noqa: RUF001
        },
    }
]
EXTERNAL: Final[list[Row]] = [
    {"name": "kafka", "address": "kafka.example.com:9092", "used_by": ["user-service"]},
    {"name": "clickhouse", "used_by": ["search-service"]},
]


def cluster() -> Row:
    """Return the facts of the cluster."""
    return {
        "name": "kind-nova",
        "provider": "kind",
        "reason": "it was asked for",
        "version": "v1.20.2",
        "nodes": NODES,
        "reuse_hint": "pytest --cluster kind --no-deploy",
        "remove_hint": "nova-cluster down",
    }


def deployment(*, whole: bool) -> Row:
    """Return the facts of a deployment that took 24 s."""
    return {
        "overlay": "multi-node",
        "seconds": 24.0,
        "counts": {"applied": 38},
        "timeline": list(_timeline(whole=whole)),
    }


def snapshot(*, whole: bool) -> Row:
    """Return the state of the system at the end of a run."""
    return {
        "rows": [*_workload_rows(whole=whole), *_service_rows(whole=whole)],
        "counts": COUNTS,
        "external": EXTERNAL,
        "nodes": NODES,
        "pods": list(pods(whole=whole)),
        "services": [
            {
                "namespace": _namespace(workload),
                "name": name,
                "type": "ClusterIP",
                "address": address,
                "ports": [
                    {"name": f"port-{port}", "number": port, "target": str(port)} for port in ports
                ],
                "pods": _ready(workload, whole=whole),
            }
            for name, (workload, ports, address) in SERVICES.items()
        ],
        "limits": LIMITS,
        "needs": NEEDS,
    }


def pods(*, whole: bool) -> Iterator[Row]:
    """Yield the pods of all workloads, spread over the nodes."""
    number = 0
    for _, workload, kind, namespace, _, replicas in WORKLOADS:
        for ordinal in range(replicas):
            name = f"{workload}-{ordinal if kind == 'StatefulSet' else '59b56ddc78-qf7c5'}"
            is_homeless = not whole and name == HOMELESS
            is_unready = not whole and name == UNREADY
            yield {
                "namespace": namespace,
                "name": name,
                "workload": workload,
                "node": "" if is_homeless else NODES[number % len(NODES)]["name"],
                "address": "" if is_homeless else f"10.244.0.{10 + number}",
                "phase": "Pending" if is_homeless else "Running",
                "ready": not (is_homeless or is_unready),
                "restarts": 3 if is_unready else 0,
            }
            number += 1


def cells(*, whole: bool) -> list[Row]:
    """Return who reached whom; what is not ready refuses, and its pod could not be asked."""
    return [
        {
            "source": source,
            "target": name,
            "port": port,
            "wanted": wanted,
            **_connection(source, name, workload, wanted, whole=whole),
        }
        for source in APPLICATIONS
        for name, (workload, ports, address) in SERVICES.items()
        for port, wanted in (
            *((port, "open") for port in ports),
            *([(UNDECLARED, "closed")] if address != "None" else []),
        )
    ]


def _connection(source: str, target: str, workload: str, wanted: str, *, whole: bool) -> Row:
    if not whole and source == "search-service" and target == "user-service":
        return {"state": "", "detail": "no container of it runs", "seconds": 0.0}
    if wanted == "closed":
        return {"state": "timeout", "detail": "", "seconds": 1.0}
    if not _ready(workload, whole=whole):
        return {"state": "refused", "detail": "Connection refused", "seconds": 0.002}
    return {"state": "open", "detail": "", "seconds": 0.003}


def _timeline(*, whole: bool) -> Iterator[Row]:
    for number, pod in enumerate(pods(whole=whole)):
        at = round(0.3 + number / 10, 3)
        is_placed = bool(pod["node"])
        yield {
            "pod": f"{pod['namespace']}/{pod['name']}",
            "workload": pod["workload"],
            "node": pod["node"],
            "created_at": "2030-01-01T08:00:01Z",
            "applied": 0.2,
            "created": at,
            "scheduled": at + 0.5 if is_placed else None,
            "pulled": at + 2.5 if is_placed else None,
            "started": at + 3.0 if is_placed else None,
            "ready": at + _READY_AFTER[pod["workload"]] if pod["ready"] else None,
        }


_READY_AFTER: Final = {
    "redis": 4.0,
    "etcd": 7.0,
    "postgres": 15.0,
    "user-service": 22.0,
    "auth-service": 20.0,
    "search-service": 19.0,
}
"""Seconds: services wait for PostgreSQL, which waits for etcd."""


def _workload_rows(*, whole: bool) -> Iterator[Row]:
    for layer, name, kind, namespace, image, replicas in WORKLOADS:
        mine = [pod for pod in pods(whole=whole) if pod["workload"] == name]
        yield {
            "layer": layer,
            "component": name,
            "kind": kind,
            "namespace": namespace,
            "wanted": replicas,
            "ready": sum(pod["ready"] for pod in mine),
            "restarts": sum(pod["restarts"] for pod in mine),
            "image": image,
            "node": ", ".join(pod["node"] for pod in mine if pod["node"]),
        }


def _service_rows(*, whole: bool) -> Iterator[Row]:
    for name, (workload, _, _) in SERVICES.items():
        wanted = next(replicas for *_, replicas in (w for w in WORKLOADS if w[1] == workload))
        yield {
            "layer": "networking",
            "component": name,
            "kind": "Service",
            "namespace": _namespace(workload),
            "wanted": wanted,
            "ready": len(_ready(workload, whole=whole)),
        }


def _ready(workload: str, *, whole: bool) -> list[str]:
    return [
        pod["name"] for pod in pods(whole=whole) if pod["workload"] == workload and pod["ready"]
    ]


def _namespace(workload: str) -> str:
    return next(row[3] for row in WORKLOADS if row[1] == workload)
