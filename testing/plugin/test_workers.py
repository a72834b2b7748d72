"""The same with workers of pytest-xdist, which may crash."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.plugin.workers import _held

if TYPE_CHECKING:
    from pathlib import Path

    from testing.plugin.conftest import Suite

pytest.importorskip("xdist")

TELLING = """
import pytest
from nova_acceptance import masking
from nova_acceptance.evidence import Evidence
from nova_acceptance.phrase import Phrase

@pytest.fixture(scope="session")
def system(recorder):
    masking.register(["tolstoy-and-the-horse"])
    recorder.tell("cluster", name="nova", provider="kind", version="tolstoy-and-the-horse")
    yield
    recorder.tell("note", text=Phrase("a note of the teardown"))
"""


@pytest.fixture
def distributed(suite: Suite) -> Suite:
    suite.write("conftest.py", TELLING)
    return suite


def test_facts_and_evidence_of_workers_reach_the_record(distributed: Suite) -> None:
    distributed.write(
        "tests/services/test_a.py",
        """
import pytest
from nova_acceptance.evidence import Evidence

@pytest.mark.redis
@pytest.mark.parametrize("number", range(4))
def test_service(system, evidence, number):
    '''A fact.'''
    evidence.add(Evidence("GET", "runner", str(number), "tolstoy-and-the-horse", 0.1))
    print("tolstoy-and-the-horse")

@pytest.mark.disruptive
def test_left_out(): pass
""",
    )

    distributed.write(
        "tests/services/test_b.py",
        "def test_another_module(system): pass\ndef test_by_name(): pass",
    )

    wanted = ("-m", "not disruptive", "-k", "not by_name")
    result = distributed.run("-n", "2", *wanted, isolated=True)

    result.assert_outcomes(passed=5)
    model = distributed.model
    assert model.verdict == "accepted"
    assert model.cluster["name"] == "nova"
    assert model.deselected == 2
    assert "a note of the teardown" in model.notes
    assert {test.worker for test in model.tests} == {"gw0", "gw1"}
    assert model.uncollected == ()
    told = [test for test in model.tests if "test_service" in test.nodeid]
    assert len(told) == 4
    for test in told:
        assert test.doc == "A fact."
        assert test.markers == ["redis", "services"]
        assert len(test.evidence) == 1
        assert test.text == ""
    for text in (str(distributed.record), distributed.page(), distributed.junit()):
        assert "tolstoy" not in text


def test_options_reach_workers(suite: Suite) -> None:
    suite.write(
        "tests/services/test_a.py",
        """
def test_options(pytestconfig, worker_id):
    assert worker_id == "gw0"
    assert pytestconfig.getoption("--nodes") == 2
    assert pytestconfig.getoption("--cluster") == "kind"
""",
    )

    result = suite.run("-n", "1", "--nodes", "2", "--cluster", "kind", isolated=True)

    result.assert_outcomes(passed=1)


def test_failure_in_a_worker_is_told_in_its_own_words(distributed: Suite) -> None:
    distributed.write(
        "tests/services/test_a.py",
        """
from nova_acceptance.errors import ProbeError

def test_first(): raise ProbeError("nobody to ask", hint="look")
def test_second(): assert 1 == 2
""",
    )

    distributed.run("-n", "2", isolated=True)

    told = {test.nodeid.split("::")[1]: test for test in distributed.model.tests}
    assert told["test_first"].message == "ProbeError: nobody to ask"
    assert told["test_first"].text == "nobody to ask\n→ look"
    assert told["test_second"].message == "assert 1 == 2"
    assert told["test_second"].text.startswith(">   def test_second(): assert 1 == 2")


def test_crashed_worker_is_recorded_and_its_test_is_an_error(distributed: Suite) -> None:
    distributed.write(
        "tests/services/test_a.py",
        """
import os

def test_first(system): pass
def test_crash(): os._exit(3)
def test_third(): pass
def test_fourth(): pass
""",
    )

    result = distributed.run("-n", "2", isolated=True)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert distributed.outcomes() == {
        "test_first": "passed",
        "test_crash": "error",
        "test_third": "passed",
        "test_fourth": "passed",
    }
    assert distributed.model.verdict == "rejected"
    assert "crashed" in {problem.kind for problem in distributed.model.problems}
    assert "crashed while running" in distributed.page()
    assert "crashed while running" in distributed.junit()


def test_worker_that_is_killed_is_recorded_and_the_others_do_its_work(distributed: Suite) -> None:
    distributed.write(
        "tests/services/test_a.py",
        """
import os, signal

def test_first(system): pass
def test_killed(): os.kill(os.getpid(), signal.SIGKILL)
def test_third(): pass
""",
    )
    distributed.write("tests/services/test_b.py", "def test_b(system): pass")

    result = distributed.run("-n", "2", isolated=True)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert distributed.outcomes() == {
        "test_first": "passed",
        "test_killed": "error",
        "test_third": "passed",
        "test_b": "passed",
    }
    (lost,) = [event for event in distributed.record if event["type"] == "worker-lost"]
    (crashed,) = [event for event in distributed.record if event["type"] == "crashed"]
    assert crashed["worker"] == lost["worker"]
    assert crashed["nodeid"].endswith("::test_killed")
    after = {test.worker for test in distributed.model.tests if "test_third" in test.nodeid}
    assert after
    assert lost["worker"] not in after
    assert distributed.model.verdict == "rejected"


def test_sentences_of_a_failure_travel(distributed: Suite) -> None:
    distributed.write(
        "tests/services/test_a.py",
        """
from nova_acceptance.errors import UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.phrase import Phrase

SAID = Phrase("{count} of {parts}", count=1, parts=[Phrase("a part"), "another"])

def test_found(evidence):
    evidence.add(Evidence(Phrase("a question"), "runner", "redis", Phrase("an answer"), 0.1))
    found = [Finding("IMAGE_PULL", Ref("Pod", "x", "a"), SAID, evidence=(Phrase("a line"),))]
    assert found == []

def test_unasked():
    raise UnaskedError(SAID, hint=Phrase("ask later"))
""",
    )

    distributed.run("-n", "1", isolated=True)

    told = {test.nodeid.split("::")[1]: test for test in distributed.model.tests}
    assert {name: str(test.outcome) for name, test in told.items()} == {
        "test_found": "failed",
        "test_unasked": "not asked",
    }
    assert told["test_found"].evidence[0]["answer"] == "an answer"
    assert told["test_unasked"].why_not == "1 of a part, another → ask later"
    assert "IMAGE_PULL" in told["test_found"].message


def test_collection_error_is_recorded_once(distributed: Suite) -> None:
    distributed.write("tests/services/test_a.py", "import no_such_module")

    distributed.run("-n", "2", isolated=True)

    failed = [event for event in distributed.record if event["type"] == "collect-failed"]
    assert [event["nodeid"] for event in failed] == ["tests/services/test_a.py"]
    assert distributed.model.verdict == "rejected"


def test_disruptive_test_runs_alone(distributed: Suite) -> None:
    # A module is one worker's, so there are two; the quiet one waits until the other has begun.
    distributed.write(
        "spend.py",
        """
import pathlib, time

SPANS = pathlib.Path(__file__).with_name("spans")
BEGUN = pathlib.Path(__file__).with_name("begun")

def await_other():
    deadline = time.monotonic() + 30
    while not BEGUN.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)

def spend(name):
    started = time.monotonic()
    time.sleep(0.2)
    with SPANS.open("a") as file:
        file.write(f"{name} {started} {time.monotonic()}\\n")
""",
    )
    distributed.write(
        "tests/infrastructure/test_a.py",
        """
import pytest
from spend import await_other, spend

@pytest.mark.parametrize("number", range(4))
def test_quiet(number):
    await_other()
    spend("quiet")
""",
    )
    distributed.write(
        "tests/infrastructure/test_b.py",
        """
import pytest
from spend import BEGUN, spend

def test_begin(): BEGUN.touch()

@pytest.mark.disruptive
@pytest.mark.parametrize("number", range(2))
def test_disruptive(number): spend("disruptive")
""",
    )

    result = distributed.run("-n", "2", "-o", "pythonpath=.", isolated=True)

    result.assert_outcomes(passed=7)
    spans = [line.split() for line in (distributed.path / "spans").read_text().splitlines()]
    assert len(spans) == 6
    for name, started, ended in spans:
        if name == "disruptive":
            others = [span for span in spans if span != [name, started, ended]]
            assert all(
                float(end) <= float(started) or float(start) >= float(ended)
                for _, start, end in others
            )


def test_ordinary_tests_hold_the_lock_together(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _held(path, exclusive=False), _held(path, exclusive=False):
        pass


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (True, True)])
def test_wait_for_the_other_workers_ends_with_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, first: bool, second: bool
) -> None:
    monkeypatch.setattr(timeouts, "LOCK", 0.2)
    path = tmp_path / "lock"
    with (
        _held(path, exclusive=first),
        pytest.raises(ProbeError, match="other workers did not end"),
        _held(path, exclusive=second),
    ):
        pytest.fail("the lock was taken from its holder")


def test_lock_is_taken_as_soon_as_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = _held(path, exclusive=True)
    holder.__enter__()
    threading.Timer(0.2, holder.__exit__, (None, None, None)).start()
    with _held(path, exclusive=True):
        pass


def test_part_whose_name_is_a_phrase_travels_from_a_worker(distributed: Suite) -> None:
    distributed.write(
        "tests/services/test_a.py",
        """
from dataclasses import dataclass
import pytest
from nova_acceptance.phrase import Phrase

@dataclass(frozen=True)
class Deed:
    what: Phrase

@pytest.mark.parametrize("deed", [Deed(Phrase("create a table"))], ids=str)
def test_denied(deed): pass
""",
    )

    result = distributed.run("-n", "1", isolated=True)

    result.assert_outcomes(passed=1)
    (test,) = distributed.model.tests
    assert test.subjects == ["create a table"]
