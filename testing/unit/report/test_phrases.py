"""What a run wrote itself is told in the reader's language, and nothing of it lacks there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from nova_acceptance.causes import causes
from nova_acceptance.phrase import Phrase
from nova_acceptance.report.phrases import in_language, phrase_of, translations
from nova_acceptance.report.texts import CHINESE, ENGLISH
from testing.unit.report.test_texts import ROOT, code_spans, is_chinese, simplified

LOST = "{claim} has lost {volume}"
PLACES = ("src", "tests", "conftest.py")
CATALOGUE = translations(CHINESE)


def sources() -> Iterator[Path]:
    for place in PLACES:
        path = ROOT / place
        yield from path.rglob("*.py") if path.is_dir() else [path]


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Yield where a phrase is made."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name("Phrase"), args=[_, *_]):
                    yield path, node


def places(template: str) -> list[tuple[str, str]]:
    """Return what fills a template, with how it is spelled."""
    return sorted(
        (name, spec or "") for _, name, spec, _ in Formatter().parse(template) if name is not None
    )


def literals(words: ast.expr) -> list[str]:
    """Return the words that a phrase may be made from; none where they are worked out."""
    match words:
        case ast.Constant(str(found)):
            return [found]
        case ast.IfExp(body=first, orelse=other) if literals(first) and literals(other):
            return literals(first) + literals(other)
    return []


def is_of_a_cause(words: ast.expr) -> bool:
    return isinstance(words, ast.Attribute) and words.attr in ("title", "cure")


def has_words(template: str) -> bool:
    """Whether a template says something itself, besides what fills it."""
    return re.search(r"[A-Za-z]{2}", re.sub(r"`[^`]*`|\{[^}]*\}", "", template)) is not None


def templates() -> set[str]:
    """Return what phrases are made from, but for those that only quote."""
    found = {words for _, call in calls() for words in literals(call.args[0])}
    return {template for template in found if re.fullmatch(r"\{\w+\}", template) is None}


def test_phrases_are_made_from_words_that_a_catalogue_can_have() -> None:
    strange = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call in calls()
        # what the catalogue of causes says is translated there
        if not literals(call.args[0]) and not is_of_a_cause(call.args[0])
    ]

    assert strange == []
    assert len(templates()) > 200


def test_every_phrase_is_in_the_catalogue_and_nothing_else() -> None:
    assert sorted(templates() - CATALOGUE.keys()) == []
    assert sorted(CATALOGUE.keys() - templates()) == []


@pytest.mark.parametrize("template", CATALOGUE)
def test_phrase_says_the_same_in_chinese(template: str) -> None:
    chinese = CATALOGUE[template]

    if places(template):
        assert places(chinese) == places(template)
    assert code_spans(chinese) == code_spans(template)
    assert is_chinese(chinese) == has_words(template)
    assert simplified(chinese) == []
    assert not chinese.endswith("。")


def test_phrase_is_told_in_the_language_that_is_wanted() -> None:
    said = Phrase(LOST, claim="Claim a/b", volume="pv-1")
    read = Phrase.read(str(said), said.parts())

    chinese = CATALOGUE[LOST].format(claim="Claim a/b", volume="pv-1")
    assert in_language(read, ENGLISH) == ("Claim a/b has lost pv-1", ENGLISH)
    assert in_language(read, CHINESE) == (chinese, CHINESE)


def test_phrases_within_a_phrase_are_told_as_well() -> None:
    inner = Phrase(LOST, claim="a", volume="b")
    outer = Phrase(
        "{workload}: {containers} {what}", workload=inner, containers=["x", "y"], what="z"
    )
    read = Phrase.read(str(outer), outer.parts())

    told, language = in_language(read, CHINESE)

    assert told == f"{in_language(inner, CHINESE)[0]}：x、y z"  # noqa: RUF001
    assert language == CHINESE


@pytest.mark.parametrize("words", [causes()["IMAGE_PULL"].title, causes()["IMAGE_PULL"].cure])
def test_words_of_a_cause_are_told_as_the_catalogue_of_causes_has_them(words: str) -> None:
    said = Phrase(words)

    told, language = in_language(said, CHINESE)

    assert is_chinese(told)
    assert language == CHINESE


@pytest.mark.parametrize(
    "said",
    [
        "a plain text",
        Phrase("{said}", said="FATAL: no"),
        Phrase("nobody has translated {this}", this="x"),
        Phrase.read("of an older run", {}),
        Phrase(),
    ],
)
def test_what_is_not_known_in_the_language_stays_english(said: str) -> None:
    assert in_language(said, CHINESE) == (said, ENGLISH)


@pytest.mark.parametrize(
    "parts",
    [
        5,
        {"template": 5},
        {"template": LOST},
        {"template": LOST, "values": [1]},
        {"template": LOST, "values": {"claim": "a"}},
        {"template": "{where.__class__}", "values": {"where": "a"}},
    ],
)
def test_odd_parts_of_a_record_leave_the_sentence_as_it_is(parts: Any) -> None:
    phrase = phrase_of({"summary": "it is lost", "told": {"summary": parts}}, "summary")

    assert in_language(phrase, CHINESE) == ("it is lost", ENGLISH)


def test_odd_values_of_a_record_are_shown_as_what_they_are() -> None:
    values = {"claim": {"template": "{x} {y}", "values": {"x": "<b>", "y": {"template": 3}}}}
    parts = {"template": LOST, "values": {**values, "volume": None}}
    phrase = phrase_of({"summary": "s", "told": {"summary": parts}}, "summary")

    told, language = in_language(phrase, CHINESE)

    assert "<b>" in told
    assert language == CHINESE
