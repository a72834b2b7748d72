"""A page is in one language; only what is quoted from a cluster or a test may be in another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_acceptance.report.texts import CHINESE, ENGLISH, texts
from testing.browser.conftest import Read, rendered
from testing.browser.reader import Reader

HAN = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"\{\{?\w+\}?\}")
PHRASE = 3
"""Words that make a text so long that it is looked for within others, too."""

SHOWN_PARTS = ("page", "words", "comparison")
"""Parts of the catalogue that the page is written with; the others are quoted from tests."""

QUOTED = "code, pre, script, style, noscript, [lang=en]:not(html), .box strong, [data-run] a"

TEXTS = """
    (quoted) => {
        const found = [document.title];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            if (!walk.currentNode.parentElement.closest(quoted)) found.push(walk.currentNode.data);
        }
        for (const name of ["aria-label", "placeholder"]) {
            for (const it of document.querySelectorAll(`[${name}]`)) {
                found.push(it.getAttribute(name));
            }
        }
        return found.map(text => text.trim().replace(/\\s+/g, " ")).filter(Boolean);
    }
"""


def said(reader: Reader) -> set[str]:
    """Return the page's own texts, those of attributes as well, without what it quotes."""
    reader.open_all()
    return set(reader.page.evaluate(TEXTS, QUOTED))


def english_only() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the key of each English text that is another in Chinese, and what it looks like."""
    english, chinese = texts(ENGLISH), texts(CHINESE)
    for key in english:
        text = english.get(key)
        same = chinese.get(key) == text
        has_words = re.search(r"\w", PLACEHOLDER.sub("", text))
        if same or key.split(".")[0] not in SHOWN_PARTS or not has_words:
            continue
        pieces = map(re.escape, PLACEHOLDER.split(text))
        yield key, re.compile(".+?".join(pieces))


def found_in(text: str, pattern: re.Pattern[str]) -> bool:
    is_phrase = len(pattern.pattern.split()) >= PHRASE
    return bool(pattern.search(text) if is_phrase else pattern.fullmatch(text))


@pytest.mark.parametrize("verdict", ["rejected", "accepted"])
def test_chinese_page_has_no_english_text(
    read: Read, rejected_directory: Path, accepted_directory: Path, verdict: str
) -> None:
    directory = rejected_directory if verdict == "rejected" else accepted_directory
    shown = said(read(rendered(directory, CHINESE)))

    english = {
        (key, text) for key, pattern in english_only() for text in shown if found_in(text, pattern)
    }

    assert english == set()


def test_english_texts_are_found_in_the_english_page(read: Read, english: Path) -> None:
    shown = said(read(english))

    keys = {key for key, pattern in english_only() for text in shown if found_in(text, pattern)}

    assert len(keys) > 100


def test_english_page_has_no_chinese_text(read: Read, english: Path) -> None:
    shown = said(read(english))

    assert {text for text in shown if HAN.search(text)} == set()


def test_language_is_declared(read: Read, rejected: Path, language: str) -> None:
    page = read(rejected).page

    assert page.locator("html").get_attribute("lang") == language
