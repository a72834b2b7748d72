"""Tests are found: by words, by filters, by links, and by what is clicked in the other parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from nova_acceptance.report import Run
from nova_acceptance.report.anchors import mark
from nova_acceptance.report.model import Test as Reported
from nova_acceptance.report.texts import Texts
from testing.browser.conftest import Read
from testing.browser.reader import Reader
from testing.browser.runs import COLLECTED, LET_IN, NO_ROOM, PING, STREAM, WRONG_PASSWORD


@pytest.fixture
def reader(read: Read, english: Path) -> Reader:
    return read(english)


@pytest.fixture
def fit(run: Run) -> Callable[[Callable[[Reported], bool]], set[str]]:
    """The names of the run's tests that are like something; there is one at least."""

    def chosen(like: Callable[[Reported], bool]) -> set[str]:
        found = {test.nodeid for test in run.tests if like(test)}
        assert 0 < len(found) < len(run.tests)
        return found

    return chosen


Fit = Callable[[Callable[[Reported], bool]], set[str]]


def expect_shown(reader: Reader, wanted: set[str]) -> None:
    """Wait until these tests are shown and no others, and see that their number is told."""
    reader.await_shown(wanted)
    told = f"{len(wanted)} of {reader.tests.count()} tests"
    assert (reader.count.text_content() or "").strip() == told


def test_all_tests_are_shown_at_first(reader: Reader, run: Run) -> None:
    expect_shown(reader, {test.nodeid for test in run.tests})


def test_number_of_tests_is_told_in_the_language_of_the_page(
    read: Read, rejected: Path, run: Run, say: Texts
) -> None:
    told = say("page.tests.shown").replace("{shown}", "1").replace("{all}", str(len(run.tests)))
    reader = read(rejected)

    reader.search(PING)

    reader.await_count(told)

    assert reader.shown == [PING]


@pytest.mark.parametrize("words", ["etcd", "ETCD", "etcd 2380"])
def test_search_shows_the_tests_that_have_every_word_in_their_name(
    reader: Reader, fit: Fit, words: str
) -> None:
    reader.search(words)

    expect_shown(reader, fit(lambda test: all(w in test.nodeid for w in words.lower().split())))


@pytest.mark.parametrize(
    ("words", "nodeid"),
    [("PONG", PING), ("password authentication", LET_IN), ("streams to every other", STREAM)],
    ids=["answer", "failure", "fact"],
)
def test_search_finds_what_is_in_a_test(reader: Reader, words: str, nodeid: str) -> None:
    reader.search(words)

    expect_shown(reader, {nodeid})


def test_search_for_a_subject_shows_the_tests_that_concern_it(reader: Reader, fit: Fit) -> None:
    reader.search("subject:redis")

    expect_shown(reader, fit(lambda test: "redis" in test.subjects))


def test_search_for_a_cause_shows_the_tests_that_it_explains(reader: Reader, fit: Fit) -> None:
    reader.search("cause:INSUFFICIENT_RESOURCES")

    expect_shown(reader, fit(lambda test: test.cause == "INSUFFICIENT_RESOURCES"))


@pytest.mark.parametrize("layer", ["infrastructure", "services", "networking"])
def test_layer_is_chosen(reader: Reader, fit: Fit, layer: str) -> None:
    reader.choose("layer", layer)

    expect_shown(reader, fit(lambda test: test.layer == layer))


@pytest.mark.parametrize(
    "outcome", ["failed", "error", "no result", "quarantined", "skipped", "xfailed"]
)
def test_outcome_is_chosen(reader: Reader, fit: Fit, outcome: str) -> None:
    reader.choose("outcome", outcome.replace(" ", "-"))

    expect_shown(reader, fit(lambda test: test.outcome == outcome))


def test_marker_is_chosen(reader: Reader, fit: Fit) -> None:
    reader.choose("marker", "workloads")

    expect_shown(reader, fit(lambda test: "workloads" in test.markers))


def test_filters_and_words_hold_together(reader: Reader, fit: Fit) -> None:
    reader.choose("layer", "infrastructure")
    reader.choose("outcome", "failed")
    reader.search("[postgres]")

    expect_shown(
        reader,
        fit(
            lambda test: (
                test.layer == "infrastructure"
                and test.outcome == "failed"
                and "[postgres]" in test.nodeid
            )
        ),
    )


def test_nothing_found_is_said_and_cleared(reader: Reader, run: Run) -> None:
    reader.search("no test has this")
    expect_shown(reader, set())
    expect(reader.page.locator(".none-found")).to_be_visible()

    reader.page.get_by_role("button", name="Clear").click()

    expect_shown(reader, {test.nodeid for test in run.tests})
    expect(reader.page.locator(".none-found")).to_be_hidden()


def test_link_to_a_test_opens_it(read: Read, english: Path) -> None:
    reader = read(english, fragment=mark(PING))

    expect(reader.test(PING)).to_have_attribute("open", "")
    expect(reader.test(PING)).to_be_in_viewport()


def test_link_opens_a_test_that_is_filtered_out(reader: Reader) -> None:
    reader.search("subject:etcd")
    expect(reader.test(LET_IN)).to_be_hidden()
    link = reader.part("timeline").get_by_role("link", name=LET_IN)

    link.click()

    expect(reader.test(LET_IN)).to_have_attribute("open", "")
    expect(reader.test(LET_IN)).to_be_in_viewport()


def test_link_opens_its_test_each_time_it_is_followed(reader: Reader) -> None:
    link = reader.part("timeline").get_by_role("link").first
    link.click()
    row = reader.test(link.text_content() or "")
    row.locator("summary").click()
    expect(row).not_to_have_attribute("open", "")

    link.click()

    expect(row).to_have_attribute("open", "")


def test_link_to_nothing_leaves_the_page_as_it_is(read: Read, english: Path) -> None:
    reader = read(english, fragment="%E0%A4%A")

    reader.search(PING)

    expect_shown(reader, {PING})
    assert reader.said == []


def test_test_tells_its_own_link(reader: Reader) -> None:
    link = reader.open(PING).get_by_role("link")

    assert link.get_attribute("href") == f"#{mark(PING)}"


def test_keyboard_leads_to_the_search_and_opens_tests(reader: Reader, fit: Fit) -> None:
    keyboard = reader.page.keyboard
    keyboard.press("Tab")
    expect(reader.page.locator(".skip")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(reader.page.locator("input[name=search]")).to_be_focused()

    keyboard.type("subject:etcd")
    expect_shown(reader, fit(lambda test: "etcd" in test.subjects))
    for _ in ("layer", "outcome", "marker", "clear", "the first test"):
        keyboard.press("Tab")
    first = reader.test(reader.shown[0])
    expect(first.locator("summary")).to_be_focused()

    keyboard.press("Enter")
    expect(first).to_have_attribute("open", "")
    keyboard.press("Space")
    expect(first).not_to_have_attribute("open", "")


def links(reader: Reader, selector: str) -> list[str]:
    """Return what each link of a kind searches for."""
    found: list[str] = reader.page.eval_on_selector_all(
        selector, "links => links.map(link => link.dataset.find)"
    )
    assert found
    return found


@pytest.mark.parametrize(
    "selector",
    [".layers [data-find]", ".plan .door", ".plan .pod", ".matrix [data-find]"],
    ids=["component", "service", "pod", "cell"],
)
def test_click_leads_to_the_tests_of_what_is_clicked(
    reader: Reader, fit: Fit, selector: str
) -> None:
    for number, words in enumerate(links(reader, selector)):
        names = [word.removeprefix("subject:") for word in words.split()]

        reader.page.locator(selector).nth(number).click()

        expect_shown(reader, fit(lambda test: set(names) <= set(test.subjects)))  # noqa: B023
        assert reader.page.evaluate("location.hash").startswith("#find=")


def test_cause_leads_to_the_tests_that_it_explains(reader: Reader, fit: Fit) -> None:
    for cause in (NO_ROOM["cause"], WRONG_PASSWORD["cause"]):
        shown = reader.part("causes").locator(".cause", has_text=cause)
        if shown.get_attribute("open") is None:
            shown.locator("summary").first.click()

        shown.locator("[data-find]").click()

        expect_shown(reader, fit(lambda test: test.cause == cause))  # noqa: B023


def test_files_that_were_collected_are_where_the_page_says(
    reader: Reader, rejected_directory: Path
) -> None:
    shown = reader.part("causes").locator(".cause", has_text=WRONG_PASSWORD["cause"])
    links = [link.get_attribute("href") or "" for link in shown.locator("dl a").all()]

    assert [Path(link).parent for link in links] == [Path(COLLECTED)] * 2
    assert all((rejected_directory / link).is_file() for link in links)
