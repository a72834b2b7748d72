"""Whatever a cluster calls its things, the page shows it as text and runs nothing of it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from testing.browser.conftest import Read
from testing.browser.hostile import BRACES, END, IMAGE, LINK, NODEID, SCRIPT
from testing.browser.reader import NARROW, Reader
from testing.browser.runs import LET_IN, PASSWORD

ADDRESSES = """
    [...document.querySelectorAll("a")].map(a => new URL(
        typeof a.href === "string" ? a.href : a.href.baseVal, document.baseURI).protocol)
"""
PARTS = ("causes", "system", "topology", "timeline", "tests", "history")


def use(reader: Reader) -> None:
    """Open and click what the hostile texts are in."""
    reader.open_all()
    reader.part("topology").locator("a").first.click()
    reader.search(SCRIPT)
    expect(reader.page.locator(".test:not([hidden])")).to_have_count(2)


def test_nothing_of_a_hostile_run_is_run(read: Read, hostile: Path) -> None:
    reader = read(hostile)

    use(reader)

    assert reader.dialogs == []
    assert reader.said == []
    assert reader.asked == [hostile.as_uri()]


def test_hostile_texts_make_no_elements(read: Read, hostile: Path) -> None:
    reader = read(hostile)

    use(reader)

    assert reader.page.locator("body script").count() == len(("details", "words", "script"))
    assert (
        reader.page.locator("img, iframe, object, embed, textarea, [onload], [onerror]").count()
        == 0
    )


def test_hostile_texts_are_shown_as_they_are(read: Read, hostile: Path) -> None:
    reader = read(hostile)
    reader.open_all()

    for part in PARTS:
        shown = reader.part(part).text_content() or ""
        for text in (SCRIPT, IMAGE, END, BRACES, LINK):
            assert text in shown, part
    assert "49" not in (reader.page.locator("h1").text_content() or "")


def test_no_link_leads_elsewhere_than_to_files(read: Read, hostile: Path) -> None:
    reader = read(hostile)
    reader.open_all()

    assert set(reader.page.evaluate(ADDRESSES)) == {"file:"}


def test_hostile_test_is_found_by_its_link(read: Read, hostile: Path) -> None:
    fragment = read(hostile).tests.first.get_attribute("id")

    reader = read(hostile, fragment=fragment)

    assert fragment
    expect(reader.tests.first).to_have_attribute("open", "")
    assert SCRIPT in NODEID
    assert SCRIPT in (reader.tests.first.text_content() or "")


def test_long_words_do_not_widen_the_document(read: Read, hostile: Path) -> None:
    reader = read(hostile, width=NARROW)
    reader.open_all()

    assert reader.page.evaluate("document.documentElement.scrollWidth") <= NARROW


def test_script_that_got_into_the_page_is_not_run(read: Read, rejected: Path) -> None:
    reader = read(rejected)

    reader.page.evaluate(
        """
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        const image = document.createElement("div");
        image.innerHTML = '<img src="data:," onerror="window.ran = true">';
        document.body.append(image);
        """
    )
    reader.page.wait_for_timeout(300)

    policy = reader.page.locator("meta[http-equiv=Content-Security-Policy]")
    assert "default-src 'none'" in (policy.get_attribute("content") or "")
    assert reader.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in message for message in reader.said)


def test_password_is_masked_where_it_was_answered(read: Read, rejected: Path) -> None:
    row = read(rejected).open(LET_IN)

    assert "app_user:‹secret›@postgres-primary" in (row.text_content() or "")  # noqa: RUF001
    assert PASSWORD not in rejected.read_text()
