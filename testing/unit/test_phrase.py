"""Sentences that remember what they were made of."""

from __future__ import annotations

import json

import pytest

from nova_acceptance.findings import Ref
from nova_acceptance.phrase import NOTHING, Phrase, told, verbatim

CLAIM = Ref("PersistentVolumeClaim", "nova-redis", "data-redis-0")


def test_phrase_is_its_sentence() -> None:
    phrase = Phrase("{where} lacks {parts}", where=CLAIM, parts=["a", "b"])

    assert phrase == "PersistentVolumeClaim nova-redis/data-redis-0 lacks a, b"


def test_phrase_without_places_is_taken_as_it_is() -> None:
    assert Phrase("set `{}` in it") == "set `{}` in it"
    assert not NOTHING


def test_phrase_needs_a_value_for_each_place() -> None:
    with pytest.raises(KeyError):
        Phrase("{where} lacks {parts}", where=CLAIM)


def test_parts_are_what_json_can_hold() -> None:
    phrase = Phrase(
        "{where}: {what} after {seconds:.1f} s",
        where=CLAIM,
        what=Phrase("{n} of {parts}", n=2, parts=("a", Phrase("none"))),
        seconds=1.25,
    )

    assert phrase.parts() == {
        "template": "{where}: {what} after {seconds:.1f} s",
        "values": {
            "where": str(CLAIM),
            "what": {
                "template": "{n} of {parts}",
                "values": {"n": 2, "parts": ["a", {"template": "none"}]},
            },
            "seconds": 1.25,
        },
    }
    assert json.loads(json.dumps(phrase.parts())) == phrase.parts()


def test_fields_are_told_with_what_their_phrases_are_made_of() -> None:
    fields = told({"cause": "A", "summary": Phrase("no {what}", what="b"), "cure": NOTHING})

    assert fields == {
        "cause": "A",
        "summary": "no b",
        "cure": "",
        "told": {"summary": {"template": "no {what}", "values": {"what": "b"}}},
    }
    # A worker of pytest-xdist can send strings to its controller, and nothing that is like one.
    assert {type(fields["summary"]), type(fields["cure"])} == {str}


def test_fields_without_phrases_stay_as_they_are() -> None:
    assert told({"a": "b", "c": 1}) == {"a": "b", "c": 1}


def test_phrase_is_read_with_what_it_was_made_of() -> None:
    phrase = Phrase("no {what}", what=Phrase("{n} of it", n=2))
    again = Phrase.read(str(phrase), phrase.parts())

    assert again == phrase
    assert (again.template, again.values) == (phrase.template, phrase.parts()["values"])


def test_words_of_somebody_else_are_a_phrase_of_nothing_else() -> None:
    assert verbatim("FATAL: {no}") == "FATAL: {no}"
    assert verbatim("FATAL: {no}").parts()["values"] == {"said": "FATAL: {no}"}
