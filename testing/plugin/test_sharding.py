"""`--shard`: every test is in one part, and disruptive ones run when the others have ended."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nova_acceptance.report import load
from nova_acceptance.report.gathering import gather
from nova_acceptance.report.merging import merge
from testing.plugin.conftest import TELLING, Suite

TESTS = {
    "tests/infrastructure/test_a.py": "def test_1(system): pass\ndef test_2(): pass",
    "tests/infrastructure/test_b.py": """
import pytest

def test_quiet(): pass

@pytest.mark.disruptive
def test_kill(system): pass
""",
    "tests/services/test_c.py": "def test_1(system): pass\ndef test_2(): assert 1 == 2",
    "tests/networking/test_d.py": "def test_1(system): pass",
}
QUIET = ("-m", "not disruptive")


@pytest.fixture
def parts(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Suite:
    monkeypatch.delenv("NOVA_RUN_ID", raising=False)
    suite.write("conftest.py", TELLING)
    for name, text in TESTS.items():
        suite.write(name, text)
    return suite


def run(parts: Suite, *arguments: str, isolated: bool = False) -> pytest.RunResult:
    return parts.run("--no-deploy", *arguments, isolated=isolated)


def shards(parts: Suite, of: int, *options: str) -> list[Path]:
    """Run every shard as machines that share nothing do, and return the records."""
    found = []
    for number in range(1, of + 1):
        run(parts, "--shard", f"{number}/{of}", *options)
        found.append(parts.latest.resolve())
    return found


def outcomes(directory: Path) -> dict[str, str]:
    return {test.nodeid: str(test.outcome) for test in load(directory).tests}


def test_shards_together_are_the_whole_run_and_none_runs_what_another_does(parts: Suite) -> None:
    run(parts, *QUIET)
    whole = parts.latest.resolve()

    found = shards(parts, 3, *QUIET)

    assert all(outcomes(directory) for directory in found)
    ran = [nodeid for directory in found for nodeid in outcomes(directory)]
    assert sorted(ran) == sorted(outcomes(whole))
    merge(parts.path / "merged", found)
    merged, one = load(parts.path / "merged"), load(whole)
    assert outcomes(parts.path / "merged") == outcomes(whole)
    assert merged.problems == one.problems == ()
    assert (merged.verdict, merged.exit_status) == (one.verdict, one.exit_status)
    assert merged.deselected == one.deselected == 1
    assert [cause.headline for cause in merged.causes] == [cause.headline for cause in one.causes]
    assert merged.options == one.options


def test_module_stays_on_one_shard(parts: Suite) -> None:
    for directory in shards(parts, 2, *QUIET):
        modules = {nodeid.partition("::")[0] for nodeid in outcomes(directory)}
        whole = {
            f"{module}::{name}"
            for module in modules
            for name in ("test_1", "test_2", "test_quiet")
            if f"def {name}(" in TESTS[module]
        }
        assert outcomes(directory).keys() == whole


def test_record_says_which_shard_it_is(parts: Suite) -> None:
    run(parts, "--shard", "2/3", *QUIET)

    assert load(parts.latest).options["shard"] == "2/3"
    (said,) = [event for event in parts.record if event["type"] == "shard"]
    assert (said["number"], said["of"], said["tests"]) == (2, 3, 6)


def test_shards_of_one_run_leave_their_records_together_and_are_gathered(parts: Suite) -> None:
    common = ("--run-id", "nightly-1")
    for number in (1, 2):
        run(parts, "--shard", f"{number}/2", *common)
    left = parts.path / "reports" / "shards" / "nightly-1"
    assert sorted(path.name for path in left.iterdir()) == ["1-of-2", "2-of-2", "weights.json"]

    gathered = gather(parts.path / "reports", "nightly-1", 2, within=0)
    gathered.tidy()

    assert gathered.unfinished == ()
    assert parts.latest.resolve() == gathered.directory
    assert outcomes(gathered.directory)["tests/infrastructure/test_b.py::test_kill"] == "passed"
    assert len(outcomes(gathered.directory)) == 7
    assert not left.exists()


def test_disruptive_tests_are_the_last_shard_s_and_wait_for_the_others(
    parts: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nova_acceptance.timeouts.SHARDS", 0.0)
    common = ("--run-id", "nightly-1")
    left = parts.path / "reports" / "shards" / "nightly-1"
    kill = "tests/infrastructure/test_b.py::test_kill"

    run(parts, "--shard", "2/2", *common)

    last = load(left / "2-of-2")
    assert outcomes(left / "2-of-2")[kill] == "not asked"
    (why,) = {test.why_not for test in last.tests if test.nodeid == kill}
    assert "shard 1/2 did not end" in why
    assert last.verdict in {"incomplete", "rejected"}

    run(parts, "--shard", "1/2", *common)
    assert kill not in outcomes(left / "1-of-2")
    shutil.rmtree(left / "2-of-2")
    run(parts, "--shard", "2/2", *common)
    assert outcomes(left / "2-of-2")[kill] == "passed"


def test_disruptive_tests_without_a_common_directory_are_refused(parts: Suite) -> None:
    result = run(parts, "--shard", "1/2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--shard: disruptive tests run when the other shards*--run-id*"])


def test_shard_is_run_once(parts: Suite) -> None:
    once = ("--shard", "1/2", "--run-id", "nightly-1", *QUIET)
    run(parts, *once)

    result = run(parts, *once)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*shard 1/2 of run nightly-1 has a record already*"])


def test_last_durations_are_the_same_to_every_shard(parts: Suite) -> None:
    run(parts, *QUIET)
    history = parts.latest / "run.json"
    said = json.loads(history.read_text())
    heavy = "tests/networking/test_d.py"
    for nodeid, taken in said["tests"].items():
        taken[1] = 100.0 if nodeid.startswith(heavy) else 1.0
    history.write_text(json.dumps(said))
    common = ("--run-id", "nightly-1", *QUIET)
    left = parts.path / "reports" / "shards" / "nightly-1"

    run(parts, "--shard", "1/2", *common)
    history.unlink()  # a run that ends meanwhile changes nothing
    run(parts, "--shard", "2/2", *common)

    assert {nodeid.partition("::")[0] for nodeid in outcomes(left / "1-of-2")} == {heavy}
    assert len(outcomes(left / "2-of-2")) == 5


def test_workers_of_one_shard_run_its_tests(parts: Suite) -> None:
    result = run(parts, "-n", "2", "--shard", "1/2", *QUIET, isolated=True)
    alone = run(parts, "--shard", "2/2", *QUIET)

    assert result.ret in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    both = sorted((parts.path / "reports").glob("2*"))
    assert alone.ret in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    merge(parts.path / "merged", both)
    assert len(outcomes(parts.path / "merged")) == 6
    assert load(parts.path / "merged").problems == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard", "0/3", "--no-deploy"], "--shard: '0/3' names no shard"),
        (["--shard", "4/3", "--no-deploy"], "the second of three is 2/3"),
        (["--shard", "one", "--no-deploy"], "--shard: 'one' names no shard"),
        (["--shard", "1/3"], "--shard without --no-deploy"),
        (["--shard", "1/3", "--no-deploy", "--run-id", "../etc"], "--run-id: '../etc' cannot be"),
        (
            ["--shard", "1/9", "--no-deploy", *QUIET],
            "9 shards of 4 modules would leave one without",
        ),
    ],
)
def test_nonsense_is_refused_in_one_message(parts: Suite, options: list[str], said: str) -> None:
    result = parts.run(*options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_environment_s_identifier_alone_makes_no_shard(
    parts: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVA_RUN_ID", "nightly-1")

    run(parts)

    assert "run-id" not in load(parts.latest).options
    assert len(outcomes(parts.latest)) == 7
