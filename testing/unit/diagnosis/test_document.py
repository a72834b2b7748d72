"""The document of causes, and what every cause has to say."""

from __future__ import annotations

import re

import pytest

from nova_acceptance.causes import Cause, causes
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
