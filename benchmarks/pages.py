"""The report of very many tests against pytest-html's page of the same record."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from benchmarks.table import row, spread
from nova_acceptance.report import load, page, pytest_html
from nova_acceptance.report.texts import ENGLISH
from testing.browser.chromium import launched
from testing.browser.many import MANY, long_history, write_many
from testing.browser.reader import Reader, reading

REPEATS: Final = 3
WORDS: Final = ("service-045", "answered by service-012", "no test has this", "redis 200")
"""What is searched for: names, answers, nothing, and what very many tests have."""

# From the first to the last of what a reader waits for: a key pressed, and the new count painted.
_SEARCH: Final = """
    async (words) => {
        const input = document.querySelector("input[name=search]");
        const count = document.querySelector(".filters output");
        const began = performance.now();
        const painted = new Promise((done) => {
            new MutationObserver(() => requestAnimationFrame(() => setTimeout(done)))
                .observe(count, {childList: true});
        });
        input.value = words;
        input.dispatchEvent(new Event("input", {bubbles: true}));
        await painted;
        return (performance.now() - began) / 1000;
    }
"""
_OPEN: Final = """
    async (row) => {
        const began = performance.now();
        const filled = new Promise((done) => {
            new MutationObserver(() => {
                if (row.querySelector(".more > p")) requestAnimationFrame(() => setTimeout(done));
            }).observe(row, {childList: true, subtree: true});
        });
        row.open = true;
        await filled;
        return (performance.now() - began) / 1000;
    }
"""


def measure_pages() -> None:
    """Print how long both pages take to be written and opened, and how large they are."""
    with tempfile.TemporaryDirectory() as scratch, launched() as browser:
        directory = write_many(Path(scratch))
        history = long_history(load(directory))
        ours = directory / page.FILE_NAME
        theirs = directory / pytest_html.FILE_NAME
        _written(
            f"report of {MANY:,} tests, from its record",
            ours,
            lambda: page.render(load(directory), language=ENGLISH, history=history),
        )
        _written(
            "the same by pytest-html",
            theirs,
            lambda: pytest_html.render(load(directory)),
        )
        _opened(f"report of {MANY:,} tests opened", browser, ours)
        _opened("the same by pytest-html", browser, theirs)
        with reading(browser, ours) as reader:
            _searched(reader)


def _written(what: str, path: Path, render: Callable[[], Iterable[str]]) -> None:
    seconds = []
    for _ in range(REPEATS):
        began = time.monotonic()
        path.write_text("".join(render()), encoding="utf-8")
        seconds.append(time.monotonic() - began)
    size = f"{path.stat().st_size / 1_000_000:.1f} MB"
    row(what, statistics.median(seconds), f"{size}; {spread(seconds)}")


def _opened(what: str, browser: Browser, path: Path) -> None:
    """Measure until the page's load event: its rows are drawn then, and can be used."""
    seconds = []
    for _ in range(REPEATS):
        began = time.monotonic()
        with reading(browser, path):
            seconds.append(time.monotonic() - began)
    row(what, statistics.median(seconds), spread(seconds))


def _searched(reader: Reader) -> None:
    reader.open(reader.shown[0])  # what all tests were asked is there once one is shown
    found = [reader.page.evaluate(_SEARCH, words) for words in (*WORDS, "")]
    row("searched, until the new count is painted", *_milliseconds(found))
    rows = [reader.tests.nth(number) for number in range(MANY // 2, MANY, MANY // 10)]
    opened = [each.evaluate(_OPEN) for each in rows]
    row("a test opened, until its evidence is painted", *_milliseconds(opened))


def _milliseconds(seconds: list[float]) -> tuple[str, str]:
    low, high = 1000 * min(seconds), 1000 * max(seconds)
    return f"{1000 * statistics.median(seconds):.0f} ms", f"{low:.0f} to {high:.0f} ms"
