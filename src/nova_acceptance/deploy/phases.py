"""Applying: namespaces first, then configuration, then workloads, side by side within each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus

from nova_acceptance import timeouts
from nova_acceptance.deploy.absence import await_gone
from nova_acceptance.diagnosis import Explanation, Ranked
from nova_acceptance.errors import ApplyError
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import ApiError, Kube, Object, describe
from nova_acceptance.phrase import Phrase, verbatim

MANAGED_BY = "app.kubernetes.io/managed-by"

WORKLOADS = frozenset(
    {"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"}
)

_FIRST = frozenset({"Namespace", "CustomResourceDefinition"})
_AT_ONCE = 8
_IMMUTABLE = ("immutable", "updates to statefulset spec", "forbidden: updates", "may not change")


class RefusedError(ApplyError):
    """The API refused objects, or they are not ours to change.

    Attributes:
        explanation: a cause for each of them, the first one first.
    """

    def __init__(
        self, message: str, *, hint: str, evidence: Sequence[str], explanation: Explanation
    ) -> None:
        super().__init__(message, hint=hint, evidence=evidence)
        self.explanation = explanation


@dataclass(frozen=True, slots=True)
class Phase:
    """Objects that may be applied side by side.

    Attributes:
        name: `namespaces`, `configuration` or `workloads`.
        objects: what to apply.
    """

    name: str
    objects: tuple[Object, ...]


def phases(objects: Sequence[Object]) -> Iterator[Phase]:
    """Yield the phases in order; Services come before the workloads that they name."""
    first = tuple(obj for obj in objects if obj["kind"] in _FIRST)
    last = tuple(obj for obj in objects if obj["kind"] in WORKLOADS)
    between = tuple(obj for obj in objects if obj["kind"] not in _FIRST | WORKLOADS)
    yield Phase("namespaces", first)
    yield Phase("configuration", between)
    yield Phase("workloads", last)


def apply_phase(kube: Kube, phase: Phase) -> list[Object]:
    """Apply a phase's objects, all of them even where one is refused.

    Returns:
        The objects as the server has them now.

    Raises:
        RefusedError: the server refused an object; it names each object and field.
        ClusterError: the API did not answer.
    """
    applied: list[Object] = []
    refusals: list[tuple[Object, ApiError]] = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="apply") as pool:
        under_way = [(obj, pool.submit(kube.apply, obj)) for obj in phase.objects]
        try:
            wait([answer for _, answer in under_way])
        except BaseException:  # Ctrl-C: what has not begun must not come after a removal
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for obj, answer in under_way:
        try:
            applied.append(answer.result())
        except ApiError as error:
            refusals.append((obj, error))
    if refusals:
        raise _refusal(refusals)
    return applied


def guard_namespaces(kube: Kube, objects: Sequence[Object]) -> None:
    """See, before the first write, that every namespace is absent or ours; wait out a deletion.

    Raises:
        RefusedError: a namespace of that name belongs to somebody else.
        ApplyError: a namespace of the manifests does not say whose it is.
        ClusterError: the API did not answer, or a namespace under deletion did not go.
    """
    for obj in objects:
        if obj["kind"] != "Namespace":
            continue
        if not owner(obj):
            raise ApplyError(
                f"the manifests' namespace {obj['metadata']['name']} has no label {MANAGED_BY}",
                hint="label it, so that later it can be told from somebody else's",
            )
        live = kube.get("v1", "Namespace", obj["metadata"]["name"])
        if live is None:
            continue
        if not is_ours(live, obj):
            evidence = (f"label {MANAGED_BY}: {owner(live) or '(absent)'}",)
            message = Phrase(
                "the namespace {name} exists and is not ours", name=obj["metadata"]["name"]
            )
            foreign = Finding("NAMESPACE_FOREIGN", ref(live), message, evidence=evidence)
            raise RefusedError(
                message,
                hint=foreign.meaning.cure,
                evidence=evidence,
                explanation=Explanation((Ranked(foreign),), (foreign.subject,)),
            )
        if "deletionTimestamp" in live["metadata"]:
            deadline = time.monotonic() + timeouts.REMOVE
            await_gone(kube, "Namespace", [live["metadata"]["name"]], deadline=deadline)


def owner(obj: Object) -> str:
    """Return the value of the label `app.kubernetes.io/managed-by`, or nothing."""
    return str((obj["metadata"].get("labels") or {}).get(MANAGED_BY, ""))


def is_ours(live: Object, rendered: Object) -> bool:
    """Whether what is on the cluster is managed by whoever manages what was rendered."""
    return bool(owner(rendered)) and owner(live) == owner(rendered)


def refused(obj: Object, error: ApiError) -> Finding:
    """Return the cause that an object which the API refuses shows, with the fields it names."""
    said = error.causes or (error.detail or str(error.status),)
    return Finding(
        "API_REFUSED",
        ref(obj),
        Phrase("the API refuses {object}: {said}", object=describe(obj), said=said[0]),
        _hint(obj, error),
        evidence=tuple(f"{describe(obj)}: {line}" for line in said),
        grace=0,
    )


def _refusal(refusals: list[tuple[Object, ApiError]]) -> RefusedError:
    obj, error = refusals[0]
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    found = [refused(obj, error) for obj, error in refusals]
    return RefusedError(
        f"the API refused {describe(obj)}: {error.reason or error.status}{more}",
        hint=found[0].cure,
        evidence=[line for each in found for line in each.evidence],
        explanation=Explanation(tuple(map(Ranked, found)), (found[0].subject,)),
    )


def _hint(obj: Object, error: ApiError) -> Phrase:
    said = " ".join((error.detail, *error.causes)).lower()
    metadata = obj["metadata"]
    where = f"-n {metadata['namespace']} " if metadata.get("namespace") else ""
    if any(phrase in said for phrase in _IMMUTABLE):
        return Phrase(
            "this field cannot change in place: "
            "`kubectl {where}delete {kind} {name}`, then deploy again",
            where=where,
            kind=obj["kind"].lower(),
            name=metadata["name"],
        )
    if error.status == HTTPStatus.CONFLICT:
        return Phrase("another writer holds it; deploy again, alone")
    if error.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return Phrase("correct the field in manifests/")
    return verbatim(error.hint)
