"""The page is quiet, alone, accessible and fits its window, in every language, colour and width."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from nova_acceptance.report import Run
from nova_acceptance.report.texts import Texts
from testing.browser.conftest import Read
from testing.browser.reader import NARROW, WIDE, Reader, Scheme
from testing.browser.runs import LET_IN

each_look = pytest.mark.parametrize(
    ("scheme", "width"),
    [(scheme, width) for scheme in ("light", "dark") for width in (WIDE, NARROW)],
)


def use(reader: Reader) -> None:
    """Do what a reader does: search, look at a test, follow a link, open everything."""
    reader.search("redis")
    reader.page.locator(".filters button[type=reset]").click()
    reader.open(LET_IN)
    reader.part("timeline").get_by_role("link").first.click()
    reader.open_all()


@each_look
def test_page_says_nothing_in_the_console(
    read: Read, rejected: Path, scheme: Scheme, width: int
) -> None:
    reader = read(rejected, scheme=scheme, width=width)

    use(reader)

    assert reader.said == []


@each_look
def test_page_asks_for_nothing_beyond_its_own_file(
    read: Read, rejected: Path, scheme: Scheme, width: int
) -> None:
    reader = read(rejected, scheme=scheme, width=width)

    use(reader)

    assert reader.asked == [rejected.as_uri()]


@each_look
def test_axe_finds_nothing(read: Read, rejected: Path, scheme: Scheme, width: int) -> None:
    reader = read(rejected, scheme=scheme, width=width)
    reader.open_all()

    found = Axe().run(reader.page).response["violations"]

    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found] == []


@each_look
def test_axe_finds_nothing_in_an_accepted_run(
    read: Read, accepted: Path, scheme: Scheme, width: int
) -> None:
    found = Axe().run(read(accepted, scheme=scheme, width=width).page).response["violations"]

    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found] == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_document_is_as_wide_as_its_window(read: Read, rejected: Path, width: int) -> None:
    reader = read(rejected, width=width)
    reader.open_all()

    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width


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
