"""JUnit XML keeps to the schema that CI servers read, whatever is in a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

from nova_acceptance.report import junit, load
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

HOSTILE = "</failure><script>alert('x')</script>]]>\"'&amp;\x07\ud800\uffff\n{{ 7 * 7 }}"

SCHEMA: Final[dict[str, tuple[str, str]]] = {
    "testsuites": ("name time tests failures errors", "testsuite"),
    "testsuite": (
        "name tests failures errors group time skipped timestamp hostname id package file log url",
        "testsuite properties testcase system-out system-err",
    ),
    "properties": ("", "property"),
    "property": ("name value", ""),
    "testcase": ("name time classname group", "skipped error failure system-out system-err"),
    "failure": ("type message", ""),
    "error": ("type message", ""),
    "skipped": ("type message", ""),
    "system-out": ("", ""),
}
"""What `junit-10.xsd` of Jenkins' xUnit plugin lets an element have: attributes, and elements."""


@pytest.fixture
def junit_of(tmp_path: Path) -> Any:
    def built(*events: dict[str, Any]) -> ET.Element:
        directory = write(tmp_path / "a-run", *events)
        return ET.fromstring("".join(junit.render(load(directory))).encode())  # noqa: S314 - our own file

    return built


def _case(root: ET.Element, name: str = "test_redis_answers") -> ET.Element:
    case = root.find(f".//testcase[@name='{name}']")
    assert case is not None
    return case


def _properties(suite: ET.Element) -> dict[str | None, str | None]:
    return {each.get("name"): each.get("value") for each in suite.iter("property")}


def test_every_element_is_in_the_schema(junit_of: Any) -> None:
    crash = {"type": "crashed", "nodeid": NAMES, "worker": "gw0", "text": "gone"}
    evidence = [{"asked": "PING", "source": "a", "target": "b", "answer": "PONG", "seconds": 0.1}]
    root = junit_of(
        START,
        collected(REDIS, HEALTH, NAMES, "tests/other/test_x.py::test_x", markers=["redis"]),
        {"type": "cluster", "name": "nova", "provider": "kind"},
        *finished(REDIS, "failed", text="no PONG", evidence=evidence),
        *finished(HEALTH, "skipped", text="not today"),
        crash,
        END,
    )

    for element in root.iter():
        attributes, elements = (set(names.split()) for names in SCHEMA[element.tag])
        assert set(element.keys()) <= attributes
        assert {child.tag for child in element} <= elements


def test_tests_are_counted_by_layer(junit_of: Any) -> None:
    root = junit_of(
        START,
        collected(REDIS, HEALTH, NAMES),
        *finished(REDIS, "failed", text="no PONG", message="no PONG"),
        *finished(HEALTH, "skipped"),
        END,
    )

    keys = ("tests", "failures", "errors", "skipped", "time")
    assert {suite.get("name"): [suite.get(key) for key in keys] for suite in root} == {
        "infrastructure": ["1", "1", "0", "0", "1.500"],
        "services": ["1", "0", "0", "1", "1.500"],
        "networking": ["1", "0", "1", "0", "0.000"],
    }
    assert [root.get(key) for key in ("tests", "failures", "errors")] == ["3", "1", "1"]
    case = _case(root, "test_service_answers[user-service]")
    assert case.get("classname") == "tests.services.test_health"


def test_properties_tell_what_the_run_was(junit_of: Any) -> None:
    found = {"cause": "IMAGE_PULL", "subject": "Pod a/b", "summary": "no such image"}
    root = junit_of(
        START | {"manifests": {"commit": "c" * 40, "changed": True, "digest": "d" * 64}},
        {"type": "cluster", "name": "nova", "provider": "kind", "version": "v1", "nodes": ["a"]},
        {"type": "deployment", "overlay": "multi-node"},
        *finished(HEALTH),
        *finished(REDIS, "failed", diagnosis=found),
        END,
    )

    expected = {
        "run": "a-run",
        "verdict": "rejected",
        "cluster": "nova",
        "provider": "kind",
        "kubernetes": "v1",
        "nodes": "1",
        "overlay": "multi-node",
        "commit": "c" * 40,
        "changed": "true",
        "digest": "d" * 64,
        "cause.1": "IMAGE_PULL at Pod a/b: no such image",
    }
    assert [_properties(suite) for suite in root] == [expected, expected]
    assert [suite[0].tag for suite in root] == ["properties", "properties"]


def test_what_is_not_known_is_no_property(junit_of: Any) -> None:
    (suite,) = junit_of(START, *finished(REDIS), END)

    assert _properties(suite) == {"run": "a-run", "verdict": "accepted"}


@pytest.mark.parametrize("said", ["it did not answer", "IMAGE_PULL: it did not answer"])
def test_failure_begins_with_its_cause(junit_of: Any, said: str) -> None:
    found = {"cause": "IMAGE_PULL", "subject": "Pod a/b"}
    root = junit_of(
        START, *finished(REDIS, "failed", diagnosis=found, text="in full", message=said), END
    )

    failure = _case(root).find("failure")
    assert failure is not None
    assert failure.get("message") == "IMAGE_PULL: it did not answer"
    assert failure.get("type") == "IMAGE_PULL"
    assert failure.text == "in full"


def test_markers_are_the_group_of_a_case(junit_of: Any) -> None:
    root = junit_of(START, collected(REDIS, markers=["infra", "redis"]), *finished(REDIS), END)

    assert _case(root).get("group") == "infra,redis"


def test_test_without_a_result_is_an_error_of_that_type(junit_of: Any) -> None:
    root = junit_of(START, collected(REDIS))

    error = _case(root).find("error")
    assert error is not None
    assert error.get("type") == "NoResult"


def test_hostile_text_stays_text(junit_of: Any) -> None:
    nodeid = f"tests/services/test_a.py::test_b[{HOSTILE}]"
    evidence = dict.fromkeys(("asked", "source", "target", "answer", "seconds"), HOSTILE)
    found = dict.fromkeys(("cause", "subject", "summary", "cure"), HOSTILE)
    root = junit_of(
        START | {"run": HOSTILE, "manifests": {"commit": HOSTILE, "digest": HOSTILE}},
        collected(nodeid, markers=[HOSTILE]),
        {"type": "cluster"} | dict.fromkeys(("name", "provider", "version"), HOSTILE),
        {"type": "deployment", "overlay": HOSTILE},
        phase(nodeid, "setup"),
        phase(
            nodeid,
            "call",
            "failed",
            text=HOSTILE,
            message=HOSTILE,
            evidence=[evidence],
            diagnosis=found,
        ),
        phase(nodeid, "teardown"),
        END,
    )

    shown = HOSTILE.replace("\x07", "\\x07").replace("\ud800", "\\ud800")
    shown = shown.replace("\uffff", "\\xffff")
    assert {element.tag for element in root.iter()} <= SCHEMA.keys()
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.text == shown
    assert failure.get("message") == f"{shown}: {shown}"
    (suite,) = root
    assert _properties(suite)["cluster"] == shown
