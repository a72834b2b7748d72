"""Claims, bound at their size."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.system import Claim, System

pytestmark = pytest.mark.storage


def test_claim_is_bound_at_its_size(objects: Seen, claim: Claim) -> None:
    """The claim is bound to a volume that holds at least what nova.yaml says."""
    assert checks.claims.unfit_claim(objects, claim) == []


def test_namespace_holds_only_declared_claims(
    objects: Seen, namespace: str, system: System
) -> None:
    """No claim is left over in the namespace."""
    assert checks.claims.claims_left_over(objects, system, namespace) == []
