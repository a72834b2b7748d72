"""Waiting until what was deleted is gone."""

from __future__ import annotations

from collections.abc import Callable, Collection

from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import SYNCED, Kube, Object, describe


def await_gone(
    kube: Kube,
    kind: str,
    names: Collection[str] | None = None,
    *,
    namespace: str | None = None,
    deadline: float,
    on_seen: Callable[[Object], None] = lambda _obj: None,
) -> None:
    """Wait until the objects of a core kind are gone.

    Args:
        kube: the API.
        kind: `Namespace`, `Pod`, …
        names: which ones; None awaits all of them.
        namespace: where, for kinds in namespaces.
        deadline: when to give up, in seconds of `time.monotonic`.
        on_seen: called with each one that is still, or again, there.

    Raises:
        ApplyError: some were still there; with what their controller says holds them.
        ClusterError: the API did not answer.
    """
    left: dict[str, Object] = {}
    is_listed = False
    for change, obj in kube.watch(
        "v1", kind, namespace=namespace, deadline=deadline, announce=True
    ):
        if change == SYNCED:
            is_listed = True
        elif change == "DELETED":
            left.pop(obj["metadata"]["name"], None)
        elif names is None or obj["metadata"]["name"] in names:
            left[obj["metadata"]["name"]] = obj
            on_seen(obj)
        if is_listed and not left:
            return
    raise ApplyError(
        f"still there at the deadline: {', '.join(map(describe, left.values())) or kind}",
        hint=f"`kubectl get {kind.lower()} NAME -o yaml` shows which finalizers hold it",
        evidence=[
            f"{describe(obj)}: {condition['message']}"
            for obj in left.values()
            for condition in obj.get("status", {}).get("conditions") or ()
            if condition.get("status") == "True" and condition.get("message")
        ],
    )
