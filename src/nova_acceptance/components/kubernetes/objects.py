"""What the Kubernetes API says about Nova, read once and looked up by name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from nova_acceptance.components.kubernetes.pod_specs import is_ready, restarts
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.system import Front, Workload
from nova_acceptance.vantage.witness import Witness, shorten

API: Final = "Kubernetes API"
VERSIONS: Final = {
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "Endpoints": "v1",
    "Namespace": "v1",
    "Node": "v1",
    "PersistentVolumeClaim": "v1",
    "Pod": "v1",
    "Secret": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
    "StorageClass": "storage.k8s.io/v1",
}
LISTS_AT_ONCE: Final = 16

Place = tuple[str, str | None]
"""A kind, and a namespace or the whole cluster."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address behind a Service.

    Attributes:
        address: an IP address.
        pod: the pod's name; empty where the address is no pod's.
        hostname: the name under which the pod has records of its own; empty if none.
        ports: number by name.
    """

    address: str
    pod: str
    hostname: str
    ports: tuple[tuple[str, int], ...]


class Objects:
    """The API's objects at one moment: each kind is listed once and kept.

    Make another one for another moment. Threads may share it.
    """

    def __init__(self, kube: Kube, witness: Witness) -> None:
        self._kube = kube
        self._witness = witness
        self._lock = threading.Lock()
        self._lists: dict[Place, list[Object]] = {}

    def read(self, places: Iterable[Place]) -> None:
        """List kinds side by side, for whatever is asked of them later."""
        with self._lock, ThreadPoolExecutor(LISTS_AT_ONCE) as pool:
            fresh = [place for place in dict.fromkeys(places) if place not in self._lists]
            self._lists.update(zip(fresh, pool.map(self._ask, fresh), strict=True))

    def all(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Return the objects of a kind, in one namespace or of the whole cluster."""
        started = time.monotonic()
        found = self._listed(kind, namespace)
        names = ", ".join(sorted(item["metadata"]["name"] for item in found)) or "none"
        self._tell(f"list {kind} {namespace or ''}".rstrip(), names, started)
        return found

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return one object, or None; either is evidence."""
        started = time.monotonic()
        items = self._listed(kind, namespace)
        found = next((item for item in items if item["metadata"]["name"] == name), None)
        where = f"{namespace}/{name}" if namespace else name
        self._tell(f"get {kind} {where}", summary(found) if found else "absent", started)
        return found

    def pods_of(self, workload: Workload) -> list[Object]:
        """Return a workload's pods by its own selector, in the order of their names."""
        started = time.monotonic()
        found = self.find(workload.kind, workload.name, workload.namespace)
        if found is None:
            return []
        wanted = found["spec"]["selector"].get("matchLabels", {}).items()
        pods = [
            pod
            for pod in self._listed("Pod", workload.namespace)
            if wanted <= pod["metadata"].get("labels", {}).items()
            and "deletionTimestamp" not in pod["metadata"]
        ]
        for pod in pods:
            self._tell(f"get Pod {ref(pod)}", summary(pod), started)
        return sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))

    def refs_of(self, workload: Workload) -> list[PodRef]:
        """Return where to ask a workload's pods."""
        return [ref(pod) for pod in self.pods_of(workload)]

    def endpoints(self, service: str, namespace: str) -> list[Endpoint]:
        """Return the ready addresses behind a Service, in their order."""
        found = self.find("Endpoints", service, namespace)
        return endpoints_in(found) if found else []

    def _listed(self, kind: str, namespace: str | None) -> list[Object]:
        place = kind, namespace
        with self._lock:
            if place not in self._lists:
                self._lists[place] = self._ask(place)
            return self._lists[place]

    def _ask(self, place: Place) -> list[Object]:
        kind, namespace = place
        return self._kube.list(VERSIONS[kind], kind, namespace=namespace)

    def _tell(self, asked: str, answer: str, started: float) -> None:
        seconds = time.monotonic() - started
        self._witness.add(Evidence(asked, "runner", API, shorten(answer), seconds))


def addresses_of(objects: Objects, front: Front) -> frozenset[str]:
    """Return what a Service's name stands for: its own address, or those behind a headless one."""
    found = objects.find("Service", front.name, front.namespace)
    if found is None or found["spec"].get("type") == "ExternalName":
        return frozenset()  # of an alias the cluster has no address
    own = found["spec"].get("clusterIP")
    if own and own != "None":
        return frozenset({own})
    return frozenset(e.address for e in objects.endpoints(front.name, front.namespace))


def of_front(front: Front) -> Ref:
    """Return the reference of a Service."""
    return Ref("Service", front.namespace, front.name)


def ref(pod: Object) -> PodRef:
    """Return a pod's namespace and name."""
    return PodRef(pod["metadata"]["namespace"], pod["metadata"]["name"])


def endpoints_in(endpoints: Object) -> list[Endpoint]:
    """Return the ready addresses of an Endpoints object, in the order of their addresses."""
    found = [
        Endpoint(
            address=address["ip"],
            pod=(address.get("targetRef") or {}).get("name", ""),
            hostname=address.get("hostname", ""),
            ports=tuple((port.get("name", ""), port["port"]) for port in subset.get("ports", [])),
        )
        for subset in endpoints.get("subsets") or []
        for address in subset.get("addresses") or []
    ]
    return sorted(found, key=lambda endpoint: endpoint.address)


def summary(found: Object) -> str:
    """Return in one line what a reader wants to know of an object; never a Secret's value."""
    summarise = SUMMARIES.get(found["kind"])
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
    return ", ".join(f"{e.address} ({e.pod})" for e in endpoints_in(found)) or "no address"


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


SUMMARIES: Final[dict[str, Callable[[Object], str]]] = {
    "ConfigMap": _keys,
    "Deployment": _replicas,
    "Endpoints": _endpoints,
    "Namespace": _phase,
    "Node": _node,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Secret": _keys,
    "Service": _service,
    "StatefulSet": _replicas,
}
