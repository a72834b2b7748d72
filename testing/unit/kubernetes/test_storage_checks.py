"""Claims: there, bound, and at least as large as nova.yaml says."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import claims
from nova_acceptance.kube import Object
from testing.unit.kubernetes.there import SHOP, STORE, causes, made, seen
from testing.unit.probes.a_nova import nova

(CLAIM,) = STORE.claimed


def claim(
    asked: str = "1Gi",
    given: str | None = "1Gi",
    *,
    phase: str = "Bound",
    name: str = "data-store-0",
    namespace: str = SHOP,
) -> Object:
    status: dict[str, Any] = {"phase": phase}
    if given:
        status["capacity"] = {"storage": given}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"resources": {"requests": {"storage": asked}}},
        "status": status,
    }


@pytest.mark.parametrize(
    ("asked", "given"),
    [("1Gi", "1Gi"), ("1024Mi", "1Gi"), ("2Gi", "2Gi"), ("1Gi", "10Gi"), ("1.5Gi", "2G")],
)
def test_claim_of_its_size_or_larger_is_right(asked: str, given: str) -> None:
    assert claims.unfit_claim(seen(claim(asked, given)), CLAIM) == []


@pytest.mark.parametrize(
    ("asked", "given"), [("512Mi", "1Gi"), ("1Gi", "512Mi"), ("1G", "1G"), ("1Gi", None)]
)
def test_claim_that_is_smaller_is_found(asked: str, given: str | None) -> None:
    assert causes(claims.unfit_claim(seen(claim(asked, given)), CLAIM)) == [
        ("CLAIM_TOO_SMALL", "data-store-0")
    ]


def test_claim_that_is_missing_or_unbound_is_found() -> None:
    assert causes(claims.unfit_claim(seen(), CLAIM)) == [("CLAIM_MISSING", "data-store-0")]
    pending = claim(given=None, phase="Pending")
    assert causes(claims.unfit_claim(seen(pending), CLAIM)) == [("CLAIM_UNBOUND", "data-store-0")]
    assert claims.small_claim(seen(pending), CLAIM) == []  # it has no size yet


def test_claim_that_is_being_deleted_is_found_although_it_is_bound() -> None:
    going = claim()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert causes(claims.unfit_claim(seen(going), CLAIM)) == [("CLAIM_TERMINATING", "data-store-0")]


@pytest.mark.parametrize(("asked", "names"), [("512Mi", ["store"]), ("1Gi", []), ("2Gi", [])])
def test_template_that_asks_for_less_is_found(asked: str, names: list[str]) -> None:
    workload = made(STORE)
    workload["spec"]["volumeClaimTemplates"] = [
        {"metadata": {"name": "cache"}, "spec": claim("1Mi")["spec"]},
        {"metadata": {"name": "data"}, "spec": claim(asked)["spec"]},
    ]

    found = claims.small_template(seen(workload), STORE, "data")
    assert causes(found) == [("CLAIM_TOO_SMALL", name) for name in names]
    assert claims.small_template(seen(), STORE, "data") == []


def test_claim_that_nobody_declared_is_found_unless_it_is_allowed() -> None:
    system = nova()
    there = seen(
        claim(name="data-redis-0", namespace="nova-redis"),
        claim(name="data-redis-7", namespace="nova-redis"),
        claim(name="other"),
    )

    assert causes(claims.claims_left_over(there, system, "nova-redis")) == [
        ("CLAIM_LEFT_OVER", "data-redis-7")
    ]
    allowed = system.model_copy(update={"undeclared": "allowed"})
    assert claims.claims_left_over(there, allowed, "nova-redis") == []


def test_claim_of_a_job_is_kept_for_as_long_as_the_job_is() -> None:
    volume = {"name": "dumps", "persistentVolumeClaim": {"claimName": "dumps"}}
    backup: Object = {
        "kind": "Job",
        "metadata": {"name": "dump-1", "namespace": "nova-redis"},
        "spec": {"template": {"spec": {"containers": [], "volumes": [volume]}}},
        "status": {"conditions": [{"type": "Complete", "status": "True"}]},
    }
    held = claim(name="dumps")
    held["metadata"]["namespace"] = "nova-redis"

    assert claims.claims_left_over(seen(held, backup), nova(), "nova-redis") == []
    assert causes(claims.claims_left_over(seen(held), nova(), "nova-redis")) == [
        ("CLAIM_LEFT_OVER", "dumps")
    ]
