"""Someone who reads a report in a browser: what is shown, what is clicked, what the page does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, Request

from nova_acceptance.report.anchors import mark

Scheme = Literal["light", "dark"]

WIDE: Final = 1280
NARROW: Final = 390
HEIGHT: Final = 900

SHOWN: Final = 20.0
"""Seconds within which a page shows what was asked of it."""

NODEID: Final = "summary > code:not(.why)"
"""Where a test's row has its name."""


class Reader:
    """A page that is open, and what it does unasked.

    Attributes:
        page: Playwright's page.
        said: messages of the console that are errors or warnings, and errors of the script.
        asked: addresses that it asked for, its own included.
        dialogs: the texts of dialogs that it opened.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._notice)
        page.on("dialog", self._dismiss)

    @property
    def tests(self) -> Locator:
        """The rows of all tests, those that are filtered out as well."""
        return self.page.locator(".test")

    @property
    def shown(self) -> list[str]:
        """The names of the tests that are shown, in their order."""
        return self._nodeids(".test:not([hidden])")

    @property
    def opened(self) -> list[str]:
        """The names of the tests that are open."""
        return self._nodeids(".test[open]")

    @property
    def count(self) -> Locator:
        """How many tests are shown, in words."""
        return self.page.locator(".filters output")

    def part(self, name: str) -> Locator:
        """Return a part of the report, such as `topology`."""
        return self.page.locator(f"section#{name}")

    def test(self, nodeid: str) -> Locator:
        """Return the row of a test."""
        return self.page.locator(f"#{mark(nodeid)}")

    def open(self, nodeid: str) -> Locator:
        """Open a test that is closed, and return its row once it is filled."""
        row = self.test(nodeid)
        if row.get_attribute("open") is None:
            row.locator("summary").click()
        row.locator(".more > p").last.wait_for()
        return row

    def open_all(self) -> None:
        """Open every test and everything else that can be opened."""
        self.page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        self.page.locator(".test:not(:has(.more > p))").first.wait_for(state="detached")

    def await_count(self, told: str) -> None:
        """Wait until the page says so of how many tests it shows.

        Playwright's `expect` describes the whole page as soon as something is not there yet, which
        takes minutes where the tests are many.
        """
        self.count.filter(has_text=re.compile(f"^{re.escape(told)}$")).wait_for()

    def await_shown(self, wanted: set[str]) -> None:
        """Wait until these tests are shown and no others.

        Their number does not say it: two searches in a row may find as many.
        """
        deadline = time.monotonic() + SHOWN
        while set(self.shown) != wanted and time.monotonic() < deadline:
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        assert set(self.shown) == wanted

    def search(self, words: str) -> None:
        """Type words into the search."""
        self.page.locator("input[name=search]").fill(words)

    def choose(self, name: str, value: str) -> None:
        """Choose a layer, an outcome or a marker."""
        self.page.locator(f"select[name={name}]").select_option(value)

    def _nodeids(self, rows: str) -> list[str]:
        found: list[str] = self.page.eval_on_selector_all(
            ", ".join(f"{row} > {NODEID}" for row in rows.split(", ")),
            "codes => codes.map(code => code.textContent)",
        )
        return found

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def _notice(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.asked.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def reading(
    browser: Browser,
    path: Path,
    *,
    fragment: str = "",
    scheme: Scheme = "light",
    width: int = WIDE,
    script: bool = True,
) -> Iterator[Reader]:
    """Open a report.

    Args:
        browser: what to open it in.
        path: its file.
        fragment: what follows `#` in its address.
        scheme: the colours that the reader prefers.
        width: of the window, in pixels.
        script: whether scripts may run.
    """
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": HEIGHT},
        java_script_enabled=script,
    )
    try:
        reader = Reader(context.new_page())
        reader.page.goto(path.as_uri() + (f"#{fragment}" if fragment else ""))
        yield reader
    finally:
        context.close()
