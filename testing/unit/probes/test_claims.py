"""A claim that holds says nothing; one that does not names its cause."""

from __future__ import annotations

import pytest

from nova_acceptance.claims import BrokenClaimError, equal, exactly, holds, none_of
from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.phrase import Phrase


def exact(held: list[str], wanted: list[str]) -> None:
    what = Phrase("PostgreSQL")
    exactly(held, wanted, lacking="ROLE_MISSING", beyond="ROLE_UNDECLARED", what=what)


def test_equal_sets_are_no_failure() -> None:
    exact(["a", "b"], ["b", "a"])


@pytest.mark.parametrize(
    ("held", "wanted", "cause", "sentence"),
    [
        (["a"], ["a", "b"], "ROLE_MISSING", "PostgreSQL lacks b"),
        (["a", "b"], ["a"], "ROLE_UNDECLARED", "PostgreSQL has b beyond what it should"),
        (["c"], ["a"], "ROLE_MISSING", "PostgreSQL lacks a and has c beyond what it should"),
    ],
)
def test_difference_is_told_by_its_side(
    held: list[str], wanted: list[str], cause: str, sentence: str
) -> None:
    with pytest.raises(BrokenClaimError) as caught:
        exact(held, wanted)

    assert caught.value.shown.cause == cause
    assert str(caught.value) == sentence


def test_claim_that_does_not_hold_says_the_opposite() -> None:
    otherwise = Phrase("{service} is not headless", service="etcd")
    holds(True, "HEADLESS_LOST", otherwise)
    with pytest.raises(BrokenClaimError, match="etcd is not headless") as caught:
        holds("", "HEADLESS_LOST", otherwise)

    assert caught.value.shown.cause == "HEADLESS_LOST"


def test_value_and_leftovers() -> None:
    equal(1, 1, "REPLICAS_WRONG", Phrase("the scale"))
    none_of([], "NODE_NOT_READY", Phrase("nodes"))
    with pytest.raises(BrokenClaimError, match="the scale is 2, not 1"):
        equal(2, 1, "REPLICAS_WRONG", Phrase("the scale"))
    with pytest.raises(BrokenClaimError, match="nodes: a; b; c; and 1 more"):
        none_of(["a", "b", "c", "d"], "NODE_NOT_READY", Phrase("nodes"))


def test_cause_must_exist() -> None:
    with pytest.raises(ValueError, match="there is no cause NO_SUCH"):
        Finding("NO_SUCH", NOWHERE, Phrase("…"))


def test_subject_is_kept() -> None:
    here, there = Ref("Pod", "a", "b"), Ref("Pod", "c", "d")

    assert Finding("NODE_NOT_READY", NOWHERE, Phrase("…")).at(here).subject == here
    assert Finding("NODE_NOT_READY", there, Phrase("…")).at(here).subject == there
