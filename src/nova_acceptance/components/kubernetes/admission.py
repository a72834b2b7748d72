"""Admission: pods that the API refuses to the controllers that want to make them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from nova_acceptance.components.kubernetes.graces import NEXT_TRY, RETURN, SETTLING
from nova_acceptance.components.kubernetes.pods import message, short
from nova_acceptance.components.kubernetes.status import condition
from nova_acceptance.components.kubernetes.workloads import controllers, template, workloads
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase


class _Answer(NamedTuple):
    cause: str
    pattern: str
    grace: float = SETTLING


_ANSWERS: Final = (
    # a namespace's first ServiceAccount comes a moment after the namespace itself
    _Answer("SERVICE_ACCOUNT_MISSING", r"(?i)service ?account \S+/default\b", RETURN),
    _Answer("SERVICE_ACCOUNT_MISSING", r"(?i)service ?account .*not found"),
    _Answer("PRIORITY_CLASS_MISSING", r"(?i)no PriorityClass"),
    _Answer("RUNTIME_CLASS_MISSING", r"(?i)RuntimeClass .*not found"),
    _Answer("QUOTA_EXCEEDED", r"(?i)exceeded quota|failed quota"),
    _Answer("LIMIT_RANGE_VIOLATED", r"(?i)usage per|limit to request ratio"),
    _Answer(
        "POD_SECURITY_VIOLATED", r"(?i)podsecurity|pod security policy|security context constraint"
    ),
    _Answer("WEBHOOK_FAILED", r"(?i)webhook|denied the request", NEXT_TRY),
    _Answer("POD_REFUSED", r"(?i)is invalid|is forbidden|must be|not allowed", NEXT_TRY),
)


def classes_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads that name a ServiceAccount or a PriorityClass that does not exist."""
    for workload in workloads(snapshot):
        spec, where = template(workload)["spec"], ref(workload)
        account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
        if account != "default" and _lacks(snapshot, "ServiceAccount", where.namespace, account):
            yield _missing("SERVICE_ACCOUNT_MISSING", where, "ServiceAccount", account)
        name = spec.get("priorityClassName") or ""
        if name and not name.startswith("system-") and _lacks(snapshot, "PriorityClass", "", name):
            yield _missing("PRIORITY_CLASS_MISSING", where, "PriorityClass", name)


def pods_refused(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads whose pods the API refuses, by what it told their controllers."""
    for workload in workloads(snapshot):
        for controller in controllers(snapshot, workload):
            said = _refusal(snapshot, controller)
            answer = next((each for each in _ANSWERS if re.search(each.pattern, said)), None)
            if said and answer:
                yield Finding(
                    answer.cause,
                    ref(workload),
                    Phrase(
                        "the API refuses the pods of {workload}: {said}",
                        workload=ref(workload),
                        said=short(_told(said)),
                    ),
                    evidence=(short(said),),
                    grace=answer.grace,
                )


def _refusal(snapshot: Snapshot, controller: Object) -> str:
    """Return what the API last said to a controller that has fewer pods than it wants."""
    failure = condition(controller, "ReplicaFailure")
    if failure.get("status") == "True":
        return str(failure.get("message") or "")
    status = controller.get("status") or {}
    wanted = controller["spec"].get("replicas", status.get("desiredNumberScheduled", 1))
    if controller["kind"] == "ReplicaSet" or condition(controller, "Complete"):
        return ""  # it keeps the condition; a Job that is done wants no more
    if len(snapshot.owned_by(controller, "Pod")) >= wanted:
        return ""
    said = ""
    for event in snapshot.events_about(controller, fresh=True):
        if event.get("reason") == "FailedCreate":
            said = message(event)
        elif event.get("reason") == "SuccessfulCreate":
            said = ""
    return said


def _told(said: str) -> str:
    """Return the message without what names the pod and the controller once more."""
    return re.sub(r"^.*?(is forbidden: |failed error: )", "", said)


def _lacks(snapshot: Snapshot, kind: str, namespace: str, name: str) -> bool:
    return snapshot.knows(kind, namespace) and snapshot.get(kind, namespace, name) is None


def _missing(cause: str, where: Ref, kind: str, name: str) -> Finding:
    return Finding(
        cause,
        where,
        Phrase(
            "{where} names the {kind} {name}, which does not exist",
            where=where,
            kind=kind,
            name=name,
        ),
        Phrase(
            "create the {kind} {name}, or correct its name in {where}",
            kind=kind,
            name=name,
            where=where,
        ),
        grace=NEXT_TRY,
    )


BEFOREHAND: Final = (classes_missing,)
LIVE: Final = (pods_refused,)
