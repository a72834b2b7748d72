"""Applying in phases, side by side within each, whatever the order of the files.

Namespaces and definitions of kinds come first, then configuration, to which instances of those
kinds belong, then workloads; what has a say in every later request comes last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from nova_acceptance import timeouts
from nova_acceptance.deploy.absence import await_gone
from nova_acceptance.deploy.definitions import DEFINITION
from nova_acceptance.deploy.ownership import foreign, namespaces_defined
from nova_acceptance.diagnosis import Explanation, Ranked
from nova_acceptance.errors import ApplyError
from nova_acceptance.errors import RefusedError as Refusal
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import ApiError, Kube, Object, describe
from nova_acceptance.phrase import Phrase, verbatim

WORKLOADS = frozenset(
    {"CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"}
)

_FIRST = frozenset({"Namespace", DEFINITION})
ADMISSION = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
"""What the API asks before it takes an object: whoever is to answer has to be there."""
_AT_ONCE = 8
_AGAIN = 0.5
_TOO_EARLY = ("error looking up service account", "no api token found for service account")
"""How a pod is refused whose ServiceAccount, or its token, a controller has yet to make."""
_BINDINGS = frozenset({"ClusterRoleBinding", "RoleBinding"})
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


class NotOursError(RefusedError, Refusal):
    """Something of that name is there, and somebody else's: the suite does not write there."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Objects that may be applied side by side.

    Attributes:
        name: `namespaces`, `configuration`, `workloads` or `admission`.
        objects: what to apply.
    """

    name: str
    objects: tuple[Object, ...]


def phases(objects: Sequence[Object]) -> Iterator[Phase]:
    """Yield the phases in order; Services come before the workloads that they name."""
    by_name: dict[str, list[Object]] = {"namespaces": [], "configuration": [], "workloads": []}
    for obj in objects:
        by_name.setdefault(_phase_of(obj["kind"]), []).append(obj)
    for name, of_it in by_name.items():
        yield Phase(name, tuple(of_it))


def _phase_of(kind: str) -> str:
    if kind in _FIRST:
        return "namespaces"
    if kind in WORKLOADS:
        return "workloads"
    return "admission" if kind in ADMISSION else "configuration"


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
        under_way = [(obj, pool.submit(_apply, kube, obj)) for obj in phase.objects]
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


def guard(kube: Kube, objects: Sequence[Object]) -> None:
    """See, before the first write, that everything is absent or ours; wait out a deletion.

    Raises:
        NotOursError: something of that name belongs to somebody else; all of it is named.
        ClusterError: the API did not answer.
        StillThereError: a namespace under deletion did not go.
    """
    if found := foreign(kube, objects):
        raise _foreign_error(found)
    deadline = time.monotonic() + timeouts.REMOVE
    for name in sorted(namespaces_defined(objects)):
        live = kube.get("v1", "Namespace", name)
        if live and "deletionTimestamp" in live["metadata"]:
            await_gone(kube, "Namespace", [name], deadline=deadline)


def _foreign_error(found: Sequence[Finding]) -> NotOursError:
    first, more = found[0], len(found) - 1
    return NotOursError(
        f"{first.summary} (and {more} more)" if more else first.summary,
        hint=first.meaning.cure,
        evidence=[line for each in found for line in each.evidence],
        explanation=Explanation(tuple(map(Ranked, found)), (first.subject,)),
    )


def _apply(kube: Kube, obj: Object) -> Object:
    """Apply an object; a pod of a new namespace may have to wait for its ServiceAccount.

    So may a binding for the Role beside it: of a user who may not give everything the API looks it
    up, to see whether he holds what it gives.
    """
    return Retrying(
        retry=retry_if_exception(lambda error: _is_too_early(obj, error)),
        stop=stop_after_delay(timeouts.ACCOUNT),
        wait=wait_fixed(_AGAIN),
        reraise=True,
    )(kube.apply, obj)


def _is_too_early(obj: Object, error: BaseException) -> bool:
    if not isinstance(error, ApiError):
        return False
    if obj["kind"] in _BINDINGS:
        return error.status == HTTPStatus.NOT_FOUND and error.reason != ""
    said = error.detail.lower()
    return obj["kind"] == "Pod" and any(each in said for each in _TOO_EARLY)


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
        return Phrase("correct the field in the manifests")
    return verbatim(error.hint)
