"""Taking a deployment off the cluster again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.deploy.absence import await_gone
from nova_acceptance.deploy.definitions import DEFINITION, defined, group_kind
from nova_acceptance.deploy.ownership import apart, is_ours, live_objects
from nova_acceptance.deploy.phases import ADMISSION, WORKLOADS
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.progress import Progress
from nova_acceptance.vantage.until import until

T = TypeVar("T")

_AT_ONCE: Final = 8
_EVERY: Final = 0.25
_ASKING_WORKLOADS: Final = frozenset({*ADMISSION, "APIService"})
"""By which the API asks workloads; it would ask in vain once those have gone."""


def remove(kube: Kube, objects: Sequence[Object], progress: Progress) -> None:
    """Delete what was deployed and wait until it is gone.

    The manifests' own namespaces take what is in them along. What is elsewhere is deleted one by
    one, with the claims that its StatefulSets have made; a namespace that the manifests only name
    stays. Only what is ours is touched (see `ownership`).

    Args:
        kube: the API.
        objects: what was deployed, as rendered, each with its namespace.
        progress: where to show how far it is.

    Raises:
        ApplyError: an object is not ours, or was not gone in time.
        ClusterError: the API refused or did not answer.
    """
    deadline = time.monotonic() + timeouts.REMOVE
    ours = _ours(kube, objects)
    uids = {
        obj["metadata"]["name"]: obj["metadata"].get("uid")
        for obj in ours
        if obj["kind"] == "Namespace"
    }
    namespaces = list(uids)
    definitions = [obj for obj in ours if obj["kind"] == DEFINITION]
    singly = [obj for obj in ours if obj["kind"] not in ("Namespace", DEFINITION)]
    inside = [obj for obj in objects if obj["metadata"].get("namespace") in namespaces]
    with progress.step("removing Nova") as step:
        # What clears up behind an instance of a kind still runs, and answers the API.
        kinds = defined(definitions)
        _delete_all(kube, (o for o in (*singly, *inside) if group_kind(o) in kinds), deadline)
        _delete_all(kube, (obj for obj in singly if obj["kind"] in _ASKING_WORKLOADS), deadline)
        step.update("workloads")
        claims = [claim for obj in singly for claim in _claims(kube, obj)]
        workloads = [obj for obj in inside if obj["kind"] in WORKLOADS]
        _side_by_side(lambda obj: _delete(kube, obj), workloads)
        # Pods first: the namespace controller looks again only after half their longest grace.
        _side_by_side(lambda name: _end_pods(kube, name, deadline), namespaces)
        _delete_all(kube, (obj for obj in singly if obj["kind"] in WORKLOADS), deadline)
        step.update("namespaces")
        _side_by_side(
            lambda name: kube.delete("v1", "Namespace", name, precondition_uid=uids[name]),
            namespaces,
        )
        _delete_all(kube, (*singly, *claims), deadline)
        if namespaces:
            await_gone(kube, "Namespace", namespaces, deadline=deadline)
        _delete_definitions(kube, definitions, deadline)
        step.update(", ".join(namespaces) or f"{len(ours)} objects")


def _ours(kube: Kube, objects: Sequence[Object]) -> list[Object]:
    """Return, as they are on the cluster, the objects that go by themselves."""
    there = live_objects(kube, apart(objects))
    foreign = [obj for obj, live in there if not is_ours(live)]
    if foreign:
        names = [describe(obj) for obj in foreign]
        more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
        raise ApplyError(
            f"{names[0]} exists and is not ours, so nothing is removed{more}",
            hint="choose the cluster that Nova was deployed on",
            evidence=names,
        )
    # In the version of the manifests, in which this server is known to serve it.
    return [{**live, "apiVersion": obj["apiVersion"], "kind": obj["kind"]} for obj, live in there]


def _claims(kube: Kube, obj: Object) -> Iterator[Object]:
    """Yield the claims that a StatefulSet's templates have made; not those that it found."""
    if obj["kind"] != "StatefulSet":
        return
    metadata = obj["metadata"]
    templates = [it["metadata"]["name"] for it in obj["spec"].get("volumeClaimTemplates") or ()]
    prefixes = [f"{template}-{metadata['name']}-" for template in templates]
    for claim in kube.list("v1", "PersistentVolumeClaim", namespace=metadata["namespace"]):
        name, made = claim["metadata"]["name"], claim["metadata"].get("creationTimestamp", "")
        is_of_it = any(
            name.startswith(prefix) and name.removeprefix(prefix).isdecimal() for prefix in prefixes
        )
        if is_of_it and made >= metadata.get("creationTimestamp", ""):
            yield claim


def _delete_definitions(kube: Kube, definitions: Sequence[Object], deadline: float) -> None:
    """Delete definitions of kinds, but for those of which somebody else has instances."""
    kept: list[str] = []
    gone: list[Object] = []
    for definition in definitions:
        (kind,) = defined([definition]).values()
        version = f"{kind.group}/{kind.versions[0]}" if kind.versions else ""
        left = kube.list(version, kind.kind) if kube.serves(version, kind.kind) else []
        if left:
            kept += [f"{describe(definition)}: there is {describe(obj)}" for obj in left]
        else:
            gone.append(definition)
    _delete_all(kube, gone, deadline)
    if kept:
        raise ApplyError(
            "a kind stays, since somebody else has objects of it",
            hint="delete them, and remove again",
            evidence=kept,
        )


def _delete_all(kube: Kube, objects: Iterable[Object], deadline: float) -> None:
    """Delete objects, and wait until they and what they own are gone."""
    wanted = [obj for obj in objects if kube.serves(obj["apiVersion"], obj["kind"])]
    _side_by_side(lambda obj: _delete(kube, obj, foreground=True), wanted)
    left = list(wanted)

    def are_gone() -> bool:
        left[:] = [obj for obj, live in live_objects(kube, left) if _is_same(obj, live)]
        return not left

    within = max(0.0, deadline - time.monotonic())
    if until(are_gone, within=within, every=_EVERY) > within:
        raise ApplyError(
            f"still there at the deadline: {', '.join(map(describe, left))}",
            hint=_told_by(left[0]),
        )


def _told_by(obj: Object) -> str:
    """Return by which command one sees what holds an object that does not go."""
    namespace = obj["metadata"].get("namespace")
    where = f"-n {namespace} " if namespace else ""
    command = f"kubectl {where}get {obj['kind'].lower()} {obj['metadata']['name']} -o yaml"
    return f"`{command}` shows under `metadata.finalizers` what holds it"


def _is_same(obj: Object, live: Object) -> bool:
    uid = obj["metadata"].get("uid")
    return uid is None or uid == live["metadata"].get("uid")


def _end_pods(kube: Kube, namespace: str, deadline: float) -> None:
    """Delete the pods without grace.

    Their data goes too, so nothing is gained by one, and a kubelet of 1.20 would keep each pod's
    object for up to a minute, until its containers are collected.
    """
    for replica_set in kube.list("apps/v1", "ReplicaSet", namespace=namespace):
        _delete(kube, replica_set)  # else it replaces the pods until the collector comes by

    def end(pod: Object) -> None:
        kube.delete("v1", "Pod", pod["metadata"]["name"], namespace, grace_period_seconds=0)

    await_gone(kube, "Pod", namespace=namespace, deadline=deadline, on_seen=end)


def _delete(kube: Kube, obj: Object, *, foreground: bool = False) -> None:
    metadata = obj["metadata"]
    kube.delete(
        obj["apiVersion"],
        obj["kind"],
        metadata["name"],
        metadata.get("namespace"),
        precondition_uid=metadata.get("uid"),
        foreground=foreground,
    )


def _side_by_side(work: Callable[[T], None], items: Iterable[T]) -> None:
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="remove") as pool:
        for done in [pool.submit(work, item) for item in items]:
            done.result()
