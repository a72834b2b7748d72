"""Taking a deployment off the cluster again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from nova_acceptance import timeouts
from nova_acceptance.deploy.absence import await_gone
from nova_acceptance.deploy.phases import WORKLOADS, is_ours
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.progress import Progress

T = TypeVar("T")

_AT_ONCE = 8


def remove(kube: Kube, objects: Sequence[Object], progress: Progress) -> None:
    """Delete what was deployed and wait until it is gone.

    Namespaces take what is in them along; objects outside namespaces are deleted one by one.
    Only what carries our label `app.kubernetes.io/managed-by` is touched.

    Args:
        kube: the API.
        objects: what was deployed, as rendered.
        progress: where to show how far it is.

    Raises:
        ApplyError: an object is not ours, or was not gone in time.
        ClusterError: the API refused or did not answer.
    """
    deadline = time.monotonic() + timeouts.REMOVE
    ours = [
        obj for obj in objects if not obj["metadata"].get("namespace") and _is_removable(kube, obj)
    ]
    namespaces = [obj["metadata"]["name"] for obj in ours if obj["kind"] == "Namespace"]
    workloads = [
        obj
        for obj in objects
        if obj["kind"] in WORKLOADS and obj["metadata"].get("namespace") in namespaces
    ]
    with progress.step("removing Nova") as step:
        step.update("workloads")
        _side_by_side(lambda obj: _delete(kube, obj), workloads)
        # Pods first: the namespace controller looks again only after half their longest grace.
        _side_by_side(lambda name: _end_pods(kube, name, deadline), namespaces)
        step.update("namespaces")
        _side_by_side(lambda obj: _delete(kube, obj), ours)
        if namespaces:
            await_gone(kube, "Namespace", namespaces, deadline=deadline)
        step.update(", ".join(namespaces) or "nothing was there")


def _is_removable(kube: Kube, obj: Object) -> bool:
    live = kube.get(obj["apiVersion"], obj["kind"], obj["metadata"]["name"])
    if live is None:
        return False
    if not is_ours(live, obj):
        raise ApplyError(
            f"{describe(obj)} exists and is not ours, so nothing is removed",
            hint="choose the cluster that Nova was deployed on",
        )
    return True


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


def _delete(kube: Kube, obj: Object) -> None:
    metadata = obj["metadata"]
    kube.delete(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace"))


def _side_by_side(work: Callable[[T], None], items: Iterable[T]) -> None:
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="remove") as pool:
        for done in [pool.submit(work, item) for item in items]:
            done.result()
