"""Workloads, their pods and what their templates refer to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.places import own_container

KINDS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job")
"""Kinds that make pods from a template, and that no other of them owns."""


def workloads(snapshot: Snapshot, namespace: str | None = None) -> Iterator[Object]:
    """Yield every workload, but for Jobs that want nothing any more."""
    for kind in KINDS:
        for workload in snapshot.of_kind(kind, namespace):
            if not (kind == "Job" and is_past(snapshot, workload)):
                yield workload


def is_past(snapshot: Snapshot, job: Object) -> bool:
    """Whether a Job has done its work, or a later run of the same CronJob has."""
    return is_complete(job) or any(
        is_complete(other) and _created(other) > _created(job)
        for owner in job["metadata"].get("ownerReferences") or ()
        if owner["kind"] == "CronJob"
        for other in snapshot.indexed("Job", _owners, owner["uid"])
    )


def is_complete(job: Object) -> bool:
    """Whether a Job has done its work."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(
        (each.get("type"), each.get("status")) == ("Complete", "True") for each in conditions
    )


def template(workload: Object) -> Object:
    """Return a workload's pod template, or a Pod itself: metadata and spec."""
    return workload if workload["kind"] == "Pod" else workload["spec"]["template"]


def containers(pod: Object) -> list[dict[str, Any]]:
    """Return every container of a pod or template, those that only initialise it first."""
    spec = pod["spec"]
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def main_container(pod: Object) -> dict[str, Any]:
    """Return the container that a pod or template is for, rather than what stands beside it.

    Where neither an annotation nor its name tells which, it is the first, as for kubectl.
    """
    every: list[dict[str, Any]] = pod["spec"].get("containers") or []
    named = own_container({"metadata": pod.get("metadata") or {}, "spec": {"containers": every}})
    return next((each for each in every if each.get("name") == named), every[0] if every else {})


def statuses(pod: Object) -> list[dict[str, Any]]:
    """Return the status of every container of a pod, those that only initialise it first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def is_leaving(pod: Object, now: datetime) -> bool:
    """Whether a pod is being deleted and has had no time to be gone; one that had is stuck.

    Args:
        pod: the pod; its `deletionTimestamp` is when its grace ends.
        now: this moment.
    """
    ends = pod["metadata"].get("deletionTimestamp")
    if ends is None:
        return False
    return now - datetime.fromisoformat(ends) < timedelta(seconds=timeouts.POD_LEAVES)


def restarts(pod: Object) -> int:
    """Return how often containers of a pod have restarted by themselves.

    A container that ended with its node (the runtime then knows no more than `Unknown`, status
    255) did not restart by itself.
    """
    found = 0
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        last = (status.get("lastState") or {}).get("terminated") or {}
        with_node = last.get("reason") == "Unknown" and last.get("exitCode") == 255  # noqa: PLR2004
        found += status["restartCount"] - int(with_node and status["restartCount"] > 0)
    return found


def sidecars(pod: Object) -> frozenset[str]:
    """Return the init containers that keep running beside the others.

    Source: "Sidecar Containers" of Kubernetes' documentation.
    """
    return frozenset(
        each["name"]
        for each in pod["spec"].get("initContainers") or ()
        if each.get("restartPolicy") == "Always"
    )


def controllers(snapshot: Snapshot, workload: Object) -> list[Object]:
    """Return who makes the pods: for a Deployment the ReplicaSet of its current revision."""
    if workload["kind"] != "Deployment":
        return [workload]
    wanted = _revision(workload)
    return [rs for rs in snapshot.owned_by(workload, "ReplicaSet") if _revision(rs) == wanted]


def pods_of(snapshot: Snapshot, workload: Object) -> list[Object]:
    """Return the pods of the workload's current version."""
    if workload["kind"] == "Pod":
        return [workload]
    return [
        pod
        for controller in controllers(snapshot, workload)
        for pod in snapshot.owned_by(controller, "Pod")
    ]


def workload_of(snapshot: Snapshot, pod: Object) -> Object | None:
    """Return the workload that a pod belongs to, or None for one that nobody made."""
    owners = pod["metadata"].get("ownerReferences") or ()
    for owner in owners:
        found = snapshot.get(owner["kind"], pod["metadata"].get("namespace", ""), owner["name"])
        if found is None or uid(found) != owner["uid"]:
            continue
        return workload_of(snapshot, found) if found["kind"] == "ReplicaSet" else found
    return None if owners or pod["kind"] != "Pod" else pod


def matches(selector: dict[str, str], labels: dict[str, str] | None) -> bool:
    """Whether an equality selector, which must not be empty, selects these labels."""
    return bool(selector) and selector.items() <= (labels or {}).items()


def selected(snapshot: Snapshot, service: Object) -> list[Object]:
    """Return the workloads whose pods a Service selects by what their templates say.

    A label that a template lacks and some program puts on a pod while it runs (the role of a
    database's member) does not keep a workload from being meant, if one of its pods carries it.
    """
    wanted = (service.get("spec") or {}).get("selector") or {}
    namespace = service["metadata"].get("namespace", "")
    index = snapshot.once((_by_label, namespace), lambda: _by_label(snapshot, namespace))
    # the rarest label leaves the fewest to look at
    candidates = min((index.get(item, {}) for item in wanted.items()), key=len, default={})
    return [
        workload
        for workload, labels in candidates.values()
        if any(matches(wanted, each) for each in labels)
    ]


_Labelled = dict[Ref, tuple[Object, list[dict[str, str]]]]


def _by_label(snapshot: Snapshot, namespace: str) -> dict[tuple[str, str], _Labelled]:
    """Return the workloads of a namespace by each label of their templates and their live pods."""
    index: dict[tuple[str, str], _Labelled] = {}
    for workload in workloads(snapshot, namespace):
        where = Ref(workload["kind"], namespace, workload["metadata"]["name"])
        labels = [
            (each.get("metadata") or {}).get("labels") or {}
            for each in (template(workload), *pods_of(snapshot, workload))
        ]
        for item in {item for each in labels for item in each.items()}:
            index.setdefault(item, {})[where] = workload, labels
    return index


@dataclass(frozen=True, slots=True)
class Reference:
    """What a pod's specification refers to.

    Attributes:
        target: the object.
        key: the key in it that must be there; empty where the whole object is meant.
        user: which part of the pod refers to it, such as `container main, variable DATABASE_URL`.
        is_optional: whether the pod starts without it.
    """

    target: Ref
    key: str
    user: Phrase
    is_optional: bool = False


def references(owner: Object) -> Iterator[Reference]:
    """Yield the Secrets, ConfigMaps and claims that a workload, or a pod itself, refers to."""
    pod, namespace = template(owner), owner["metadata"].get("namespace", "")
    for container in containers(pod):
        name = container["name"]
        who = Phrase("container {container}", container=name)
        for variable in container.get("env") or ():
            source = variable.get("valueFrom") or {}
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if field in source:
                    of_variable = Phrase(
                        "container {container}, variable {variable}",
                        container=name,
                        variable=variable["name"],
                    )
                    yield _reference(source[field], kind, namespace, of_variable)
        for entry in container.get("envFrom") or ():
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if field in entry:
                    yield _reference(entry[field], kind, namespace, who)
    for volume in pod["spec"].get("volumes") or ():
        yield from _of_volume(volume, namespace)


def _of_volume(volume: dict[str, Any], namespace: str) -> Iterator[Reference]:
    who = Phrase("volume {volume}", volume=volume["name"])
    if claim := volume.get("persistentVolumeClaim"):
        yield Reference(Ref("PersistentVolumeClaim", namespace, claim["claimName"]), "", who)
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    for source in sources:
        for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
            if field not in source:
                continue
            entry = source[field]
            name = entry.get("secretName") or entry.get("name") or ""
            optional = bool(entry.get("optional"))
            items = [item["key"] for item in entry.get("items") or ()] or [""]
            for key in items:
                yield Reference(Ref(kind, namespace, name), key, who, optional)


def _reference(entry: dict[str, Any], kind: str, namespace: str, user: Phrase) -> Reference:
    target = Ref(kind, namespace, entry.get("name", ""))
    return Reference(target, entry.get("key", ""), user, bool(entry.get("optional")))


def _created(obj: Object) -> str:
    return str(obj["metadata"].get("creationTimestamp", ""))


def _owners(obj: Object) -> list[str]:
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()]


def _revision(obj: Object) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get("deployment.kubernetes.io/revision", ""))
