"""Waiting until what was deleted is gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from nova_acceptance.components.kubernetes.checks.namespaces import terminating
from nova_acceptance.components.kubernetes.endings import ending
from nova_acceptance.diagnosis import Explanation, Ranked
from nova_acceptance.errors import ApplyError
from nova_acceptance.findings import ref
from nova_acceptance.kube import SYNCED, Kube, Object, describe
from nova_acceptance.phrase import Phrase


class StillThereError(ApplyError):
    """Objects that are deleted did not go in time.

    Attributes:
        explanation: why; None where what is left says nothing of it.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        evidence: Sequence[str],
        explanation: Explanation | None = None,
    ) -> None:
        super().__init__(message, hint=hint, evidence=evidence)
        self.explanation = explanation


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
        StillThereError: some were still there; with what their controller says holds them.
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
    raise StillThereError(
        f"still there at the deadline: {', '.join(map(describe, left.values())) or kind}",
        hint=_hint(kind, [*left.values()]),
        evidence=[
            f"{describe(obj)}: {condition['message']}"
            for obj in left.values()
            for condition in obj.get("status", {}).get("conditions") or ()
            if condition.get("status") == "True" and condition.get("message")
        ],
        explanation=_explanation([*left.values()]) if kind == "Namespace" else None,
    )


def _explanation(left: Sequence[Object]) -> Explanation | None:
    """Return the cause that namespaces show which do not go; None where none was listed."""
    found = [Ranked(terminating(each)) for each in left]
    return Explanation(tuple(found), (found[0].root.subject,)) if found else None


def _hint(kind: str, left: Sequence[Object]) -> Phrase:
    """Return what ends the removal of the first that is left, by its name."""
    if left and kind == "Namespace":
        return ending(left[0])
    metadata = left[0]["metadata"] if left else {}
    if finalizers := metadata.get("finalizers"):
        return Phrase(
            "the finalizer {finalizers} holds {object}: see that what is to take it away runs",
            finalizers=finalizers,
            object=ref(left[0]),
        )
    if not left:
        return Phrase("the API did not list every {kind}: ask again", kind=kind)
    where = f"-n {metadata['namespace']} " if metadata.get("namespace") else ""
    if kind == "Pod":
        return Phrase(
            "no finalizer holds {object}: see whether its node is there "
            "(`kubectl {where}describe pod {name}`)",
            object=ref(left[0]),
            where=where,
            name=metadata["name"],
        )
    return Phrase(
        "no finalizer holds {object}: wait until that {kind} is gone "
        "(`kubectl {where}get {lower} {name} -o yaml`)",
        object=ref(left[0]),
        kind=kind,
        where=where,
        lower=kind.lower(),
        name=metadata["name"],
    )
