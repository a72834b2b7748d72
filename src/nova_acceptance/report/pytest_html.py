"""pytest-html's page, one self-contained file, filled from the model of a run.

For those who know it and want its table of tests: the report is `page`. pytest-html fills its page
while the tests run and so loses what crashed or was interrupted. Here its template, style and
script (those of pytest-html 4.2) are filled afterwards, with a layer column and the evidence of our
own. Everything that comes from a test or from the cluster is hostile input: the fragments are
rendered with autoescaping, and only whole fragments are trusted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import metadata, resources
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import escape

from nova_acceptance.report.compiled import kept
from nova_acceptance.report.model import Outcome, Run, Test, urgency
from nova_acceptance.report.texts import ENGLISH, texts
from nova_acceptance.report.wording import Wording

FILE_NAME: Final = "pytest-html.html"
TEMPLATE: Final = "index.jinja2"
"""pytest-html's own page."""
MOST: Final = 7_500_000
"""Characters of the tests in the page: it is to stay below 8 MB.

Every test keeps its row. What was asked in it, and written, is kept as long as there is room, of
those first that need attention; the report has the rest.
"""

_CATEGORIES: Final = {
    Outcome.FAILED: ("failed", "Failed"),
    Outcome.ERROR: ("error", "Errors"),
    Outcome.SKIPPED: ("skipped", "Skipped"),
    Outcome.XFAILED: ("xfailed", "Expected or quarantined failures"),
    Outcome.QUARANTINED: ("xfailed", "Expected or quarantined failures"),
    Outcome.PASSED: ("passed", "Passed"),
    # pytest-html's script knows a fixed set of categories. This project never runs a test again
    # by default, so the category for reruns is free to stand for "no result".
    Outcome.NO_RESULT: ("rerun", "No result"),
    # Nor is a pass ever unexpected: an expected failure that passes fails.
    Outcome.NOT_ASKED: ("xpassed", "Not asked"),
}
_COLLAPSED: Final = ("passed", "skipped", "xfailed", "rerun", "xpassed")
_LEFT_OUT: Final = {"extras": [], "log": "left out for the size of this page: see report.html"}
_HEADINGS: Final = (
    '<th class="sortable" data-column-type="result">Result</th>',
    '<th class="sortable" data-column-type="layer">Layer</th>',
    '<th class="sortable" data-column-type="testId">Test</th>',
    '<th class="sortable" data-column-type="duration">Time</th>',
)


def render(run: Run) -> Iterator[str]:
    """Return the page piece by piece; it loads nothing from elsewhere."""
    ended = (run.ended or datetime.now(UTC)).astimezone(UTC)
    page = _environment().get_template(TEMPLATE)
    return page.generate(
        title=f"Nova acceptance: {run.verdict}",
        date=f"{ended:%Y-%m-%d}",
        time=f"{ended:%H:%M:%S} UTC",
        version=metadata.version("pytest-html"),
        styles=_styles(),
        run_count=_run_count(run),
        running_state="finished",
        self_contained=True,
        outcomes=_outcomes(run),
        test_data=json.dumps(_data(run)),
        table_head=_HEADINGS,
        additional_summary={
            "prefix": [_fragment("summary.html", run=run, word=Wording(texts(ENGLISH)))]
        },
    )


def prepare() -> None:
    """Compile the templates, which takes longer than to render them."""
    for name in (TEMPLATE, "summary.html"):
        _environment().get_template(name)
    _of_a_test()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("nova_acceptance.report", "templates/pytest_html"),
                PackageLoader("pytest_html", "resources"),
            ]
        ),
        auto_reload=False,
        autoescape=True,
        bytecode_cache=kept(),
    )
    environment.filters["duration"] = Wording(texts(ENGLISH)).duration
    environment.filters["milliseconds"] = lambda seconds: f"{1000 * float(seconds or 0):,.1f}"
    return environment


def _fragment(name: str, **context: Any) -> str:
    return _environment().get_template(name).render(**context)


@cache
def _of_a_test() -> Any:
    """Return the macros that a test is told by, which are called more often than all else."""
    return _environment().get_template("test.html").module


def _styles() -> str:
    theirs = resources.files("pytest_html") / "resources" / "style.css"
    ours = resources.files("nova_acceptance.report") / "templates" / "pytest_html" / "page.css"
    return theirs.read_text(encoding="utf-8") + ours.read_text(encoding="utf-8")


def _run_count(run: Run) -> str:
    total = len(run.tests)
    word = Wording(texts(ENGLISH))
    took = word.duration(run.seconds)
    words = f"{total} test{'' if total == 1 else 's'} in {took}"
    if run.deselected:
        words += f", {run.deselected} more left out"
    return f"{words}, not collected: {word.layers(run.uncollected)}" if run.uncollected else words


def _outcomes(run: Run) -> dict[str, dict[str, str | int]]:
    counted = run.outcomes
    values: Counter[str] = Counter()
    for outcome, (category, _) in _CATEGORIES.items():
        values[category] += counted[outcome]
    return {
        category: {"label": label, "value": values[category]}
        for category, label in _CATEGORIES.values()
    }


def _data(run: Run) -> dict[str, Any]:
    """Return what pytest-html's script draws the table of tests from.

    Tests that need attention come first, then by layer, in the order of collection.
    """
    tests = sorted(run.tests, key=urgency)
    rows = [{**_row(test), **_LEFT_OUT} for test in tests]
    room = MOST - _size(rows)
    for test, row in zip(tests, rows, strict=True):
        details = _details(test)
        room -= _size(details)
        if room < 0:
            break
        row.update(details)
    return {
        "title": "Nova acceptance",
        "environment": {
            _escaped(key): _escaped(value)
            for key, value in {**run.versions, **run.options, "run": run.name}.items()
            if value not in (None, "", False)
        },
        "tests": {str(number): [row] for number, row in enumerate(rows)},
        "renderCollapsed": _COLLAPSED,
        "initialSort": "original",
    }


def _row(test: Test) -> dict[str, Any]:
    category, _ = _CATEGORIES[test.outcome]
    cells = str(_of_a_test().row(test)).strip().splitlines()
    return {
        "result": category,
        "layer": test.layer,
        "testId": test.nodeid,
        "duration": f"{1000 * test.seconds:.0f} ms",
        "resultsTableRow": [cell.strip() for cell in cells],
    }


def _details(test: Test) -> dict[str, Any]:
    """Return what a row shows once it is opened."""
    evidence = str(_of_a_test().evidence(test))
    return {
        "extras": [{"name": "evidence", "format_type": "html", "content": evidence}],
        "log": _escaped(_log(test)),
    }


def _size(value: object) -> int:
    """Return how many characters a value takes in the page, which has it in an attribute."""
    return len(escape(json.dumps(value)))


def _log(test: Test) -> str:
    pieces = [test.text] if test.text else []
    pieces += [f"──── {heading} ────\n{content}" for heading, content in test.sections if content]
    return "\n".join(pieces)


def _escaped(value: object) -> str:
    return str(escape(value))
