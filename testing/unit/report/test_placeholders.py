"""What is told of a cause, and what mends it, is filled in: nothing is left to be guessed."""

from __future__ import annotations

import pytest

from nova_acceptance.causes import Cause, causes
from nova_acceptance.components.kubernetes.pods import LONGEST, short
from nova_acceptance.plugin.diagnosing import _sentence
from nova_acceptance.report.texts import CHINESE, ENGLISH
from testing.faults.wording import left_open
from testing.unit.report.test_phrases import CATALOGUE


def test_what_is_left_open_is_seen() -> None:
    for text in ("ALTER ROLE … RESET", "kubectl get ns NAME", "assert 1 == 2", "run <command>"):
        assert left_open(text)
    for text in ("`--cluster context:NAME` takes another", "a NAMED thing", "they assert: no"):
        assert not left_open(text)


@pytest.mark.parametrize("cause", causes().values(), ids=lambda cause: cause.id)
def test_title_and_cure_of_a_cause_are_filled_in(cause: Cause) -> None:
    for language in (ENGLISH, CHINESE):
        assert left_open(cause.text("title", language)) == []
        assert left_open(cause.text("cure", language)) == []


@pytest.mark.parametrize("template", CATALOGUE)
def test_phrase_is_filled_in_in_both_languages(template: str) -> None:
    assert left_open(template) == []
    assert left_open(CATALOGUE[template]) == []


def test_a_message_that_is_cut_says_so_in_words() -> None:
    assert left_open(short("x" * (LONGEST + 1))) == []
    assert short("x" * (LONGEST + 1)).endswith("x [cut]")


def test_claim_without_words_of_its_own_is_told_without_those_of_the_test() -> None:
    told = _sentence(AssertionError("assert 404 == 200\n +  where 404 = page.status"))

    assert told == "a claim does not hold: 404 == 200"
    assert _sentence(AssertionError("the page is not there")) == "the page is not there"
