"""Five thousand tests stay a file that can be sent, opened and searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.report import Run, load, page, pytest_html
from nova_acceptance.report.texts import ENGLISH, LANGUAGES, texts
from testing.browser.conftest import Read
from testing.browser.many import MANY, long_history, write_many

LARGEST = 8_000_000
"""Bytes that a page of so many tests may have."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load(write_many(tmp_path_factory.mktemp("many")))


@pytest.fixture(scope="module")
def verbose(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which a fifth of the tests fails, each with a text of 40,000 characters."""
    place = tmp_path_factory.mktemp("verbose")
    return load(write_many(place, failing=MANY // 5, characters=40_000))


def written(run: Run, directory: Path, language: str = ENGLISH) -> Path:
    path = directory / page.FILE_NAME
    shown = "".join(page.render(run, language=language, history=long_history(run)))
    path.write_text(shown, encoding="utf-8")
    return path


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_many_tests_is_small(many: Run, tmp_path: Path, language: str) -> None:
    assert written(many, tmp_path, language).stat().st_size <= LARGEST


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_many_long_failures_is_small(verbose: Run, tmp_path: Path, language: str) -> None:
    assert written(verbose, tmp_path, language).stat().st_size <= LARGEST


def test_pytest_html_page_of_many_tests_is_small(many: Run, verbose: Run) -> None:
    for run in (many, verbose):
        assert len("".join(pytest_html.render(run)).encode()) <= LARGEST


def test_each_of_many_tests_is_found_and_has_its_evidence(
    read: Read, many: Run, tmp_path: Path
) -> None:
    last = many.tests[-1]
    answer = last.evidence[-1]["answer"]
    reader = read(written(many, tmp_path))

    reader.search(answer)

    reader.await_count(f"1 of {MANY} tests")
    assert reader.shown == [last.nodeid]
    assert answer in (reader.open(last.nodeid).text_content() or "")


def test_failures_keep_their_evidence_where_all_is_too_much(
    read: Read, verbose: Run, tmp_path: Path
) -> None:
    first, last = verbose.tests[0], verbose.tests[-1]
    left_out = texts(ENGLISH)("page.tests.left-out")
    reader = read(written(verbose, tmp_path))

    reader.search(first.nodeid)
    reader.await_count(f"1 of {MANY} tests")
    assert first.evidence[-1]["answer"] in (reader.open(first.nodeid).text_content() or "")

    reader.search(last.nodeid)
    reader.test(last.nodeid).wait_for()
    assert left_out in (reader.open(last.nodeid).text_content() or "")


def test_component_finds_its_tests_where_their_evidence_is_left_out(
    read: Read, verbose: Run, tmp_path: Path
) -> None:
    reader = read(written(verbose, tmp_path))

    reader.part("system").get_by_role("link", name="redis", exact=True).first.click()

    wanted = sum("redis" in test.subjects for test in verbose.tests)
    reader.await_count(f"{wanted} of {MANY} tests")
