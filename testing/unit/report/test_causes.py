"""The causes of a run: each once, the deepest first, with the tests that it explains."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from nova_acceptance.phrase import Phrase
from nova_acceptance.report import load
from nova_acceptance.report.model import Problem
from nova_acceptance.report.rendering import render
from testing.unit.report.events import END, HEALTH, NAMES, REDIS, START, collected, phase, write


def found(cause: str, **fields: Any) -> dict[str, Any]:
    return {
        "cause": cause,
        "subject": "Pod a/b",
        "summary": "it is so",
        "cure": "mend it",
        **fields,
    }


def failed(nodeid: str, when: str, cause: str, **fields: Any) -> dict[str, Any]:
    return phase(nodeid, when, "failed", text="…", diagnosis=found(cause, **fields))


def test_causes_are_counted_and_the_deepest_comes_first(tmp_path: Path) -> None:
    events = [
        START,
        collected(REDIS, HEALTH, NAMES),
        {"type": "diagnosis", "source": "test", "nodeid": REDIS, **found("NO_LEADER")},
        failed(REDIS, "call", "NO_LEADER"),
        failed(REDIS, "teardown", "NO_LEADER"),
        failed(HEALTH, "setup", "UNKNOWN"),
        failed(NAMES, "call", "IMAGE_PULL", symptoms=[{"cause": "PORT_CLOSED", "summary": "shut"}]),
        END,
    ]

    causes = load(write(tmp_path, *events)).causes

    assert [(each.cause, each.tests) for each in causes] == [
        ("IMAGE_PULL", 1),
        ("NO_LEADER", 1),
        ("UNKNOWN", 1),
    ]
    assert causes[0].headline == "IMAGE_PULL: it is so → mend it"
    assert causes[0].symptoms == (("PORT_CLOSED", "", Phrase("shut")),)
    assert causes[1].seconds == 2.0


def test_cause_of_a_deployment_explains_no_test_by_itself(tmp_path: Path) -> None:
    event = {"type": "diagnosis", "source": "deployment", "nodeid": "", **found("IMAGE_PULL")}

    (cause,) = load(write(tmp_path, START, event, END)).causes

    assert cause.tests == 0


def test_record_of_odd_diagnoses_is_read(tmp_path: Path) -> None:
    events = [phase(REDIS, "call", "failed", diagnosis="?"), {"type": "diagnosis"}]

    (cause,) = load(write(tmp_path, START, *events)).causes

    assert (cause.cause, cause.subject, cause.tests) == ("?", "", 0)


def test_page_shows_causes_as_text(tmp_path: Path) -> None:
    event = failed(REDIS, "call", "IMAGE_PULL", evidence=["<script>alert(1)</script>"])

    _, page = render(write(tmp_path, START, event, END))

    text = page.read_text(encoding="utf-8")
    assert re.search(r"<code>IMAGE_PULL</code>\s*<span>it is so</span>", text)
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_material_that_could_not_be_kept_is_a_problem(tmp_path: Path) -> None:
    event = {
        "type": "collected-material",
        "cause": "IMAGE_PULL",
        "failed": ["events.txt: no space"],
    }

    run = load(write(tmp_path, START, event, END))

    missing = {"cause": "IMAGE_PULL", "text": "events.txt: no space"}
    assert Problem("not-collected", missing) in run.problems
