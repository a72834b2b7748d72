"""What is behind a Service: the workloads that it is for, their ports and their addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from nova_acceptance.components.kubernetes.placement import selects
from nova_acceptance.components.kubernetes.workloads import (
    containers,
    main_container,
    matches,
    selected,
)
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Workload

_PORT_KEY: Final = re.compile(r"port|listen|bind|addr", re.IGNORECASE)
_LISTS: Final = ("EndpointSlice", "Endpoints")
_SERVICE_NAME: Final = "kubernetes.io/service-name"
"""The label of an EndpointSlice that says whose it is."""
_MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
_OF_KUBERNETES: Final = "controller.k8s.io"
_OF_NAMES: Final = "FQDN"
_KEEPERS: Final = frozenset({"ReplicaSet", "StatefulSet"})
"""Who keeps the pods of the workloads that nova.yaml can name."""
_IDENTITY: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address behind a Service.

    Attributes:
        address: an IP address.
        is_ready: whether it takes traffic.
        pod: the name of the pod that it is said to be of; empty if of none.
        hostname: the name under which the pod has records of its own; empty if none.
        ports: number by name.
    """

    address: str
    is_ready: bool = True
    pod: str = ""
    hostname: str = ""
    ports: tuple[tuple[str, int], ...] = ()


def knows_endpoints(snapshot: Snapshot, namespace: str) -> bool:
    """Whether what stands behind the Services of a namespace was listed."""
    return any(snapshot.knows(kind, namespace) for kind in _LISTS)


def endpoints_of(snapshot: Snapshot, service: Ref) -> list[Endpoint]:
    """Return the addresses behind a Service, each once, in their order.

    They are those of its EndpointSlices; those of its Endpoints, which hold 1000 addresses at most,
    where there is no slice of it. Several slices may hold the same address (both: "Service" of
    Kubernetes' documentation).
    """
    _, namespace, name = service
    slices = snapshot.indexed("EndpointSlice", _services, f"{namespace}/{name}")
    if not slices and snapshot.knows("Endpoints", namespace):
        found = snapshot.get("Endpoints", namespace, name)
        return addresses_in(found) if found else []
    if not slices:
        list(snapshot.of_kind("EndpointSlice", namespace))  # a view says why it knows of none
    return _merged(endpoint for each in slices for endpoint in _of_slice(each))


def lists_of(snapshot: Snapshot, service: Ref) -> list[Object]:
    """Return the objects that say what is behind a Service: its slices, else its Endpoints."""
    _, namespace, name = service
    slices = snapshot.indexed("EndpointSlice", _services, f"{namespace}/{name}")
    if slices:
        return slices
    found = snapshot.get("Endpoints", namespace, name)
    return [found] if found else []


def is_of_controller(obj: Object) -> bool:
    """Whether a list of addresses is written by the cluster, and not by somebody's hand."""
    if obj["kind"] == "Endpoints":
        return True  # of a Service that selects pods
    labels = obj["metadata"].get("labels") or {}
    manager = labels.get(_MANAGED_BY) or ""
    return bool(manager.endswith(_OF_KUBERNETES) or obj["metadata"].get("ownerReferences"))


def ready_behind(snapshot: Snapshot, service: Ref) -> list[Endpoint]:
    """Return the addresses behind a Service that take traffic, in their order."""
    return [each for each in endpoints_of(snapshot, service) if each.is_ready]


def addresses_in(obj: Object) -> list[Endpoint]:
    """Return the addresses in an EndpointSlice or an Endpoints object."""
    return _merged(_of_slice(obj) if obj["kind"] == "EndpointSlice" else _of_endpoints(obj))


def is_of(obj: Object, service: str) -> bool:
    """Whether an EndpointSlice or an Endpoints object is that of a Service of its namespace."""
    metadata = obj["metadata"]
    if obj["kind"] == "Endpoints":
        return bool(metadata["name"] == service)
    return (metadata.get("labels") or {}).get(_SERVICE_NAME) == service


def _services(endpoint_slice: Object) -> Iterator[str]:
    metadata = endpoint_slice["metadata"]
    if name := (metadata.get("labels") or {}).get(_SERVICE_NAME):
        yield f"{metadata.get('namespace', '')}/{name}"


def _merged(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    merged: dict[str, Endpoint] = {}
    for each in endpoints:
        known = merged.get(each.address, each)
        merged[each.address] = replace(
            known,
            is_ready=known.is_ready or each.is_ready,
            ports=tuple(dict.fromkeys((*known.ports, *each.ports))),
        )
    return [merged[address] for address in sorted(merged)]


def _of_endpoints(obj: Object) -> Iterator[Endpoint]:
    for subset in obj.get("subsets") or ():
        for field, is_ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field) or ():
                yield _endpoint(address["ip"], is_ready, address, subset)


def _of_slice(obj: Object) -> Iterator[Endpoint]:
    if obj.get("addressType") == _OF_NAMES:
        return
    for entry in obj.get("endpoints") or ():
        # absent means ready (EndpointConditions in the API's reference)
        is_ready = (entry.get("conditions") or {}).get("ready") is not False
        for address in entry.get("addresses") or ():
            yield _endpoint(address, is_ready, entry, obj)


def _endpoint(
    address: str, is_ready: bool, entry: Mapping[str, Any], ports: Mapping[str, Any]
) -> Endpoint:
    return Endpoint(
        address,
        is_ready,
        _pod(entry.get("targetRef")),
        entry.get("hostname") or "",
        tuple(
            (port.get("name") or "", port["port"])
            for port in ports.get("ports") or ()
            if port.get("port")
        ),
    )


def _pod(target: dict[str, Any] | None) -> str:
    return str(target.get("name", "")) if target and target.get("kind") == "Pod" else ""


def pods_selected(snapshot: Snapshot, spec: Workload) -> list[Object]:
    """Return the pods that a workload of nova.yaml has now, by their names.

    Those that are on their way out are left out, and those that have ended: what was evicted stays
    listed until somebody deletes it, and another runs in its place.
    """
    return [
        pod
        for pod in pods_listed(snapshot, spec)
        if "deletionTimestamp" not in pod["metadata"] and not has_ended(pod)
    ]


def pods_listed(snapshot: Snapshot, spec: Workload) -> list[Object]:
    """Return every pod that is listed of a workload of nova.yaml, ended or not, by their names.

    Labels alone do not make a pod its own: that of a Job, of a migration for instance, may carry
    the same, and is its Job's.
    """
    found = snapshot.get(spec.kind, spec.namespace, spec.name)
    if found is None:
        return []
    selector = found["spec"].get("selector") or {}
    there = [
        ref(pod)
        for pod in snapshot.of_kind("Pod", spec.namespace)
        if selects(selector, pod["metadata"].get("labels") or {}) and not _is_of_another(pod)
    ]
    return [pod for where in sorted(there) if (pod := snapshot.at(where))]


def has_ended(pod: Object) -> bool:
    """Whether no container of a pod runs any more or ever will again."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def _is_of_another(pod: Object) -> bool:
    """Whether a pod is kept by what no Deployment or StatefulSet is kept by."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return bool(owners) and _KEEPERS.isdisjoint(owner["kind"] for owner in owners)


def declared_ports(pod: Object) -> list[dict[str, Any]]:
    """Return the ports that a pod or template declares."""
    return [port for container in containers(pod) for port in container.get("ports") or ()]


def offers(pod: Object, port: dict[str, Any]) -> bool:
    """Whether a pod or template offers what a port of a Service leads to.

    By name where it is named; by number where ports are declared, or where a probe, a variable
    or an argument speaks of that number. Where the container that the pod is for declares nothing,
    whatever a sidecar does, nobody can tell.
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
    return not main_container(pod).get("ports") or number in _mentioned(pod)


def _mentioned(pod: Object) -> set[int]:
    """Return numbers that a container's probes, variables and arguments name as ports."""
    found: set[int] = set()
    for container in containers(pod):
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            for handler in ("httpGet", "tcpSocket", "grpc"):
                port = ((container.get(probe) or {}).get(handler) or {}).get("port")
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
    # what stands beside both, such as a mesh's proxy, makes them no one program
    own = {_repository(main_container(pod).get("image", "")) for pod in (one, other)}
    repositories = [
        {_repository(it.get("image", "")) for it in containers(p)} for p in (one, other)
    ]
    ports = [{it["containerPort"] for it in _ports_of_its_own(pod)} for pod in (one, other)]
    ports_differ = bool(ports[0] and ports[1] and not ports[0] & ports[1])
    return bool(repositories[0] & repositories[1] & own) and not ports_differ


def _ports_of_its_own(pod: Object) -> list[dict[str, Any]]:
    """Return the ports of the container that a pod is for; all where that declares none."""
    return main_container(pod).get("ports") or declared_ports(pod)


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"


def selecting(snapshot: Snapshot) -> Iterator[tuple[Object, list[Object]]]:
    """Yield the Services that select pods, each with the workloads of these, ended Jobs aside."""
    for service in snapshot.of_kind("Service"):
        if service["spec"].get("selector") and service["spec"].get("type") != "ExternalName":
            yield service, [each for each in selected(snapshot, service) if not _is_done(each)]


def carriers(snapshot: Snapshot, service: Object) -> list[Object]:
    """Return the pods that carry the labels that a Service selects, those that go away aside."""
    selector = service["spec"].get("selector") or {}
    return [
        pod
        for pod in snapshot.of_kind("Pod", service["metadata"].get("namespace", ""))
        if matches(selector, pod["metadata"].get("labels"))
        and "deletionTimestamp" not in pod["metadata"]
        and not has_ended(pod)
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


def _is_done(workload: Object) -> bool:
    """Whether a Job's pods have ended, so that they stand behind nothing."""
    return workload["kind"] == "Job" and not (workload.get("status") or {"active": 1}).get("active")
