"""What is wrong with a claim of nova.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.workloads import references
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.quantity import amount
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Claim, System, Workload

KIND = "PersistentVolumeClaim"


@check
def unfit_claim(snapshot: Snapshot, claim: Claim) -> Iterator[Finding]:
    """Find a claim that is missing, has no volume, or is smaller than nova.yaml says."""
    where = claim.ref
    found = snapshot.at(where)
    phase = ((found or {}).get("status") or {}).get("phase")
    if found is None:
        sentence = Phrase("there is no {where}, which nova.yaml declares", where=where)
        yield Finding("CLAIM_MISSING", where, sentence)
    elif "deletionTimestamp" in found["metadata"]:
        yield terminating(found)
    elif phase != "Bound":
        sentence = Phrase("{claim} is {phase}, not Bound", claim=where, phase=phase)
        yield Finding("CLAIM_UNBOUND", where, sentence)
    else:
        yield from small_claim(snapshot, claim)


def terminating(claim: Object) -> Finding:
    """Return that a claim is being deleted: it is Bound for as long as a pod uses it."""
    where = ref(claim)
    sentence = Phrase("{claim} is being deleted, and goes with its last pod", claim=where)
    evidence = (f"deletionTimestamp: {claim['metadata']['deletionTimestamp']}",)
    return Finding("CLAIM_TERMINATING", where, sentence, evidence=evidence)


@check
def small_claim(snapshot: Snapshot, claim: Claim) -> Iterator[Finding]:
    """Find a claim that asks for, or was given, less than nova.yaml says."""
    found = snapshot.at(claim.ref)
    if found is None:
        return
    status = found.get("status") or {}
    sizes = [_size((found["spec"].get("resources") or {}).get("requests"))]
    if status.get("phase") == "Bound":
        sizes.append(_size(status.get("capacity")))
    small = [each for each in sizes if _is_less(each, claim.size)]
    yield from (_too_small(ref(found), each, claim.size) for each in small[:1])


@check
def small_template(snapshot: Snapshot, spec: Workload, template: str) -> Iterator[Finding]:
    """Find a template of claims that asks for less than nova.yaml says."""
    where = spec.ref
    found = snapshot.at(where) or {"spec": {}}
    for entry in found["spec"].get("volumeClaimTemplates") or ():
        asked = _size((entry["spec"].get("resources") or {}).get("requests"))
        if entry["metadata"]["name"] == template and _is_less(asked, spec.claims[template]):
            yield _too_small(where, asked, spec.claims[template], template)


@check
def claims_left_over(snapshot: Snapshot, system: System, namespace: str) -> Iterator[Finding]:
    """Find claims of a namespace that nova.yaml does not know, unless it allows them.

    What a Job keeps in one, a backup for instance, is the Job's, at work or finished.
    """
    if system.undeclared == "allowed":
        return
    declared = {claim.name for workload in system.every_workload for claim in workload.claimed}
    declared |= {
        reference.target.name
        for job in snapshot.of_kind("Job", namespace)
        for reference in references(job)
        if reference.target.kind == KIND
    }
    for found in snapshot.of_kind(KIND, namespace):
        where = ref(found)
        if where.name not in declared:
            sentence = Phrase("{claim} belongs to no workload of nova.yaml", claim=where)
            yield Finding("CLAIM_LEFT_OVER", where, sentence)


def _size(amounts: Object | None) -> str:
    return str((amounts or {}).get("storage", 0))


def _is_less(found: str, wanted: str) -> bool:
    try:
        return amount(found) < amount(wanted)
    except ValueError:
        return False  # the API refuses it when it is written


def _too_small(where: Ref, found: str, wanted: str, template: str = "") -> Finding:
    sentence = Phrase(
        "{where} has {amount} for {claims}, and nova.yaml says {wanted}"
        if template
        else "{where} has {amount}, and nova.yaml says {wanted}",
        where=where,
        amount=found,
        claims=template,
        wanted=wanted,
    )
    evidence = (f"storage {found}, wanted {wanted}",)
    return Finding("CLAIM_TOO_SMALL", where, sentence, evidence=evidence)
