"""Manifests and a nova.yaml from elsewhere, on a cluster in memory."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from nova_acceptance.masking import REPLACEMENT

if TYPE_CHECKING:
    from pathlib import Path

    from testing.plugin.conftest import Suite

SPEC = """
components:
  - {kind: redis, name: cache, namespace: web, password: {secret: cache, key: PASSWORD}}
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: cache, namespace: web}
stringData: {PASSWORD: correct-horse-battery}
---
apiVersion: v1
kind: Namespace
metadata: {name: web}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
IN_MEMORY = """
import pytest
from nova_acceptance.cluster.lease import Leases
from nova_acceptance.cluster.tenure import Tenure
from nova_acceptance.tenancy import Hold
from testing.unit.deploy import stub_kube

class Api(stub_kube.StubKube):
    server = "https://stub"

    def can_i(self, *_):
        return True

    def apply(self, obj, *, dry_run=False):
        field = {"manager": "nova-acceptance", "operation": "Apply"}
        managed = {**obj, "metadata": {**obj["metadata"], "managedFields": [field]}}
        return managed if dry_run else super().apply(managed)

    def delete(self, api_version, kind, name, namespace=None, **more):
        super().delete(api_version, kind, name, namespace, **more)
        if kind == "Namespace":
            for key in [key for key in self.objects if key[1] == name]:
                del self.objects[key]

def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": name}}

KUBE = Api(namespace("default"))

@pytest.fixture(scope="session")
def hold(kube, recorder, run):  # in memory there is nobody to be kept away
    return Hold(Tenure(Leases(kube, "web"), run), run.id, "web", recorder, is_wanted=False)

@pytest.fixture(scope="session")
def kube():
    yield KUBE
    print("left:", *sorted("/".join(key) for key in KUBE.objects))
"""


@pytest.fixture
def elsewhere(
    suite: Suite, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A directory outside of the suite, which has a nova.yaml and a directory of manifests."""
    monkeypatch.setenv("NOVA_ACCEPTANCE_HOME", str(tmp_path_factory.mktemp("home")))
    suite.write("conftest.py", IN_MEMORY)
    path = tmp_path_factory.mktemp("elsewhere")
    (path / "web.yaml").write_text(SPEC)
    (path / "deployed").mkdir()
    (path / "deployed" / "secret.yaml").write_text(SECRET)
    return path


def notes(suite: Suite) -> str:
    return " ".join(str(note) for note in suite.model.notes)


def test_plain_yaml_is_deployed_recorded_and_removed(suite: Suite, elsewhere: Path) -> None:
    (elsewhere / "deployed" / "config.yml").write_text(CONFIG)
    suite.write(
        "tests/services/test_any.py",
        "def test_all(kube, deployment):\n"
        "    assert sorted(deployment.applied) == [\n"
        "        'ConfigMap default/settings', 'Namespace web', 'Secret web/cache']\n"
        "    assert ('Secret', 'web', 'cache') in kube.objects\n",
    )

    result = suite.run(
        *(f"--manifests={elsewhere / 'deployed'}", f"--spec={elsewhere / 'web.yaml'}"),
        *("--teardown", "-s"),
    )

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*left: Namespace//default"])
    assert "in `default`: ConfigMap default/settings" in notes(suite)
    names = ["deployed/config.yml", "deployed/secret.yaml", "web.yaml"]
    files = [elsewhere / name for name in names]
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}\n"
        for name, file in zip(names, files, strict=True)
    ]
    wanted = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert suite.record[0]["manifests"]["digest"] == wanted
    assert suite.record[0]["options"]["manifests"] == str(elsewhere / "deployed")


def test_value_of_a_secret_is_hidden_from_the_beginning(suite: Suite, elsewhere: Path) -> None:
    suite.write(
        "tests/services/test_any.py",
        "def test_all(request):\n"
        "    assert request.config.option.spec == 'correct-horse-battery'\n",
    )

    result = suite.run(
        f"--manifests={elsewhere / 'deployed' / 'secret.yaml'}", f"--spec={elsewhere / 'web.yaml'}"
    )

    result.assert_outcomes(failed=1)
    written = (suite.latest / "run.jsonl").read_text() + suite.page() + suite.junit()
    assert "correct-horse" not in written
    assert REPLACEMENT in written


def test_error_in_a_file_ends_in_one_message(suite: Suite, elsewhere: Path) -> None:
    (elsewhere / "deployed" / "bad.yaml").write_text("a: b\n  c: d\n")

    result = suite.run(f"--manifests={elsewhere / 'deployed'}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --manifests: {elsewhere}/deployed/bad.yaml:2: *"])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_without_deploying_nothing_of_ours_is_read(suite: Suite, elsewhere: Path) -> None:
    """Passwords are those of the Secrets that are there; none is made up."""
    suite.write("manifests/base/kustomization.yaml", "{not: yaml")
    suite.write(
        "tests/services/test_any.py",
        "from base64 import b64encode\n"
        "def test_all(kube, deployment, secret_values):\n"
        "    assert deployment is None\n"
        "    text = secret_values.text('Secret', 'web', 'cache', 'PASSWORD')\n"
        "    assert text == 'correct-horse-battery-' \n",
    )
    suite.write(
        "conftest.py",
        IN_MEMORY
        + """
import base64
password = base64.b64encode(b"correct-horse-battery").decode()
KUBE.put({"apiVersion": "v1", "kind": "Secret", "data": {"PASSWORD": password},
          "metadata": {"name": "cache", "namespace": "web"}})
""",
    )

    result = suite.run("--no-deploy", f"--spec={elsewhere / 'web.yaml'}")

    result.assert_outcomes(failed=1)
    written = (suite.latest / "run.jsonl").read_text()
    assert "correct-horse" not in written
    assert REPLACEMENT in written
    wanted = hashlib.sha256((elsewhere / "web.yaml").read_bytes()).hexdigest()
    line = f"{wanted}  web.yaml\n".encode()
    assert suite.record[0]["manifests"]["digest"] == hashlib.sha256(line).hexdigest()
