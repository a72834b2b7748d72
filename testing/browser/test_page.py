"""The page is quiet, alone, accessible and fits its window, in every language, colour and width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from nova_acceptance.report import Run
from nova_acceptance.report.texts import Texts
from testing.browser.conftest import Read
from testing.browser.reader import NARROW, WIDE, Reader, Scheme, reading
from testing.browser.runs import LET_IN

LOOKS: list[tuple[Scheme, int]] = [
    ("light", WIDE),
    ("light", NARROW),
    ("dark", WIDE),
    ("dark", NARROW),
]


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest) -> tuple[Scheme, int]:
    scheme, width = request.param
    return scheme, width


@pytest.fixture(scope="module")
def used(browser: Browser, rejected: Path, look: tuple[Scheme, int]) -> Iterator[Reader]:
    """A page on which a reader has searched, looked at a test, followed a link, opened all."""
    scheme, width = look
    with reading(browser, rejected, scheme=scheme, width=width) as reader:
        reader.search("redis")
        reader.page.locator(".filters button[type=reset]").click()
        reader.open(LET_IN)
        reader.part("timeline").get_by_role("link").first.click()
        reader.open_all()
        yield reader


def violations(reader: Reader) -> list[tuple[str, str, str]]:
    """Return what axe-core finds: the rule, how bad it is, and the first element concerned."""
    found = Axe().run(reader.page).response["violations"]
    return [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found]


def test_page_says_nothing_in_the_console(used: Reader) -> None:
    assert used.said == []


def test_page_asks_for_nothing_beyond_its_own_file(used: Reader, rejected: Path) -> None:
    assert used.asked == [rejected.as_uri()]


def test_axe_finds_nothing(used: Reader) -> None:
    assert violations(used) == []


def test_document_is_as_wide_as_its_window(used: Reader, look: tuple[Scheme, int]) -> None:
    assert used.page.evaluate("document.documentElement.scrollWidth") <= look[1]


def test_axe_finds_nothing_in_an_accepted_run(
    read: Read, accepted: Path, look: tuple[Scheme, int]
) -> None:
    scheme, width = look

    assert violations(read(accepted, scheme=scheme, width=width)) == []


def test_dark_page_is_dark_and_a_light_one_light(read: Read, rejected: Path) -> None:
    light, dark = (
        read(rejected, scheme=scheme).page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        )
        for scheme in ("light", "dark")
    )

    assert min(light) > 200
    assert max(dark) < 60


def test_print_leaves_out_what_only_a_screen_can_use(read: Read, rejected: Path) -> None:
    reader = read(rejected, scheme="dark")
    reader.page.emulate_media(media="print")

    assert reader.page.locator("nav").is_hidden()
    assert reader.page.locator(".filters").is_hidden()
    assert reader.part("topology").is_visible()
    ground = "getComputedStyle(document.body).backgroundColor"
    assert reader.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert reader.page.pdf().startswith(b"%PDF")


def test_page_is_readable_without_its_script(
    read: Read, rejected: Path, run: Run, say: Texts
) -> None:
    reader = read(rejected, script=False)

    assert len(reader.shown) == len(run.tests)
    assert reader.page.locator(".filters").is_hidden()
    for part in ("causes", "system", "topology", "timeline", "tests", "history"):
        assert reader.part(part).get_by_role("heading", level=2).is_visible()
    # Chromium reads what is in it as text where only its tools switch scripts off.
    assert say("page.tests.script") in (reader.page.locator("noscript").text_content() or "")
