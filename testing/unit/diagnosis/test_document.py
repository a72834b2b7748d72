"""The document of causes, and what every cause has to say."""

from __future__ import annotations

import re

import pytest

from nova_acceptance.causes import ANY, Cause, causes, explaining, family
from nova_acceptance.diagnosis.document import document
from testing.unit.diagnosis.rendered import ROOT


def test_document_is_as_the_catalogue_makes_it() -> None:
    assert (ROOT / "docs" / "diagnosis.md").read_text() == document(), "`make docs` writes it anew"


def test_document_tells_every_cause_once() -> None:
    told = re.findall(r"^### (\w+)$", document(), re.MULTILINE)

    assert told == list(causes())
    assert len(told) == len(set(told)) == len(causes())


@pytest.mark.parametrize("cause", causes().values(), ids=str)
def test_cause_says_what_a_reader_needs(cause: Cause) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", cause.id)
    for text in (cause.title, cause.symptom, cause.proof, cause.cure):
        assert text.strip() == text
        assert text
        assert not text.endswith(".")
        assert "\n" not in text


@pytest.mark.parametrize("name", [cause.id for cause in causes().values() if cause.explained_by])
def test_cause_is_explained_by_causes_that_there_are(name: str) -> None:
    assert explaining(name) - {ANY} <= causes().keys()


def test_family_stands_for_those_of_its_causes_that_are_no_symptoms() -> None:
    explained = explaining("SERVICE_UNHEALTHY")

    assert {"SERVICE_MISSING", "PORT_NOT_EXPOSED"} & explained
    assert not any(causes()[name].is_symptom for name in explained)


def test_answer_that_nothing_explains_stands_for_itself() -> None:
    assert explaining("REDIS_PERSISTENCE_OFF") == frozenset()


def test_what_dns_causes_have_behind_them_is_said_for_the_family() -> None:
    assert {cause.behind for cause in family("dns")} == {"dns"}


def test_matter_of_policy_is_marked_and_is_no_consequence() -> None:
    policies = [cause for cause in causes().values() if cause.is_policy]

    assert {"SECURITY_CONTEXT_WEAK", "RESOURCES_UNSET", "API_TOKEN_WRONG"} <= set(
        map(str, policies)
    )
    assert not any(cause.is_symptom for cause in policies)
    assert document().count(" A matter of policy.") == len(policies) < len(causes())
