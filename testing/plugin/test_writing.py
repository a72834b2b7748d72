"""Runs that write nothing, and runs that are refused, on a cluster in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nova_acceptance.plugin.exits import ExitStatus

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

WRITING = """
import pytest

class Check:
    name, writes = "it", True

@pytest.fixture
def row():
    raise AssertionError("it is written")

@pytest.mark.writes
def test_marked(row): raise AssertionError

@pytest.mark.disruptive
def test_disruptive(row): raise AssertionError

@pytest.mark.parametrize("check", [Check()], ids=["it"])
def test_over_a_check(check, row): raise AssertionError

def test_reading(): pass
"""
SPEC = """
components:
  - {kind: redis, name: cache, namespace: web}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: new}\n"
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: it, namespace: default}
stringData: {PASSWORD: correct-horse-battery}
"""
IN_MEMORY = """
import importlib
import pytest
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.kube import ApiError
from nova_acceptance.phrase import Phrase
from testing.unit.deploy import stub_kube

# not by its package, which may still have that of another run in this process
dry_run = importlib.import_module("nova_acceptance.plugin.dry_run")

class Api(stub_kube.StubKube):
    server = "https://stub"

    def __init__(self, *_, **__):
        super().__init__()
        name = dict(name="settings", namespace="default", managedFields=[
            dict(manager="nova-acceptance", operation="Apply")
        ])
        self.put(dict(apiVersion="v1", kind="Namespace", metadata=dict(name="default", uid="d")))
        self.put(dict(apiVersion="v1", kind="ConfigMap", metadata=name, data=dict(a="old")))

    def can_i(self, *_):
        return True

    def apply(self, obj, *, dry_run=False):
        assert dry_run
        if obj["kind"] == "Secret" and REFUSES:
            raise ApiError("PATCH /it", 422, '{"message": "no correct-horse-battery here"}')
        live = self.get("", obj["kind"], obj["metadata"]["name"], "default")
        return {**obj, "metadata": live["metadata"]} if live else obj

REFUSES = False
asked = []

@pytest.fixture(autouse=True, scope="session")
def nothing(): raise AssertionError("no test runs")

def obtain(request, progress):
    asked.append(request)
    assert request.is_looking and not request.may_create
    return Cluster("it", "context", None, "it", Phrase("it was named"), "")

dry_run.Kube = Api
dry_run.obtain = obtain
"""


def test_what_writes_is_not_asked_in_a_run_that_only_reads(suite: Suite) -> None:
    suite.write("tests/infrastructure/test_any.py", WRITING)

    result = suite.run("--read-only")

    assert result.ret == ExitStatus.NOT_ASKED
    assert suite.outcomes() == {
        "test_marked": "not asked",
        "test_disruptive": "not asked",
        "test_over_a_check[it]": "not asked",
        "test_reading": "passed",
    }
    reason = "3 tests could not be asked: --read-only: what has to write something is not asked*"
    result.stdout.fnmatch_lines([reason])
    assert suite.model.options["read-only"] is True
    assert suite.model.options["no-deploy"] is True


def test_what_writes_can_be_left_out(suite: Suite) -> None:
    suite.write("tests/infrastructure/test_any.py", WRITING)

    suite.run("-m", "not writes").assert_outcomes(passed=1, deselected=3)


@pytest.fixture
def rehearsing(suite: Suite) -> Suite:
    suite.write("conftest.py", IN_MEMORY)
    suite.write("nova.yaml", SPEC)
    suite.write("tests/services/test_any.py", "def test_anything(): pass")
    suite.write("plain/config.yaml", CONFIG)
    return suite


def test_dry_run_tells_what_would_change_and_runs_no_test(rehearsing: Suite) -> None:
    rehearsing.write("plain/secret.yaml", SECRET)

    result = rehearsing.run("--dry-run", "--manifests=plain", "--cluster", "context:it")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "changed   ConfigMap default/settings",
            '            data.a: "old" → "new"',
            "created   Secret default/it",
            "dry run: 1 created, 1 changed; nothing was written",
        ]
    )
    result.stdout.no_fnmatch_line("*correct-horse*")
    assert not (rehearsing.path / "reports").exists()


def test_dry_run_ends_with_what_the_server_refuses(rehearsing: Suite) -> None:
    rehearsing.write("plain/secret.yaml", SECRET)
    rehearsing.write("conftest.py", IN_MEMORY.replace("REFUSES = False", "REFUSES = True"))

    result = rehearsing.run("--dry-run", "--manifests=plain", "--cluster", "context:it")

    assert result.ret == ExitStatus.NOT_DEPLOYED
    result.stdout.fnmatch_lines(["refused   Secret default/it", "            no * here"])
    result.stdout.fnmatch_lines(["dry run: 1 changed, 1 refused; nothing was written"])
    result.stdout.no_fnmatch_line("*correct-horse*")


def test_dry_run_without_a_cluster_is_one_message(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(suite.write("kubeconfig", "")))
    suite.write("tests/services/test_any.py", "def test_anything(): raise AssertionError")

    result = suite.run("--dry-run", "--cluster", "k3d")

    assert result.ret == ExitStatus.NOT_ASKED
    result.stdout.fnmatch_lines(["dry run: no cluster is up that --cluster k3d could mean"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert not (suite.path / "reports").exists()


REFUSED = """
import pytest
from nova_acceptance.cluster import contexts
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.phrase import Phrase
from nova_acceptance import fixtures

class Api:
    server, server_version, authority = "https://k8s.example.com", "v1.30.0", ""
    verifies = True
    usage = {"requests": 0, "execs": 0, "forwards": 0}

    def __init__(self, *arguments, **_):
        self.writing = arguments[2]

    def get(self, version, kind, name, namespace=None):
        return {"kind": kind, "metadata": {"name": name, "uid": "7f0c"}}

    def list(self, *_, **__):
        return []

    def can_i(self, *_):
        return False

@pytest.fixture(scope="session")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixtures, "Kube", Api)
        patch.setattr(contexts, "called", lambda _: "theirs")
        yield Cluster("theirs", "context", None, "theirs", Phrase("it was named"), "")
"""


def test_cluster_that_nobody_has_allowed_is_not_written_to(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVA_ACCEPTANCE_HOME", str(suite.path / "home"))
    suite.write("conftest.py", REFUSED)
    suite.write("tests/services/test_any.py", "def test_anything(kube): pass")

    for arguments in ((), ("--no-deploy",)):
        result = suite.run(*arguments)
        assert result.ret == ExitStatus.REFUSED
        assert suite.outcomes() == {"test_anything": "not asked"}
        result.stdout.fnmatch_lines(["*nothing is written to theirs at k8s.example.com:443*"])
        command = " ".join(("pytest", *arguments, "--allow-cluster theirs"))
        result.stdout.fnmatch_lines([f"*`{command}`*"])
    suite.run("--read-only").assert_outcomes(passed=1)
    assert not (suite.path / "home" / "allowed.json").exists()

    suite.run("--allow-cluster", "theirs").assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
