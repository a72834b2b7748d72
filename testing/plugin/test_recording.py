"""The record holds everything that happened, and the reports show what the record holds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from nova_acceptance.report.model import Problem
from testing.unit.report.schema import violations

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite


def test_run_is_recorded_from_start_to_finish(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_service(system): pass")

    result = telling.run("--cluster", "kind")

    assert [event["type"] for event in telling.record] == [
        "run-started",
        "collected",
        "cluster",
        "deployment",
        "snapshot",
        "note",
        "phase",
        "phase",
        "note",
        "phase",
        "run-finished",
    ]
    assert telling.record[0]["schema"] == 3
    assert telling.record[0]["options"]["cluster"] == "kind"
    assert telling.model.verdict == "accepted"
    result.stdout.fnmatch_lines(
        [
            "nova: --cluster kind, record reports/*/run.jsonl",
            "services  ACCEPTED      1 passed",
            "Kafka: declared, not verified",
            "verdict: ACCEPTED  1 passed",
            "reuse: say it again",
            "remove: drop it",
        ]
    )
    assert result.outlines[-1] == f"report: reports/{telling.model.name}/report.html"


def test_foreign_names_do_not_command_the_terminal(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        r"""
def test_first(recorder):
    name = "\x1b[2J"
    row = dict(component=name, wanted=2, ready=1)
    recorder.tell("snapshot", rows=[row], external=[dict(name=name)])
    recorder.tell("diagnosis", cause=name, subject=name, summary=name, cure=name)
""",
    )

    result = suite.run()

    result.stdout.fnmatch_lines([r"*\x1b?2J: declared, not verified"])
    assert "\x1b" not in result.stdout.str()


def test_run_says_which_manifests_it_was_about(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_service(): pass")
    telling.write("manifests/base/kustomization.yaml", "kind: Kustomization")

    telling.run()
    (before,) = (event["manifests"] for event in telling.record if "manifests" in event)
    telling.write("manifests/base/kustomization.yaml", "kind: Component")
    telling.run()
    (after,) = (event["manifests"] for event in telling.record if "manifests" in event)

    assert (before["commit"], before["changed"]) == ("", False)
    assert len(before["digest"]) == 64
    assert before["digest"] != after["digest"]


MANY_ENDS = """
import os, pathlib, pytest

@pytest.fixture
def broken(): raise RuntimeError("no such thing")

def test_passes(system, evidence):
    from nova_acceptance.evidence import Evidence
    evidence.add(Evidence("GET", "runner", "here", "200", 0.1))
    print("said")

def test_has_an_error(broken): pass
def test_is_skipped(): pytest.skip("not today")

@pytest.mark.xfail
def test_fails_as_expected(): assert False

def test_fails():
    from nova_acceptance.findings import Finding
    from nova_acceptance.phrase import Phrase
    assert [Finding.here("PORT_CLOSED", Phrase("the port is closed"))] == []
"""


@pytest.mark.parametrize(
    ("end", "arguments", "types"),
    [
        pytest.param("assert True", (), {"collect-failed", "diagnosis"}, id="to the end"),
        pytest.param("raise KeyboardInterrupt", (), {"interrupted"}, id="interrupted"),
        pytest.param("os._exit(3)", ("-n1",), {"crashed", "worker-lost"}, id="worker crashed"),
    ],
)
def test_every_line_fits_the_published_schema(
    telling: Suite, end: str, arguments: tuple[str, ...], types: set[str]
) -> None:
    telling.write("tests/services/test_a.py", f"{MANY_ENDS}\ndef test_ends(): {end}\n")
    telling.write("tests/services/test_b.py", "import no_such_module")

    telling.run("--continue-on-collection-errors", *arguments, isolated=True)

    record = telling.record
    assert [complaint for event in record for complaint in violations(event)] == []
    assert {event["type"] for event in record} >= {"run-started", "phase", "run-finished"} | types


def test_evidence_belongs_to_the_phase_in_which_it_came(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py",
        """
import pytest
from nova_acceptance.evidence import Evidence

@pytest.fixture
def asking(evidence):
    evidence.add(Evidence("first", "runner", "here", "yes", 0.25))

def test_service(asking, evidence):
    evidence.add([Evidence("second", "runner", "here", "<b>no</b>", 0.5)])
    assert [entry.asked for entry in evidence] == ["first", "second"]
""",
    )

    telling.run()

    asked = {
        event["when"]: [entry["asked"] for entry in event.get("evidence", [])]
        for event in telling.record
        if event["type"] == "phase"
    }
    assert asked == {"setup": ["first"], "call": ["second"], "teardown": []}
    assert [entry["seconds"] for entry in telling.model.tests[0].evidence] == [0.25, 0.5]
    assert "runner → here: second ⇒ &lt;b&gt;no&lt;/b&gt; (500 ms)" in telling.junit()


def test_setup_failure_is_an_error_in_every_report(telling: Suite) -> None:
    telling.write(
        "tests/infrastructure/test_a.py",
        """
import pytest
from nova_acceptance.errors import ClusterError

@pytest.fixture
def cluster():
    raise ClusterError("no cluster", hint="make one", evidence=["refused"])

def test_node(cluster): pass
""",
    )

    result = telling.run()

    assert telling.outcomes() == {"test_node": "error"}
    assert telling.model.verdict == "rejected"
    error = ET.fromstring(telling.junit()).find(".//error")  # noqa: S314 - our own file
    assert error is not None
    assert error.get("message") == "ClusterError: no cluster"
    assert error.text == "no cluster\n  refused\n→ make one"
    assert "no cluster" in (telling.latest / "summary.md").read_text(encoding="utf-8")
    result.stdout.fnmatch_lines(["no cluster", "  refused", "→ make one", "*- ClusterErr*"])
    result.stdout.no_fnmatch_line("*raise ClusterError*")


def test_teardown_failure_rejects_a_test_that_passed(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py",
        """
import pytest

@pytest.fixture
def thing():
    yield
    raise RuntimeError("clean-up failed")

def test_service(thing): pass
""",
    )

    telling.run()

    assert telling.outcomes() == {"test_service": "error"}


def test_collection_error_is_shown(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "import no_such_module")
    telling.write("tests/services/test_b.py", "def test_service(): pass")

    result = telling.run()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert telling.outcomes() == {
        "tests/services/test_a.py": "error",
        "test_service": "no result",
    }
    assert telling.model.verdict == "rejected"


def test_interrupt_leaves_no_result_for_the_rest(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py",
        """
def test_first(system): pass
def test_second(): raise KeyboardInterrupt("enough")
def test_third(): pass
""",
    )

    result = telling.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert telling.outcomes() == {
        "test_first": "passed",
        "test_second": "no result",
        "test_third": "no result",
    }
    assert telling.model.verdict == "incomplete"
    assert Problem("interrupted", {"text": "enough"}) in telling.model.problems
    assert "a note of the teardown" in telling.model.notes
    assert "2 collected tests have no result" in telling.page()
    assert telling.junit().count("NO RESULT") == 2
    assert result.outlines[-1].startswith("report: reports/")


def test_failed_clean_up_after_an_interrupt_is_recorded_without_a_traceback(
    telling: Suite,
) -> None:
    telling.write(
        "tests/services/test_a.py",
        """
import pytest
from nova_acceptance.errors import DeployError

@pytest.fixture(scope="session")
def deployment():
    yield
    raise DeployError("three pods are left", hint="remove them")

def test_first(deployment): raise KeyboardInterrupt
""",
    )

    result = telling.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stderr.no_fnmatch_line("*Traceback*")
    result.stdout.fnmatch_lines(["*clean-up failed: three pods are left*"])


def test_stop_at_first_failure_leaves_no_result_for_the_rest(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py", "def test_first(): assert False\ndef test_second(): pass"
    )

    telling.run("-x")

    assert telling.outcomes() == {"test_first": "failed", "test_second": "no result"}
    assert telling.model.verdict == "rejected"


def test_internal_error_is_recorded(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_first(): pass")
    telling.write(
        "conftest.py", "def pytest_runtest_setup(item):\n    import pytest\n    pytest.exit('over')"
    )

    telling.run(isolated=True)

    assert telling.outcomes() == {"test_first": "no result"}
    assert telling.model.problems[0].kind == "interrupted"
    assert "over" in str(telling.model.problems[0].values["text"])


def test_error_of_the_machinery_is_recorded(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "def test_first(): pass")
    telling.write(
        "conftest.py", "def pytest_runtest_protocol(item):\n    raise RuntimeError('broken hook')"
    )

    result = telling.run(isolated=True)

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    broken = {"text": "RuntimeError: broken hook"}
    assert Problem("internal-error", broken) in telling.model.problems
    assert telling.model.verdict == "incomplete"
    assert result.outlines[-1].startswith("report: reports/")


def test_nothing_collected_is_not_accepted(telling: Suite) -> None:
    telling.write("tests/services/test_a.py", "")

    telling.run()

    assert telling.model.verdict == "incomplete"


def test_skips_alone_are_not_accepted(telling: Suite) -> None:
    telling.write(
        "tests/services/test_a.py", "import pytest\ndef test_first(): pytest.skip('not today')"
    )

    telling.run()

    assert telling.outcomes() == {"test_first": "skipped"}
    assert telling.model.tests[0].message == "Skipped: not today"
    assert telling.model.verdict == "incomplete"


def test_run_without_a_cluster_says_nothing_of_the_system(suite: Suite) -> None:
    suite.write("tests/services/test_a.py", "def test_first(cluster): pass")

    suite.run("--cluster", "context:nope")

    (problem,) = suite.model.problems
    assert problem.kind == "no-cluster"
    assert "nope" in str(problem.values["text"])
    assert suite.model.verdict == "not verified"
