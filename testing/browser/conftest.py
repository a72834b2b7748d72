"""Reports of made-up runs, and a browser to read them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from nova_acceptance.report import Run, load, page
from nova_acceptance.report.history import history_of
from nova_acceptance.report.texts import LANGUAGES, Texts, texts
from testing.browser.chromium import ChromiumMissingError, launched
from testing.browser.hostile import write_hostile
from testing.browser.reader import Reader, reading
from testing.browser.runs import write_accepted, write_runs

Read = Callable[..., Reader]


def rendered(directory: Path, language: str) -> Path:
    """Render a run's report and return its file, which lies in the run's directory."""
    run = load(directory)
    text = "".join(page.render(run, language=language, history=history_of(run, directory.parent)))
    path = directory / f"report.{language}.html"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with ExitStack() as running:
        try:
            browser = running.enter_context(launched())
        except ChromiumMissingError as error:
            pytest.exit(str(error), returncode=1)
        yield browser


@pytest.fixture
def read(browser: Browser) -> Iterator[Read]:
    """Open a report; it is closed when the test ends."""
    with ExitStack() as opened:

        def open_report(path: Path, **look: Any) -> Reader:
            return opened.enter_context(reading(browser, path, **look))

        yield open_report


@pytest.fixture(scope="session", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def say(language: str) -> Texts:
    return texts(language)


@pytest.fixture(scope="session")
def rejected_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="session")
def run(rejected_directory: Path) -> Run:
    """The rejected run as its record tells it."""
    return load(rejected_directory)


@pytest.fixture(scope="session")
def rejected(rejected_directory: Path, language: str) -> Path:
    """The report of a rejected run with earlier ones, in either language."""
    return rendered(rejected_directory, language)


@pytest.fixture(scope="session")
def english(rejected_directory: Path) -> Path:
    """The same in English."""
    return rendered(rejected_directory, "en")


@pytest.fixture(scope="session")
def accepted_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_accepted(tmp_path_factory.mktemp("accepted"))


@pytest.fixture(scope="session")
def accepted(accepted_directory: Path, language: str) -> Path:
    """The report of an accepted run, the first on its cluster."""
    return rendered(accepted_directory, language)


@pytest.fixture(scope="session")
def hostile_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def hostile(hostile_directory: Path, language: str) -> Path:
    """The report of a run whose every text is hostile."""
    return rendered(hostile_directory, language)
