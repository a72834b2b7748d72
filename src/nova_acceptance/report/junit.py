"""JUnit XML from the model of a run: a suite a layer, a case a test.

The form is the one that CI servers read (the `junit-10` schema that Jenkins publishes, with the
`testsuites` root). JUnit has no word for a test without a result: it is an error of that type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from nova_acceptance.report.model import LAYERS, OTHER, Outcome, Run, Test, count

FILE_NAME: Final = "junit.xml"

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold (section 2.2)."""

_NO_RESULT: Final = "NO RESULT: collected, but the run ended before the test did"


def write(run: Run, directory: Path) -> Path:
    """Write `junit.xml` into a run's directory and return its path."""
    path = directory / FILE_NAME
    ET.ElementTree(_suites(run)).write(path, encoding="utf-8", xml_declaration=True)
    return path


def _suites(run: Run) -> ET.Element:
    root = ET.Element("testsuites", _totals("Nova acceptance", run.tests))
    for layer in (*LAYERS, OTHER):
        tests = [test for test in run.tests if test.layer == layer]
        if not tests:
            continue
        suite = ET.SubElement(root, "testsuite", _totals(layer, tests))
        if run.started:
            suite.set("timestamp", run.started.replace(tzinfo=None).isoformat("T", "seconds"))
        for test in tests:
            suite.append(_case(test))
    return root


def _totals(name: str, tests: Sequence[Test]) -> dict[str, str]:
    outcomes: Counter[Outcome] = count(tests)
    return {
        "name": name,
        "tests": str(len(tests)),
        "failures": str(outcomes[Outcome.FAILED]),
        "errors": str(outcomes[Outcome.ERROR] + outcomes[Outcome.NO_RESULT]),
        "skipped": str(outcomes[Outcome.SKIPPED] + outcomes[Outcome.XFAILED]),
        "time": f"{sum(test.seconds for test in tests):.3f}",
    }


def _case(test: Test) -> ET.Element:
    module, _, name = test.nodeid.partition("::")
    classname = module.removesuffix(".py").replace("/", ".")
    case = ET.Element(
        "testcase",
        {
            "classname": _text(classname),
            "name": _text(name or module),
            "time": f"{test.seconds:.3f}",
        },
    )
    match test.outcome:
        case Outcome.FAILED:
            _add(case, "failure", test.text, message=test.message, type="Failed")
        case Outcome.ERROR:
            _add(case, "error", test.text, message=test.message, type="Error")
        case Outcome.NO_RESULT:
            _add(case, "error", test.text, message=_NO_RESULT, type="NoResult")
        case Outcome.SKIPPED | Outcome.XFAILED:
            _add(case, "skipped", test.text, message=test.message, type=str(test.outcome))
    if test.evidence:
        _add(case, "system-out", "\n".join(_line(entry) for entry in test.evidence))
    return case


def _line(entry: dict[str, Any]) -> str:
    milliseconds = 1000 * float(entry.get("seconds") or 0)
    return (
        f"{entry.get('source', '')} → {entry.get('target', '')}: {entry.get('asked', '')}"
        f" ⇒ {entry.get('answer', '')} ({milliseconds:.0f} ms)"
    )


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    child = ET.SubElement(parent, tag, {key: _text(value) for key, value in attributes.items()})
    child.text = _text(text)


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
