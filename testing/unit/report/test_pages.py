"""Every page is rendered from the record alone, and nothing in a record can break out of it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from jinja2 import Environment, PackageLoader, meta

from nova_acceptance.report import page, render
from nova_acceptance.report.__main__ import main
from testing.unit.report.events import (
    END,
    HEALTH,
    NAMES,
    REDIS,
    START,
    collected,
    finished,
    phase,
    write,
)

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"'&\x07\n{{ 7 * 7 }}"

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


class Elements(HTMLParser):
    """Collects what a browser would make of a page or a fragment."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


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


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    nodeid = f"tests/services/test_a.py::test_b[{HOSTILE}]"
    evidence = dict.fromkeys(("asked", "source", "target", "answer"), HOSTILE) | {"seconds": 0.1}
    described = {"nodeid": nodeid, "doc": HOSTILE, "markers": [HOSTILE], "layer": HOSTILE}
    row = dict.fromkeys(("component", "kind", "namespace", "image", "node"), HOSTILE)
    return write(
        tmp_path / "hostile",
        START | {"run": HOSTILE, "versions": {HOSTILE: HOSTILE}, "options": {HOSTILE: HOSTILE}},
        {"type": "collected", "tests": [described]},
        {"type": "cluster", "nodes": [HOSTILE]}
        | dict.fromkeys(
            ("name", "provider", "reason", "version", "reuse_hint", "remove_hint"), HOSTILE
        ),
        {"type": "deployment", "overlay": HOSTILE, "timeline": [{"pod": HOSTILE, "ready": 2}]},
        {
            "type": "snapshot",
            "rows": [row | {"wanted": 1, "ready": 0}],
            "counts": {HOSTILE: 1},
            "external": [{"name": HOSTILE, "address": HOSTILE, "used_by": [HOSTILE]}],
        },
        {"type": "note", "text": HOSTILE},
        phase(nodeid, "setup"),
        phase(
            nodeid,
            "call",
            "failed",
            text=HOSTILE,
            message=HOSTILE,
            evidence=[evidence],
            sections=[[HOSTILE, HOSTILE]],
            worker=HOSTILE,
        ),
        phase(nodeid, "teardown"),
        {"type": "interrupted", "text": HOSTILE},
        {"type": "crashed", "nodeid": nodeid, "worker": HOSTILE, "text": HOSTILE},
        END,
    )


def test_nothing_in_a_record_becomes_markup(hostile: Path) -> None:
    _, path = render(hostile)

    text = path.read_text(encoding="utf-8")
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


def test_page_loads_nothing_from_elsewhere(hostile: Path) -> None:
    _, path = render(hostile)

    text = path.read_text(encoding="utf-8")
    for tag, attributes in Elements(text).tags:
        assert tag not in ("link", "iframe", "object", "base")
        assert not attributes.get("src")
    assert not re.search(r"@import|url\(", text)


def test_junit_holds_hostile_text_as_text(hostile: Path) -> None:
    render(hostile)

    root = ET.parse(hostile / "junit.xml").getroot()  # noqa: S314 - our own file
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == HOSTILE.replace("\x07", "\\x07")


def test_pytest_html_template_asks_for_what_is_given() -> None:
    environment = Environment(  # noqa: S701 - parsed, never rendered
        loader=PackageLoader("pytest_html", "resources")
    )
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, page.TEMPLATE)

    assert meta.find_undeclared_variables(environment.parse(source)) == TEMPLATE_VARIABLES


def test_script_of_pytest_html_finds_a_box_for_each_of_its_categories(tmp_path: Path) -> None:
    _, path = render(write(tmp_path / "run", START, *finished(REDIS), END))
    text = path.read_text(encoding="utf-8")
    declared = re.search(r"possibleFilters = \[(.*?)\]", text, re.DOTALL)
    assert declared

    boxes = {attributes.get("data-test-result") for _, attributes in Elements(text).tags}

    assert set(re.findall(r"'(\w+)'", declared[1])) <= boxes


def test_tests_that_need_attention_come_first_then_layer_by_layer(tmp_path: Path) -> None:
    late = "tests/networking/test_z.py::test_never_ran"
    _, path = render(
        write(
            tmp_path / "run",
            START,
            collected(NAMES, HEALTH, REDIS, late),
            *finished(NAMES),
            *finished(HEALTH),
            *finished(REDIS, "failed"),
        )
    )

    rows = _rows(path.read_text(encoding="utf-8"))
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
    _, path = render(write(tmp_path / "run", START, *events, END))

    content = _rows(path.read_text(encoding="utf-8"))[0]["extras"][0]["content"]

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


def test_external_systems_are_declared_and_not_verified(tmp_path: Path) -> None:
    snapshot = {"type": "snapshot", "rows": [], "external": [{"name": "Kafka"}]}
    _, path = render(write(tmp_path / "run", START, snapshot, *finished(REDIS), END))

    assert "declared, not verified" in path.read_text(encoding="utf-8")


def test_empty_record_is_rendered_too(tmp_path: Path) -> None:
    run, path = render(write(tmp_path / "run"))

    assert run.verdict == "incomplete"
    assert "Nothing was collected." in path.read_text(encoding="utf-8")


def test_junit_counts_by_layer(tmp_path: Path) -> None:
    directory = write(
        tmp_path / "run",
        START,
        collected(REDIS, HEALTH, NAMES),
        *finished(REDIS, "failed", text="no PONG", message="no PONG"),
        *finished(HEALTH, "skipped"),
        END,
    )
    render(directory)

    root = ET.parse(directory / "junit.xml").getroot()  # noqa: S314 - our own file
    counted = {
        str(suite.get("name")): [
            suite.get(key) for key in ("tests", "failures", "errors", "skipped")
        ]
        for suite in root
    }
    assert counted == {
        "infrastructure": ["1", "1", "0", "0"],
        "services": ["1", "0", "0", "1"],
        "networking": ["1", "0", "1", "0"],
    }
    case = root.find("testsuite[@name='services']/testcase")
    assert case is not None
    assert case.get("classname") == "tests.services.test_health"
    assert case.get("name") == "test_service_answers[user-service]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0456, "46 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3725, "62 min 5 s"),
    ],
)
def test_duration_reads_well(seconds: float, text: str) -> None:
    assert page.duration(seconds) == text


def test_command_renders_an_old_record_again(tmp_path: Path) -> None:
    directory = write(tmp_path / "run", START, *finished(REDIS), END)

    result = CliRunner().invoke(main, [str(directory)])

    assert result.output == f"accepted: {directory / 'report.html'}\n"
    assert (directory / "junit.xml").is_file()


def test_command_refuses_a_directory_without_a_record(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path)])

    assert result.exit_code == 1
    assert "no record of a run could be read" in result.output
