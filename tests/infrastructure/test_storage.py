"""Claims, bound at their size."""

from __future__ import annotations

import pytest

from nova_acceptance.claims import broken, equal
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.kube.quantity import amount
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Claim, System

pytestmark = pytest.mark.storage


@pytest.mark.means("CLAIM_TOO_SMALL", "CLAIM_MISSING", "CLAIM_UNBOUND")
def test_claim_is_bound_at_its_size(objects: Seen, claim: Claim) -> None:
    """The claim is bound to a volume that holds at least what nova.yaml says."""
    found = objects.find("PersistentVolumeClaim", claim.name, claim.namespace)

    if found is None:
        said = Phrase(
            "there is no claim {namespace}/{claim}", namespace=claim.namespace, claim=claim.name
        )
        raise broken("CLAIM_MISSING", said)
    phase = Phrase("the phase of {claim}", claim=claim.name)
    equal(found["status"].get("phase"), "Bound", "CLAIM_UNBOUND", phase)
    assert found["spec"]["resources"]["requests"]["storage"] == claim.size
    assert amount(found["status"]["capacity"]["storage"]) >= amount(claim.size)


@pytest.mark.means("CLAIM_LEFT_OVER")
def test_namespace_holds_only_declared_claims(
    objects: Seen, namespace: str, system: System
) -> None:
    """No claim is left over in the namespace."""
    found = {item["metadata"]["name"] for item in objects.all("PersistentVolumeClaim", namespace)}
    declared = {
        claim.name
        for workload in system.every_workload
        for claim in workload.claimed
        if claim.namespace == namespace
    }

    assert found - declared == set()
