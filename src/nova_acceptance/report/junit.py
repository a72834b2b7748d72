"""JUnit XML from the model of a run: a suite a layer, a case a test.

The form is that of the schema `junit-10` which Jenkins publishes and GitLab and others read. What
it has no place for is put where it has one: what the whole run was into the properties of each
suite, a test's markers into the case's `group`, the name of a cause into the failure's `type`. It
has no word for a test without a result: that is an error of that type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from nova_acceptance.report.model import LAYERS, OTHER, Outcome, Run, Test, count

FILE_NAME: Final = "junit.xml"

_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold (section 2.2)."""

_NO_RESULT: Final = "NO RESULT: collected, but the run ended before the test did"

_SKIPPED: Final = (Outcome.NOT_ASKED, Outcome.QUARANTINED, Outcome.SKIPPED, Outcome.XFAILED)


def render(run: Run) -> Iterator[str]:
    """Yield the document piece by piece, a test at a time: the whole of it may be large."""
    totals = _totals("Nova acceptance", run.tests)
    del totals["skipped"]  # the schema has it at a suite only
    begin, end = _around(ET.Element("testsuites", totals))
    yield f"<?xml version='1.0' encoding='utf-8'?>\n{begin}"
    for layer in (*LAYERS, OTHER):
        tests = [test for test in run.tests if test.layer == layer]
        if tests:
            yield from _suite(run, layer, tests)
    yield end


def _suite(run: Run, layer: str, tests: Sequence[Test]) -> Iterator[str]:
    suite = ET.Element("testsuite", _totals(layer, tests))
    if run.started:
        suite.set("timestamp", run.started.replace(tzinfo=None).isoformat("T", "seconds"))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run):
        ET.SubElement(properties, "property", {"name": name, "value": _text(value)})
    begin, end = _around(suite)
    yield begin
    for test in tests:
        yield ET.tostring(_case(test), encoding="unicode")
    yield end


def _around(element: ET.Element) -> tuple[str, str]:
    """Return what goes before further children of an element, and what goes after them."""
    end = f"</{element.tag}>"
    whole = ET.tostring(element, encoding="unicode", short_empty_elements=False)
    return whole.removesuffix(end), end


def _properties(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what the whole run was; a property that is not known is left out."""
    facts = {
        **run.identity,
        "nodes": str(len(run.topology.nodes) or ""),
        "verdict": str(run.verdict),
        "changed": str(run.manifests.is_changed).lower() if run.manifests.commit else "",
    }
    yield from ((name, value) for name, value in facts.items() if value)
    for index, named in enumerate(run.causes, 1):
        yield f"cause.{index}", f"{named.cause} at {named.subject}: {named.summary}"


def _totals(name: str, tests: Sequence[Test]) -> dict[str, str]:
    outcomes: Counter[Outcome] = count(tests)
    return {
        "name": name,
        "tests": str(len(tests)),
        "failures": str(outcomes[Outcome.FAILED]),
        "errors": str(outcomes[Outcome.ERROR] + outcomes[Outcome.NO_RESULT]),
        "skipped": str(sum(outcomes[each] for each in _SKIPPED)),
        "time": f"{sum(test.seconds for test in tests):.3f}",
    }


def _case(test: Test) -> ET.Element:
    module, _, name = test.nodeid.partition("::")
    classname = module.removesuffix(".py").replace("/", ".")
    attributes = {"classname": classname, "name": name or module, "time": f"{test.seconds:.3f}"}
    if test.markers:
        attributes["group"] = ",".join(test.markers)
    case = ET.Element("testcase", {key: _text(value) for key, value in attributes.items()})
    match test.outcome:
        case Outcome.FAILED:
            _add(case, "failure", test.text, message=_message(test), type=test.cause or "Failed")
        case Outcome.ERROR:
            _add(case, "error", test.text, message=_message(test), type=test.cause or "Error")
        case Outcome.NO_RESULT:
            _add(case, "error", test.text, message=_NO_RESULT, type="NoResult")
        case Outcome.QUARANTINED:
            message = f"{test.cause or 'failed'}: quarantined until {test.quarantine}"
            _add(case, "skipped", test.text, message=message, type=str(test.outcome))
        case Outcome.NOT_ASKED | Outcome.SKIPPED | Outcome.XFAILED:
            _add(case, "skipped", test.text, message=test.message, type=str(test.outcome))
    if test.evidence:
        _add(case, "system-out", "\n".join(_line(entry) for entry in test.evidence))
    return case


def _message(test: Test) -> str:
    """Return the failure in one line, its cause first."""
    if not test.cause or test.message.startswith(f"{test.cause}:"):
        return test.message
    return f"{test.cause}: {test.message}"


def _line(entry: dict[str, Any]) -> str:
    return (
        f"{entry['source']} → {entry['target']}: {entry['asked']}"
        f" ⇒ {entry['answer']} ({1000 * entry['seconds']:.0f} ms)"
    )


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    child = ET.SubElement(parent, tag, {key: _text(value) for key, value in attributes.items()})
    child.text = _text(text)


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
