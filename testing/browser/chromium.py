"""A Chromium without a window, as the tests and the pictures of the READMEs need one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")


class ChromiumMissingError(Exception):
    """This machine has no Chromium; Playwright's own is never downloaded."""

    def __init__(self) -> None:
        super().__init__(
            f"no browser to read the report with: none of {', '.join(PROGRAMS)} is on the PATH; "
            "on Debian: apt-get install chromium fonts-noto-cjk"
        )


def find_chromium() -> str:
    """Return the path of the machine's Chromium.

    Raises:
        ChromiumMissingError: there is none.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise ChromiumMissingError
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """Run the machine's Chromium.

    Raises:
        ChromiumMissingError: there is none.
    """
    program = find_chromium()
    # As root it refuses to run in a sandbox; it opens nothing but files of our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
