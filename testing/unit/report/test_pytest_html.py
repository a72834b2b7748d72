"""pytest-html's page is filled from the record, and nothing in a record can break out of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader, meta

from nova_acceptance.report import load, pytest_html
from testing.unit.report.events import END, HEALTH, NAMES, REDIS, START, collected, finished, write
from testing.unit.report.markup import Elements, hostile

TEMPLATE_VARIABLES = {
    "additional_summary",
    "date",
    "outcomes",
    "run_count",
    "running_state",
    "self_contained",
    "styles",
    "table_head",
    "test_data",
    "time",
    "title",
    "version",
}


def rendered(directory: Path) -> str:
    return "".join(pytest_html.render(load(directory)))


def _data(text: str) -> dict[str, Any]:
    """Return what pytest-html's script draws the table of tests from."""
    blob = next(
        attributes["data-jsonblob"]
        for _, attributes in Elements(text).tags
        if "data-jsonblob" in attributes
    )
    assert blob is not None
    data: dict[str, Any] = json.loads(blob)
    return data


def _rows(text: str) -> list[dict[str, Any]]:
    return [row for rows in _data(text)["tests"].values() for row in rows]


def test_nothing_in_a_record_becomes_markup(tmp_path: Path) -> None:
    text = rendered(hostile(tmp_path))
    fragments = [text]
    for row in _rows(text):
        fragments += [*row["resultsTableRow"], row["log"], row["extras"][0]["content"]]
    environment = _data(text)["environment"]
    fragments += [*environment.keys(), *environment.values()]
    for fragment in fragments:
        elements = Elements(fragment)
        assert not [attributes for _, attributes in elements.tags if "onerror" in attributes]
        assert "alert(" not in "".join(
            str(attributes) for tag, attributes in elements.tags if tag != "div"
        )
    assert [tag for tag, _ in Elements(text).tags].count("script") == 1
    assert "49" not in environment.values()


def test_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = rendered(hostile(tmp_path))

    for tag, attributes in Elements(text).tags:
        assert tag not in ("link", "iframe", "object", "base")
        assert not attributes.get("src")
    assert not re.search(r"@import|url\(", text)


def test_pytest_html_template_asks_for_what_is_given() -> None:
    environment = Environment(  # noqa: S701 - parsed, never rendered
        loader=PackageLoader("pytest_html", "resources")
    )
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, pytest_html.TEMPLATE)

    assert meta.find_undeclared_variables(environment.parse(source)) == TEMPLATE_VARIABLES


def test_script_of_pytest_html_finds_a_box_for_each_of_its_categories(tmp_path: Path) -> None:
    text = rendered(write(tmp_path, START, *finished(REDIS), END))
    declared = re.search(r"possibleFilters = \[(.*?)\]", text, re.DOTALL)
    assert declared

    boxes = {attributes.get("data-test-result") for _, attributes in Elements(text).tags}

    assert set(re.findall(r"'(\w+)'", declared[1])) <= boxes


def test_tests_that_need_attention_come_first_then_layer_by_layer(tmp_path: Path) -> None:
    late = "tests/networking/test_z.py::test_never_ran"
    directory = write(
        tmp_path,
        START,
        collected(NAMES, HEALTH, REDIS, late),
        *finished(NAMES),
        *finished(HEALTH),
        *finished(REDIS, "failed"),
    )

    rows = _rows(rendered(directory))
    assert [(row["testId"], row["result"]) for row in rows] == [
        (REDIS, "failed"),
        (late, "rerun"),
        (HEALTH, "passed"),
        (NAMES, "passed"),
    ]
    assert rows[1]["resultsTableRow"][0] == '<td class="col-result">NO RESULT</td>'


def test_evidence_is_a_table(tmp_path: Path) -> None:
    entry = {"asked": "PING", "source": "runner", "target": "r:1", "answer": "PONG"}
    events = finished(REDIS, evidence=[entry | {"seconds": 0.0123}])
    directory = write(tmp_path, START, *events, END)

    content = _rows(rendered(directory))[0]["extras"][0]["content"]

    assert re.findall(r"<t[dh]\b[^>]*>(?:<code>)?([^<]*)", content) == [
        "Asked",
        "From",
        "Of",
        "Answer",
        "ms",
        "PING",
        "runner",
        "r:1",
        "PONG",
        "12.3",
    ]


def test_what_has_no_room_is_left_out_of_tests_that_need_no_attention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"asked": "PING", "source": "runner", "target": "r:1", "answer": "a" * 2_000}
    evidence = [entry | {"seconds": 0.0123}]
    events = [
        *finished(HEALTH, evidence=evidence),
        *finished(NAMES, evidence=evidence),
        *finished(REDIS, "failed", evidence=evidence),
    ]
    directory = write(tmp_path, START, *events, END)
    whole = rendered(directory)
    monkeypatch.setattr(pytest_html, "MOST", 6_000)

    text = rendered(directory)

    assert [(row["testId"], bool(row["extras"])) for row in _rows(text)] == [
        (REDIS, True),
        (HEALTH, False),
        (NAMES, False),
    ]
    assert all("report.html" in row["log"] for row in _rows(text)[1:])
    assert all(row["extras"] for row in _rows(whole))
    assert len(text) < len(whole)


def test_page_says_what_was_left_out_and_which_layers_were_not_collected(tmp_path: Path) -> None:
    left_out = collected(REDIS) | {"deselected": 3, "uncollected": ["services", "networking"]}

    text = rendered(write(tmp_path / "run", START, left_out, *finished(REDIS), END))

    assert ", 3 more left out, not collected: Services, Networking" in text
