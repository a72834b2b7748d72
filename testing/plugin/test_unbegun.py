"""A run that cannot be begun: one message, no error a test, and a status of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report.model import Problem

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_service(deployment, number): pass

def test_cluster(kube): pass
"""
BROKEN = """
import pytest
from nova_acceptance import masking
from nova_acceptance.errors import *

@pytest.fixture(scope="session")
def cluster(): {cluster}

@pytest.fixture(scope="session")
def kube(cluster): {kube}

@pytest.fixture(scope="session")
def deployment(kube): {deployment}
"""
NO_WAY = 'raise ClusterError("the API is silent", hint="wake it", evidence=["no route to host"])'
NO_WRITE = 'raise RefusedError("prod is not yours", hint="allow it", evidence=["context prod"])'


def broken(suite: Suite, *, cluster: str = "pass", kube: str = "pass", deployment: str) -> None:
    text = BROKEN.format(cluster=cluster, kube=kube, deployment=deployment)
    suite.write("conftest.py", text)
    suite.write("tests/services/test_a.py", TESTS)
    suite.write("tests/networking/test_b.py", TESTS)


def said_once(result: pytest.RunResult, *lines: str) -> None:
    """See that each line is in what the terminal shows, once, and no traceback beside it."""
    for line in lines:
        assert [each.strip() for each in result.outlines].count(line.strip()) == 1, line
        assert result.stdout.str().count(line.strip()) == 1
    for word in ("Traceback", "ERROR", "Error", "short test summary"):
        assert word not in result.stdout.str()


@pytest.mark.parametrize("fixture", ["cluster", "kube"])
def test_run_without_a_way_to_the_cluster_ends_in_one_message(suite: Suite, fixture: str) -> None:
    broken(suite, deployment="pass", **{fixture: NO_WAY})

    result = suite.run()

    assert result.ret == ExitStatus.NOT_ASKED
    said_once(result, "the API is silent", "  no route to host", "→ wake it")
    result.stdout.fnmatch_lines(["verdict: NOT VERIFIED*8 not asked"])
    assert set(suite.outcomes().values()) == {"not asked"}
    assert {test.why_not for test in suite.model.tests} == {"the API is silent → wake it"}
    text = "the API is silent (no route to host) → wake it"
    assert suite.model.problems == (Problem("no-cluster", {"text": text}),)
    assert suite.model.verdict == "not verified"
    assert suite.model.finished
    assert suite.model.exit_status == ExitStatus.NOT_ASKED
    assert suite.page().count("no cluster could be verified") == 1


@pytest.mark.parametrize("fixture", ["cluster", "kube", "deployment"])
def test_refusal_ends_the_run_in_one_message(suite: Suite, fixture: str) -> None:
    broken(suite, **{"deployment": "pass", fixture: NO_WRITE})

    result = suite.run("-v")

    assert result.ret == ExitStatus.REFUSED
    said_once(result, "prod is not yours", "  context prod", "→ allow it")
    assert set(suite.outcomes().values()) == {"not asked"}
    (problem,) = suite.model.problems
    assert problem.kind == "refused"
    assert suite.model.verdict == "not verified"
    assert suite.model.exit_status == ExitStatus.REFUSED


def test_what_was_asked_before_a_refusal_stays_and_nothing_is_judged_by_it(suite: Suite) -> None:
    broken(suite, deployment=NO_WRITE)
    suite.write("tests/infrastructure/test_0.py", "def test_first(kube): assert 0")

    result = suite.run()

    assert result.ret == ExitStatus.REFUSED
    assert suite.outcomes()["test_first"] == "failed"
    assert suite.outcomes()["test_cluster"] == "not asked"
    assert suite.model.verdict == "not verified"


def test_refusal_of_one_test_alone_ends_nothing(suite: Suite) -> None:
    broken(suite, deployment="pass")
    suite.write(
        "tests/services/test_a.py",
        f"""
import pytest
from nova_acceptance.errors import RefusedError

@pytest.fixture
def own(): {NO_WRITE}

def test_first(own): pass
def test_second(): pass
""",
    )

    result = suite.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert suite.outcomes()["test_second"] == "passed"


def test_what_was_opened_before_the_end_is_closed(suite: Suite) -> None:
    broken(suite, deployment=NO_WRITE)
    suite.write(
        "tests/conftest.py",
        """
import pathlib
import pytest

@pytest.fixture(scope="session", autouse=True)
def opened():
    yield
    pathlib.Path("closed").touch()
""",
    )

    suite.run()

    assert (suite.path / "closed").exists()


def test_deployment_that_failed_as_a_whole_has_a_status_of_its_own(suite: Suite) -> None:
    broken(suite, deployment='raise ApplyError("the API takes no Deployment", hint="ask it")')

    result = suite.run()

    assert result.ret == ExitStatus.NOT_DEPLOYED
    assert suite.outcomes() == {
        "test_service[0]": "error",
        "test_service[1]": "error",
        "test_service[2]": "error",
        "test_cluster": "passed",
    }
    assert suite.model.verdict == "rejected"
    assert suite.model.exit_status == ExitStatus.NOT_DEPLOYED


def test_interruption_says_more_than_what_a_run_could_not_do(suite: Suite) -> None:
    broken(suite, deployment='raise ApplyError("the API takes no Deployment", hint="ask it")')
    suite.write("tests/networking/test_b.py", "def test_first(): raise KeyboardInterrupt('enough')")

    assert suite.run(isolated=True).ret == pytest.ExitCode.INTERRUPTED


def test_secret_in_the_one_message_is_masked(suite: Suite) -> None:
    hidden = 'masking.register(["tolstoy-and-the-horse"]); '
    broken(
        suite,
        deployment="pass",
        cluster=f'{hidden}raise ClusterError("it answers: tolstoy-and-the-horse")',
    )

    result = suite.run()

    assert "it answers: " in result.stdout.str()
    assert "tolstoy" not in result.stdout.str() + str(suite.record) + suite.page()


@pytest.mark.parametrize(
    ("fixture", "status"), [("cluster", ExitStatus.NOT_ASKED), ("deployment", ExitStatus.REFUSED)]
)
def test_workers_end_in_one_message_together(
    suite: Suite, fixture: str, status: ExitStatus
) -> None:
    pytest.importorskip("xdist")
    error = NO_WAY if fixture == "cluster" else NO_WRITE
    broken(suite, **{"deployment": "pass", fixture: error})

    result = suite.run("-n", "2", isolated=True)

    assert result.ret == status
    said_once(result, "the API is silent" if fixture == "cluster" else "prod is not yours")
    assert set(suite.outcomes().values()) == {"not asked"}
    assert suite.model.verdict == "not verified"
    assert len(suite.model.problems) == 1


def test_workers_whose_deployment_failed_have_its_status(suite: Suite) -> None:
    pytest.importorskip("xdist")
    broken(suite, deployment='raise ApplyError("the API takes no Deployment", hint="ask it")')

    assert suite.run("-n", "2", isolated=True).ret == ExitStatus.NOT_DEPLOYED


PLUGIN = """
apiVersion: v1
kind: Config
current-context: shop-test
contexts: [{name: shop-test, context: {cluster: shop, user: tester}}]
clusters: [{name: shop, cluster: {server: "https://127.0.0.1:1"}}]
users:
- name: tester
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: the-login-of-nobody
      interactiveMode: IfAvailable
      installHint: install the-login first
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_credential_plugin_that_is_missing_is_one_message(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    if workers:
        pytest.importorskip("xdist")
    monkeypatch.setenv("KUBECONFIG", str(suite.write("kubeconfig", PLUGIN)))
    suite.write("tests/services/test_a.py", TESTS)
    suite.write("tests/networking/test_b.py", TESTS)

    result = suite.run("--cluster", "context:shop-test", *workers, isolated=True)

    assert result.ret == ExitStatus.NOT_ASKED
    said_once(
        result,
        "the credential plug-in `the-login-of-nobody` of the user tester cannot be started: "
        "No such file or directory",
        "→ install the-login first",
    )
    assert set(suite.outcomes().values()) == {"not asked"}
    assert suite.model.verdict == "not verified"
