"""Whether what a pod holds would outlive it, by what the API says at this moment.

A claim that is deleted stays for as long as a pod uses it (the finalizer
`kubernetes.io/pvc-protection`), and is Bound all the while: it is the pod's end that lets it go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from nova_acceptance.components.kubernetes.nodes import is_cordoned
from nova_acceptance.components.kubernetes.placement import holds, selects
from nova_acceptance.components.kubernetes.status import condition, is_ready, status_of
from nova_acceptance.components.kubernetes.workloads import controllers, pods_of
from nova_acceptance.components.peril import Peril
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Workload

KINDS: Final = (
    *("Pod", "PersistentVolumeClaim", "PersistentVolume", "Node", "PodDisruptionBudget"),
    *("StatefulSet", "Deployment", "ReplicaSet"),
)
"""What it is judged by, besides the namespace itself."""
PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure")
_REVISION: Final = "controller-revision-hash"
_FLEETING: Final = ("emptyDir", "ephemeral")
"""Volumes that go when their pod goes."""


def perils(snapshot: Snapshot, workload: Workload, pod: Ref) -> Iterator[Peril]:
    """Yield why a pod of a workload should stay: those of all its pods, since one takes over.

    Args:
        snapshot: what was read a moment ago, every one of `KINDS` in it.
        workload: what nova.yaml says of it.
        pod: the one that would be deleted.
    """
    yield from of_namespace(snapshot, workload.namespace)
    yield from of_workload(snapshot, workload)
    found = snapshot.at(workload.ref)
    if found is None:
        return
    yield from _of_owner(snapshot, found, pod)
    for each in pods_of(snapshot, found):
        yield from _of_pod(each, found)
        yield from _of_claims(snapshot, each)
        yield from _of_node(snapshot, each)
    if (doomed := snapshot.at(pod)) is not None:
        yield from _of_budgets(snapshot, doomed)


def of_namespace(snapshot: Snapshot, name: str) -> Iterator[Peril]:
    """Yield that a namespace is being deleted."""
    found = snapshot.get("Namespace", "", name)
    if found is None:
        return
    phase = (found.get("status") or {}).get("phase")
    if phase == "Terminating" or "deletionTimestamp" in found["metadata"]:
        said = Phrase("{subject} is being deleted", subject=ref(found))
        cure = Phrase("save what is to be kept; nothing in it will come back")
        yield Peril(ref(found), said, cure)


def of_workload(snapshot: Snapshot, workload: Workload) -> Iterator[Peril]:
    """Yield that a workload is absent, going, short of a pod, or on its way to another state."""
    where = workload.ref
    found = snapshot.at(where)
    if found is None:
        said = Phrase("there is no {workload}", workload=where)
        yield Peril(where, said, Phrase("deploy it, or correct its name in nova.yaml"))
        return
    spec = found["spec"]
    if "deletionTimestamp" in found["metadata"]:
        said = Phrase("{subject} is being deleted", subject=where)
        yield Peril(where, said, Phrase("apply it again, once it is gone"))
        return
    kept = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    if kept.get("whenScaled") == "Delete":
        said = Phrase("{subject} has its claims deleted when it is scaled down", subject=where)
        field = "persistentVolumeClaimRetentionPolicy.whenScaled: Retain"
        yield Peril(where, said, Phrase("set `{field}`", field=field))
    wanted = spec.get("replicas", 1)
    if wanted < workload.replicas:
        said = Phrase(
            "{subject} is scaled to {count} replicas, where nova.yaml says {wanted}",
            subject=where,
            count=wanted,
            wanted=workload.replicas,
        )
        yield Peril(where, said, Phrase("scale it to what nova.yaml says"))
    status = status_of(found)
    if not status.is_current:
        said = Phrase("{subject} is not whole: {why}", subject=where, why=status.message)
        cure = Phrase("wait until `kubectl rollout status` says that it is done")
        yield Peril(where, said, cure)


def of_data(pod: Object, directory: str, ports: Iterable[int]) -> Iterator[Peril]:
    """Yield that the directory of a server's data goes with its pod.

    Args:
        pod: the pod.
        directory: the directory, as the server has it.
        ports: where the server listens; its container declares one of them.
    """
    where = ref(pod)
    cure = Phrase("mount a claim there; what is deliberately not kept, nova.yaml can say")
    volume = _volume_at(pod, directory, frozenset(ports))
    if volume is None:
        said = Phrase(
            "the data of {pod}, in {directory}, are in its container's own file system",
            pod=where,
            directory=directory,
        )
        yield Peril(where, said, cure)
    elif kind := next((each for each in _FLEETING if each in volume), ""):
        said = Phrase(
            "the data of {pod}, in {directory}, are on the volume {volume} ({kind}), which goes "
            "with the pod",
            pod=where,
            directory=directory,
            volume=volume["name"],
            kind=kind,
        )
        yield Peril(where, said, cure)


def _of_owner(snapshot: Snapshot, workload: Object, pod: Ref) -> Iterator[Peril]:
    """Yield that a pod is gone, or not of this workload, by the UIDs of its owners."""
    found = snapshot.at(pod)
    if found is None:
        said = Phrase("{subject} is gone", subject=pod)
        yield Peril(pod, said, Phrase("wait until its successor is ready"))
        return
    owners = {uid(each) for each in (workload, *controllers(snapshot, workload))}
    if not any(
        owner.get("controller") and owner["uid"] in owners
        for owner in found["metadata"].get("ownerReferences") or ()
    ):
        said = Phrase(
            "{subject} is not one of {workload}, which only selects its labels",
            subject=pod,
            workload=ref(workload),
        )
        yield Peril(pod, said, Phrase("give what is not of the component other labels"))


def _of_pod(pod: Object, workload: Object) -> Iterator[Peril]:
    where = ref(pod)
    if "deletionTimestamp" in pod["metadata"]:
        said = Phrase("{subject} is being deleted", subject=where)
        yield Peril(where, said, Phrase("wait until its successor is ready"))
        return
    latest = (workload.get("status") or {}).get("updateRevision")
    own = (pod["metadata"].get("labels") or {}).get(_REVISION)
    if workload["kind"] == "StatefulSet" and latest and own and own != latest:
        said = Phrase(
            "{subject} is of another revision than {workload} would make now",
            subject=where,
            workload=ref(workload),
        )
        yield Peril(where, said, Phrase("finish the rollout first"))
    if not is_ready(pod):
        said = Phrase("{subject} is not ready", subject=where)
        yield Peril(where, said, Phrase("`kubectl describe` it; it shows what keeps it"))


def _of_claims(snapshot: Snapshot, pod: Object) -> Iterator[Peril]:
    namespace = pod["metadata"].get("namespace", "")
    for volume in pod["spec"].get("volumes") or ():
        if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            yield from _of_claim(snapshot, Ref("PersistentVolumeClaim", namespace, name), ref(pod))


def _of_claim(snapshot: Snapshot, where: Ref, pod: Ref) -> Iterator[Peril]:
    claim = snapshot.at(where)
    if claim is None:
        said = Phrase("there is no {claim}, which {pod} uses", claim=where, pod=pod)
        yield Peril(where, said, Phrase("create the claim, or restore it from a backup"))
        return
    if "deletionTimestamp" in claim["metadata"]:
        said = Phrase(
            "{claim} is being deleted, and goes with its data as soon as {pod} does",
            claim=where,
            pod=pod,
        )
        cure = Phrase("save its data while the pod runs; a deletion cannot be taken back")
        yield Peril(where, said, cure)
    phase = (claim.get("status") or {}).get("phase")
    if phase != "Bound":
        said = Phrase("{claim} is {phase}, not Bound", claim=where, phase=phase or "?")
        yield Peril(where, said, Phrase("see what `kubectl describe` says of it"))
        return
    volume = Ref("PersistentVolume", "", claim["spec"].get("volumeName", ""))
    yield from _of_volume(snapshot, volume, where)


def _of_volume(snapshot: Snapshot, where: Ref, claim: Ref) -> Iterator[Peril]:
    volume = snapshot.at(where)
    if volume is None:
        said = Phrase("there is no {volume}, to which {claim} is bound", volume=where, claim=claim)
        yield Peril(where, said, Phrase("restore the volume or its data from a backup"))
        return
    if "deletionTimestamp" in volume["metadata"]:
        said = Phrase("{volume} of {claim} is being deleted", volume=where, claim=claim)
        cure = Phrase("save its data while the pod runs; a deletion cannot be taken back")
        yield Peril(where, said, cure)
    phase = (volume.get("status") or {}).get("phase", "")
    if phase in ("Released", "Failed"):
        said = Phrase("{volume} of {claim} is {phase}", volume=where, claim=claim, phase=phase)
        yield Peril(where, said, Phrase("see what `kubectl describe` says of it"))
    nodes = [node for node in snapshot.of_kind("Node") if holds(volume, node)]
    if not any(is_ready(node) and not is_cordoned(node) for node in nodes):
        said = Phrase(
            "{volume} of {claim} can only be used on {nodes}, where no pod starts now"
            if nodes
            else "{volume} of {claim} is on a node that is gone",
            volume=where,
            claim=claim,
            nodes=sorted(node["metadata"]["name"] for node in nodes),
        )
        cure = Phrase("bring the node back: `kubectl get nodes`, `kubectl uncordon`")
        yield Peril(where, said, cure)


def _of_node(snapshot: Snapshot, pod: Object) -> Iterator[Peril]:
    where = Ref("Node", "", pod["spec"].get("nodeName") or "")
    if not where.name:
        return  # it is not ready, which is said of it
    node = snapshot.at(where)
    cure = Phrase("bring the node back: `kubectl get nodes`, `kubectl uncordon`")
    if node is None or "deletionTimestamp" in node["metadata"]:
        said = Phrase("{node} of {pod} is gone, or going", node=where, pod=ref(pod))
        yield Peril(where, said, cure)
        return
    if is_cordoned(node):
        said = Phrase("{node} of {pod} is cordoned, or being drained", node=where, pod=ref(pod))
        yield Peril(where, said, cure)
    if not is_ready(node):
        said = Phrase("{node} of {pod} is not ready", node=where, pod=ref(pod))
        yield Peril(where, said, cure)
    for name in PRESSURES:
        if condition(node, name).get("status") == "True":
            said = Phrase(
                "{node} of {pod} has {condition}", node=where, pod=ref(pod), condition=name
            )
            yield Peril(where, said, Phrase("make room on the node first"))


def _of_budgets(snapshot: Snapshot, pod: Object) -> Iterator[Peril]:
    labels = pod["metadata"].get("labels") or {}
    for budget in snapshot.of_kind("PodDisruptionBudget", pod["metadata"].get("namespace", "")):
        status = budget.get("status") or {}
        selector = (budget.get("spec") or {}).get("selector")
        # In v1beta1 an empty selector selects no pod.
        is_empty = not selector and str(budget.get("apiVersion")).endswith("v1beta1")
        if is_empty or not selects(selector, labels):
            continue
        if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
            said = Phrase("{budget} was changed a moment ago", budget=ref(budget))
            yield Peril(ref(budget), said, Phrase("try again"))
        elif not status.get("disruptionsAllowed", 0):
            said = Phrase(
                "{budget} allows no disruption of {pod}: {healthy} of {wanted} pods are healthy",
                budget=ref(budget),
                pod=ref(pod),
                healthy=status.get("currentHealthy", 0),
                wanted=status.get("desiredHealthy", 0),
            )
            cure = Phrase("wait for more healthy pods, or let the budget allow one disruption")
            yield Peril(ref(budget), said, cure)


def _volume_at(pod: Object, directory: str, ports: frozenset[int]) -> dict[str, Any] | None:
    """Return the volume that a directory of a server's container is on."""
    path = PurePosixPath(directory)
    every = pod["spec"].get("containers") or []
    servers = [each for each in every if ports & _declared(each)] or every
    mounts = [
        mount
        for container in servers
        for mount in container.get("volumeMounts") or ()
        if path.is_relative_to(mount["mountPath"])
    ]
    if not mounts:
        return None
    nearest = max(mounts, key=lambda mount: len(PurePosixPath(mount["mountPath"]).parts))
    volumes = pod["spec"].get("volumes") or ()
    return next((dict(each) for each in volumes if each["name"] == nearest["name"]), None)


def _declared(container: dict[str, Any]) -> set[int]:
    return {port["containerPort"] for port in container.get("ports") or ()}
