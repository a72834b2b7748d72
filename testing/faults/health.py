"""Whether Nova is whole again, so that the next fault meets nothing of the last one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.status import is_ready, status_of
from nova_acceptance.components.kubernetes.workloads import restarts
from nova_acceptance.errors import NovaError
from nova_acceptance.kube import Object
from nova_acceptance.system import Workload
from testing.faults.ground import NAME_LABEL, Ground, GroundError
from testing.faults.strays import Strays

HEALTHY_WITHIN: Final = 150.0
"""Seconds from the last undoing until Nova is whole: pods made anew, a member caught up."""
_PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure")
CLUSTER: Final = "kube-system"
PAUSE: Final = 0.5
"""Seconds between two looks."""


def await_health(ground: Ground, *, calm: float = 0.0, broken: bool = False) -> None:
    """Wait until everything of Nova is as it was; pods whose containers restarted are replaced.

    Args:
        ground: the cluster.
        calm: seconds for which it has to stay so.
        broken: whether a fault is still in. Then the nodes need not be well, and no member of
            PostgreSQL is made anew that finds no way back by itself.

    Raises:
        GroundError: it is not, in time, with what is still amiss.
    """
    deadline = time.monotonic() + HEALTHY_WITHIN
    well_since: float | None = None
    strays = Strays(ground)
    while True:
        try:
            amiss = list(ailments(ground, nodes=not broken))
            if amiss and not broken:
                strays.look()
        except NovaError as error:
            amiss = [str(error)]
        now = time.monotonic()
        well_since = None if amiss else (well_since or now)
        if well_since is not None and now - well_since >= calm:
            return
        if now > deadline:
            raise GroundError("Nova is not whole again", evidence=amiss[:8])
        time.sleep(PAUSE)


def ailments(ground: Ground, *, nodes: bool = True) -> Iterator[str]:
    """Yield what is not as it should be, a line each."""
    for node in ground.kube.list("v1", "Node") if nodes else ():
        yield from _of_node(node)
    for kind in ("Deployment", "DaemonSet"):
        for found in ground.kube.list("apps/v1", kind, namespace=CLUSTER):
            if not status_of(found).is_current:
                yield f"{kind} {found['metadata']['name']} is not ready"
    for namespace in (CLUSTER, *ground.system.namespaces):
        yield from _of_services(ground, namespace)
        pods = ground.kube.list("v1", "Pod", namespace=namespace)
        for pod in pods:
            yield from _of_pod(ground, pod)
        for workload in ground.system.every_workload:
            if workload.namespace == namespace:
                yield from _of_workload(ground, workload, pods)
    yield from _of_postgres(ground)


def _of_services(ground: Ground, namespace: str) -> Iterator[str]:
    for found in ground.kube.list("v1", "Endpoints", namespace=namespace):
        subsets = found.get("subsets") or ()
        if namespace != CLUSTER and not subsets:
            yield f"Service {found['metadata']['name']} leads nowhere"
        if any(subset.get("notReadyAddresses") for subset in subsets):
            yield f"Service {found['metadata']['name']} has pods that are not ready"


def _of_node(node: Object) -> Iterator[str]:
    name = node["metadata"]["name"]
    conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]}
    pressed = [kind for kind in _PRESSURES if conditions.get(kind) == "True"]
    if conditions.get("Ready") != "True" or pressed:
        yield f"node {name} is not ready: {', '.join(pressed)}"
    if node["spec"].get("unschedulable"):
        yield f"node {name} is cordoned"


def _of_pod(ground: Ground, pod: Object) -> Iterator[str]:
    metadata = pod["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}"
    if "deletionTimestamp" in metadata:
        if _is_replaceable(pod):  # it may take its whole grace, or was never well
            ground.delete("Pod", metadata["namespace"], metadata["name"], now=True)
        yield f"pod {name} is on its way out"
    elif metadata["namespace"] in ground.system.namespaces and _is_spent(pod):
        ground.delete("Pod", metadata["namespace"], metadata["name"], now=True)
        yield f"pod {name} is being replaced"
    elif not is_ready(pod):
        yield f"pod {name} is not ready"


def _is_replaceable(pod: Object) -> bool:
    """Whether a pod has no identity, so that nothing of it is wanted any more."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner["kind"] in ("ReplicaSet", "Job") for owner in owners)


def _is_spent(pod: Object) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase == "Failed" or (is_ready(pod) and restarts(pod) > 0)


def _of_workload(ground: Ground, workload: Workload, pods: list[Object]) -> Iterator[str]:
    found = ground.kube.get("apps/v1", workload.kind, workload.name, workload.namespace)
    status = (found or {}).get("status") or {}
    if found is None or status.get("observedGeneration") != found["metadata"]["generation"]:
        yield f"{workload.name} is not seen by its controller"
    counts = [status.get(f"{state}Replicas", 0) for state in ("updated", "ready")]
    own = [
        pod
        for pod in pods
        if (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == workload.name
    ]
    if [*counts, len(own)] != [workload.replicas] * 3:
        yield f"{workload.name} has {counts} replicas updated and ready, and {len(own)} pods"


def _of_postgres(ground: Ground) -> Iterator[str]:
    spec, workload = ground.postgres, ground.postgres.workload
    [leader] = ground.members("leader")
    count = "SELECT count(*) FILTER (WHERE state = 'streaming'), bool_or(sync_state = 'sync')"
    said = ground.psql(leader, "postgres", f"{count} FROM pg_stat_replication")
    if said != f"{workload.replicas - 1}|t":
        yield f"PostgreSQL's replicas: {said}"
    roles = {
        pod["metadata"]["name"]: pod["metadata"]["labels"].get(spec.role_label)
        for pod in ground.kube.list("v1", "Pod", namespace=workload.namespace)
        if pod["metadata"]["labels"].get(NAME_LABEL) == workload.name
    }
    wanted = {name: "primary" if name == leader.name else "replica" for name in roles}
    if roles != wanted:
        yield f"PostgreSQL's labels: {roles}"
