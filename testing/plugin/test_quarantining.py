"""Known failures do not turn a run red until they run out, and are told as such everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from nova_acceptance.report.model import Quarantine

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

TODAY = datetime.now(UTC).date()
LATER = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)
TESTS = """
import pytest

from nova_acceptance.findings import Finding, Ref
from nova_acceptance.phrase import Phrase

FOUND = Finding("DNS_WRONG_ANSWER", Ref("Service", "a", "b"), Phrase("it is another address"))

@pytest.fixture
def broken(): raise RuntimeError("no way in")

@pytest.fixture
def sticky():
    yield
    raise RuntimeError("no way out")

def test_names(): assert [FOUND] == []

@pytest.mark.parametrize("name", ["redis", "etcd"])
def test_value(name): assert name == "etcd"

def test_setup(broken): pass

def test_teardown(sticky): pass

def test_well(): pass
"""


def entry(until: object = LATER, **fields: str) -> str:
    said = "".join(f', {name}: "{value}"' for name, value in fields.items())
    return f'- {{reason: "a reason", owner: "an owner", until: {until}{said}}}\n'


@pytest.fixture
def nova(suite: Suite) -> Suite:
    suite.write("tests/networking/test_dns.py", TESTS)
    return suite


ALL = "".join(
    (
        entry(cause="DNS_WRONG_ANSWER"),
        entry(test="tests/networking/test_dns.py::test_value[redis]"),
        entry(test="*::test_setup"),
        entry(test="*::test_teardown"),
    )
)


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]], ids=["one process", "distributed"])
def test_known_failures_leave_the_run_green_and_are_told(nova: Suite, arguments: list[str]) -> None:
    nova.write("known.yaml", ALL)

    result = nova.run("--quarantine=known.yaml", "--junitxml=own.xml", *arguments, isolated=True)

    assert result.ret == 0
    assert nova.outcomes() == {
        "test_names": "quarantined",
        "test_value[redis]": "quarantined",
        "test_value[etcd]": "passed",
        "test_setup": "quarantined",
        "test_teardown": "quarantined",
        "test_well": "passed",
    }
    assert str(nova.model.verdict) == "accepted"
    assert nova.model.exit_status == 0
    known = {test.quarantine for test in nova.model.tests if test.outcome == "quarantined"}
    assert known == {Quarantine("a reason", "an owner", LATER.isoformat())}
    result.stdout.fnmatch_lines(
        [
            f"*::test_names DNS_WRONG_ANSWER: quarantined until {LATER}: a reason (an owner)",
            "verdict: ACCEPTED  2 passed, 4 quarantined",
        ]
    )
    summary = (nova.latest / "summary.md").read_text(encoding="utf-8")
    assert f"until {LATER}: a reason (an owner)" in summary
    assert 'type="quarantined"' in nova.junit()
    assert 'failures="0" errors="0"' in nova.junit().replace("  ", " ")
    metrics = (nova.latest / "metrics.prom").read_text(encoding="utf-8")
    assert 'nova_acceptance_tests{layer="networking",outcome="quarantined"} 4.0' in metrics
    assert '<option value="quarantined">' in nova.page()
    assert not [note for note in nova.model.notes if "--quarantine" in note]
    own = (nova.path / "own.xml").read_text(encoding="utf-8")
    assert 'errors="0" failures="0"' in own


def test_what_is_not_known_fails_beside_it(nova: Suite) -> None:
    nova.write("known.yaml", entry(cause="DNS_WRONG_ANSWER") + entry(test="*::test_setup"))

    result = nova.run("--quarantine=known.yaml")

    assert result.ret == 1
    assert nova.outcomes()["test_names"] == "quarantined"
    assert nova.outcomes()["test_value[redis]"] == "failed"
    assert nova.outcomes()["test_teardown"] == "error"
    assert str(nova.model.verdict) == "rejected"


def test_test_and_cause_have_to_fit_both(nova: Suite) -> None:
    nova.write(
        "known.yaml",
        entry(test="*::test_names", cause="REDIS_READ_ONLY")
        + entry(test="*::test_setup", cause="DNS_WRONG_ANSWER"),
    )

    nova.run("--quarantine=known.yaml")

    assert nova.outcomes()["test_names"] == "failed"
    assert nova.outcomes()["test_setup"] == "error"


def test_failure_counts_again_after_the_last_day_and_says_so(nova: Suite) -> None:
    nova.write("known.yaml", entry(YESTERDAY, cause="DNS_WRONG_ANSWER") + entry(TODAY, test="*up"))

    result = nova.run("--quarantine=known.yaml")

    assert result.ret == 1
    assert nova.outcomes()["test_names"] == "failed"
    assert nova.outcomes()["test_setup"] == "quarantined"
    (test,) = (test for test in nova.model.tests if test.nodeid.endswith("test_names"))
    said = f"its quarantine has run out on {YESTERDAY}: a reason (an owner)"
    assert test.message.startswith("DNS_WRONG_ANSWER: ")
    assert said in test.message
    result.stdout.fnmatch_lines([f"*{said}*"])


def test_known_failure_that_did_not_come_is_told_after_a_whole_run(nova: Suite) -> None:
    nova.write("known.yaml", ALL + entry(test="*::test_well") + entry(cause="REDIS_READ_ONLY"))

    nova.run("--quarantine=known.yaml")

    assert nova.outcomes()["test_well"] == "passed"
    told = [note for note in nova.model.notes if note.startswith("--quarantine")]
    assert told == [
        f"--quarantine: nothing has failed as {what}: an owner may take it out"
        for what in ("*::test_well", "REDIS_READ_ONLY")
    ]


@pytest.mark.parametrize("arguments", [["-k", "well"], ["tests/networking"], ["-m", "networking"]])
def test_run_of_a_part_says_nothing_of_what_did_not_come(nova: Suite, arguments: list[str]) -> None:
    nova.write("known.yaml", entry(cause="REDIS_READ_ONLY"))

    nova.run("--quarantine=known.yaml", *arguments)

    assert not [note for note in nova.model.notes if note.startswith("--quarantine")]


def test_file_that_is_wrong_ends_the_run_before_anything(nova: Suite) -> None:
    nova.write("known.yaml", entry(cause="NO_SUCH_CAUSE"))

    result = nova.run("--quarantine=known.yaml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--quarantine: *known.yaml:1: *cause: there is no cause NO_SUCH*"]
    )
    assert not nova.latest.exists()
