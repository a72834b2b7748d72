"""A very sick system's causes, in a browser: what to do first leads to it, and links open it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from nova_acceptance.report.anchors import anchor
from nova_acceptance.report.texts import Texts
from testing.browser.conftest import Read, rendered
from testing.browser.reader import Reader
from testing.unit.report import sick


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory, language: str) -> Path:
    return rendered(sick.record(tmp_path_factory.mktemp("sick") / "run"), language)


@pytest.fixture
def reader(read: Read, ill: Path) -> Reader:
    return read(ill)


def test_page_begins_with_what_to_do_first(reader: Reader, say: Texts) -> None:
    first = reader.part("causes").locator("ol.first li")

    assert [re.split(r"\s", each)[0] for each in first.all_inner_texts()] == [
        "ANTI_AFFINITY_UNSATISFIABLE",
        "ADDRESS_WRONG",
    ]
    assert say("page.causes.turns", n=4) in first.first.inner_text()
    box = first.first.bounding_box()
    assert box
    assert box["y"] < reader.page.viewport_size["height"]  # type: ignore[index]


def test_what_to_do_first_leads_to_its_entry(reader: Reader) -> None:
    entry = reader.page.locator(".cause", has_text="ADDRESS_WRONG").first
    expect(entry).not_to_have_attribute("open", re.compile(".*"))

    reader.part("causes").locator("ol.first a").nth(1).click()

    expect(entry).to_have_attribute("open", "")


@pytest.mark.parametrize(
    ("cause", "subject"),
    [("ADDRESS_WRONG", "ConfigMap shop/settings-3"), ("CLAIM_MISSING", sick.CLAIM)],
    ids=["one of several objects", "what only follows"],
)
def test_address_of_a_cause_opens_all_that_it_is_in(
    reader: Reader, cause: str, subject: str
) -> None:
    place = reader.page.locator(f"#{anchor(cause, subject)}")

    reader.page.evaluate("name => { location.hash = name; }", anchor(cause, subject))

    expect(place.locator("dl").first).to_be_visible()
    assert subject in place.locator("summary").first.inner_text()


def test_matters_of_policy_come_last_and_apart(reader: Reader, say: Texts) -> None:
    apart = reader.page.locator(".policy")

    assert say("page.causes.policy") in apart.inner_text()
    assert apart.locator(".cause > summary > code").all_inner_texts() == [
        "SECURITY_CONTEXT_WEAK",
        "API_TOKEN_WRONG",
    ]
    every = reader.page.locator(".cause > summary > code").all_inner_texts()
    assert every[-2:] == ["SECURITY_CONTEXT_WEAK", "API_TOKEN_WRONG"]
