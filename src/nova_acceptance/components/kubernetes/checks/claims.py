"""What is wrong with a claim of nova.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.quantity import amount
from nova_acceptance.kube.snapshot import Store
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Claim, System

KIND = "PersistentVolumeClaim"


@check
def unfit_claim(store: Store, claim: Claim) -> Iterator[Finding]:
    """Find a claim that is missing, has no volume, or is smaller than nova.yaml says."""
    where = Ref(KIND, claim.namespace, claim.name)
    found = store.at(where)
    if found is None:
        if store.knows(KIND, claim.namespace):
            sentence = Phrase("there is no {claim}, which nova.yaml declares", claim=where)
            yield Finding("CLAIM_MISSING", where, sentence)
        return
    phase = (found.get("status") or {}).get("phase")
    if phase != "Bound":
        sentence = Phrase("{claim} is {phase}, not Bound", claim=where, phase=phase)
        yield Finding("CLAIM_UNBOUND", where, sentence)
        return
    yield from small_claim(store, claim)


@check
def small_claim(store: Store, claim: Claim) -> Iterator[Finding]:
    """Find a claim that asks for, or was given, less than nova.yaml says."""
    where = Ref(KIND, claim.namespace, claim.name)
    found = store.at(where)
    if found is None:
        return
    given = ((found.get("status") or {}).get("capacity") or {}).get("storage")
    small = [each for each in (request(found["spec"]), given) if is_less(each, claim.size)]
    for less in small[:1]:
        yield Finding(
            "CLAIM_TOO_SMALL",
            where,
            Phrase(
                "{where} has {amount}, and nova.yaml says {wanted}",
                where=where,
                amount=less,
                wanted=claim.size,
            ),
            evidence=(f"storage {less}, wanted {claim.size}",),
        )


@check
def claims_left_over(store: Store, system: System, namespace: str) -> Iterator[Finding]:
    """Find claims of a namespace that nova.yaml does not know, unless it allows them."""
    if system.undeclared == "allowed":
        return
    declared = {
        claim.name
        for workload in system.every_workload
        for claim in workload.claimed
        if claim.namespace == namespace
    }
    for found in store.of_kind(KIND, namespace):
        name = found["metadata"]["name"]
        if name not in declared:
            where = Ref(KIND, namespace, name)
            sentence = Phrase("{claim} belongs to no workload of nova.yaml", claim=where)
            yield Finding("CLAIM_LEFT_OVER", where, sentence)


def request(spec: Object) -> str | None:
    """Return how much a claim, or a template of claims, asks for."""
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage")


def is_less(found: str | None, wanted: str) -> bool:
    """Whether an amount of storage is known and less than another one."""
    try:
        return found is not None and amount(found) < amount(wanted)
    except ValueError:
        return False  # the API refuses it when it is written
