"""Nova's workloads of several members on a cluster, well unless a test says otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from nova_acceptance.components.registry import load
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log, Snapshot
from nova_acceptance.system import System
from testing.unit.diagnosis import recorded

ROOT = Path(__file__).parents[3]
DATABASE = "nova-database"
REDIS = "nova-redis"


@cache
def system() -> System:
    return load(ROOT / "nova.yaml")


def moved(obj: Object, namespace: str) -> Object:
    obj["metadata"]["namespace"] = namespace
    return obj


def stateful_set(name: str, namespace: str, replicas: int, *, ready: int | None = None) -> Object:
    there = replicas if ready is None else ready
    made = recorded.stateful_set(
        replicas=replicas, readyReplicas=there, currentReplicas=replicas, updatedReplicas=replicas
    )
    made["metadata"].update(name=name, namespace=namespace, uid=f"uid-{name}")
    made["spec"]["replicas"] = replicas
    return made


def member(owner: Object, number: int, *, ready: bool = True, **more: Any) -> Object:
    name = f"{owner['metadata']['name']}-{number}"
    return moved(recorded.pod(name, owner, ready=ready, **more), owner["metadata"]["namespace"])


def snapshot(
    *objects: Object, logs: dict[tuple[str, str, str], list[Log]] | None = None
) -> Snapshot:
    """Return a snapshot of these objects and of the namespaces, of Nova's own system."""
    there = [recorded.namespace(name) for name in system().namespaces]
    found = Snapshot.of([*there, recorded.node(), *objects], system=system())
    found.logs.update(logs or {})
    return found
