"""What stands behind a Service: workloads that it means, ports that they offer, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from nova_acceptance.components.kubernetes.workloads import containers, matches
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

_PORT_KEY: Final = re.compile(r"port|listen|bind|addr", re.IGNORECASE)
_OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
_IDENTITY: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address behind a Service.

    Attributes:
        ip: the address.
        is_ready: whether it takes traffic.
        pod: the name of the pod that it is said to be of; empty if of none.
    """

    ip: str
    is_ready: bool
    pod: str


def knows_endpoints(snapshot: Snapshot, namespace: str) -> bool:
    """Whether what stands behind the Services of a namespace was listed."""
    return snapshot.knows("Endpoints", namespace) or snapshot.knows("EndpointSlice", namespace)


def endpoints_of(snapshot: Snapshot, service: Object) -> list[Endpoint]:
    """Return the addresses behind a Service, by its Endpoints or its EndpointSlices.

    Endpoints hold 1000 addresses at most, and say so ("Over-capacity endpoints" of Kubernetes'
    documentation of Services); slices hold all of them.
    """
    metadata = service["metadata"]
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    found = snapshot.get("Endpoints", namespace, name)
    if found and not (_is_truncated(found) and snapshot.knows("EndpointSlice", namespace)):
        return list(_of_endpoints(found))
    slices = [
        each
        for each in snapshot.of_kind("EndpointSlice", namespace)
        if (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
    ]
    return [endpoint for each in slices for endpoint in _of_slice(each)]


def _is_truncated(found: Object) -> bool:
    return _OVER_CAPACITY in (found["metadata"].get("annotations") or {})


def _of_endpoints(obj: Object) -> Iterator[Endpoint]:
    for subset in obj.get("subsets") or ():
        for field, is_ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field) or ():
                pod = _pod(address.get("targetRef"))
                yield Endpoint(address["ip"], is_ready, pod)


def _of_slice(obj: Object) -> Iterator[Endpoint]:
    for entry in obj.get("endpoints") or ():
        # absent means ready (EndpointConditions in the API's reference)
        is_ready = (entry.get("conditions") or {}).get("ready") is not False
        for ip in entry.get("addresses") or ():
            yield Endpoint(ip, is_ready, _pod(entry.get("targetRef")))


def _pod(target: dict[str, Any] | None) -> str:
    return str(target.get("name", "")) if target and target.get("kind") == "Pod" else ""


def declared_ports(pod: Object) -> list[dict[str, Any]]:
    """Return the ports that a pod or template declares."""
    return [port for container in containers(pod) for port in container.get("ports") or ()]


def offers(pod: Object, port: dict[str, Any]) -> bool:
    """Whether a pod or template offers what a port of a Service leads to.

    By name where it is named; by number where ports are declared, or where a probe, a variable
    or an argument speaks of that number. Where nothing at all is declared, nobody can tell.
    """
    target = port.get("targetPort") or port["port"]
    protocol = port.get("protocol", "TCP")
    declared = declared_ports(pod)
    if isinstance(target, str) and not target.isdigit():
        return any(
            (it.get("name"), it.get("protocol", "TCP")) == (target, protocol) for it in declared
        )
    number = int(target)
    if any(
        (it["containerPort"], it.get("protocol", "TCP")) == (number, protocol) for it in declared
    ):
        return True
    return not declared or number in _mentioned(pod)


def _mentioned(pod: Object) -> set[int]:
    """Return numbers that a container's probes, variables and arguments name as ports."""
    found: set[int] = set()
    for container in containers(pod):
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            for way in ("httpGet", "tcpSocket", "grpc"):
                port = ((container.get(probe) or {}).get(way) or {}).get("port")
                found |= {port} if isinstance(port, int) else set()
        texts = [*(container.get("command") or ()), *(container.get("args") or ())]
        texts += [
            variable.get("value") or ""
            for variable in container.get("env") or ()
            if _PORT_KEY.search(variable["name"])
        ]
        for text in texts:
            found |= {int(number) for number in re.findall(r"(?<!\d)\d{2,5}(?!\d)", str(text))}
    return found


def same_program(one: Object, other: Object) -> bool:
    """Whether two templates are one program in two places: a canary, a primary and its replicas."""
    labels = [pod.get("metadata", {}).get("labels") or {} for pod in (one, other)]
    for key in _IDENTITY:
        names = [its.get(key) for its in labels]
        if all(names):
            if names[0] != names[1]:
                return False
            break
    repositories = [
        {_repository(it.get("image", "")) for it in containers(p)} for p in (one, other)
    ]
    ports = [{it["containerPort"] for it in declared_ports(pod)} for pod in (one, other)]
    ports_differ = bool(ports[0] and ports[1] and not ports[0] & ports[1])
    return bool(repositories[0] & repositories[1]) and not ports_differ


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"


def carriers(snapshot: Snapshot, service: Object) -> list[Object]:
    """Return the pods that carry the labels that a Service selects, those that go away aside."""
    selector = service["spec"].get("selector") or {}
    return [
        pod
        for pod in snapshot.of_kind("Pod", service["metadata"].get("namespace", ""))
        if matches(selector, pod["metadata"].get("labels"))
        and "deletionTimestamp" not in pod["metadata"]
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]


def nearly_selected(service: Object, pod: Object) -> bool:
    """Whether a template has some of the labels selected and none that says otherwise.

    What it lacks, some program may put on its pods while they run.
    """
    selector = service["spec"].get("selector") or {}
    labels = pod.get("metadata", {}).get("labels") or {}
    shared = [key for key in selector if key in labels]
    return bool(shared) and all(labels[key] == selector[key] for key in shared)


def replicas_wanted(workload: Object) -> int:
    """Return how many pods a workload wants."""
    if workload["kind"] == "DaemonSet":
        return int((workload.get("status") or {}).get("desiredNumberScheduled", 1))
    found = workload["spec"].get("replicas", 1)
    return 1 if found is None or workload["kind"] in ("Job", "Pod") else int(found)


def is_done(workload: Object) -> bool:
    """Whether a Job's pods have ended, so that they stand behind nothing."""
    return workload["kind"] == "Job" and not (workload.get("status") or {"active": 1}).get("active")
