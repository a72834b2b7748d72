"""nova-cluster over manifests of any form."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from nova_acceptance import cli
from nova_acceptance.cluster import contexts
from nova_acceptance.cluster.home import Home, project
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.cluster.runs import running
from nova_acceptance.kube import Object
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.phrase import Phrase
from nova_acceptance.plugin.exits import ExitStatus
from testing.unit.deploy.custom import applied, config
from testing.unit.deploy.small_system import write_manifests
from testing.unit.deploy.stub_kube import StubKube

SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: cache, namespace: web}
stringData: {PASSWORD: correct-horse-battery}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, arguments)))


class Elsewhere(StubKube):
    """A cluster of another machine, whose user may do little."""

    server = "https://k8s.example.com"
    authority = "beef"

    def can_i(self, *_: object) -> bool:
        return False


def local(monkeypatch: pytest.MonkeyPatch, *, is_local: bool = True) -> None:
    """Have every context lead to a cluster of this machine, or of another one."""
    found = Cluster("any", "context", None, "any", Phrase("it was named"), "", is_local=is_local)
    monkeypatch.setattr(contexts, "by_name", lambda *_: found)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "secret.yaml").write_text(SECRET)
    return tmp_path / "plain"


def test_render_prints_plain_yaml_without_the_values_of_its_secrets(plain: Path) -> None:
    result = run("render", "--manifests", plain)

    assert result.exit_code == 0
    assert yaml.safe_load(result.output)["data"] == {"PASSWORD": "(not shown)"}
    assert "correct-horse" not in result.output


def test_render_prints_layers_with_the_overlay_that_is_named(tmp_path: Path) -> None:
    manifests = write_manifests(tmp_path / "manifests")

    result = run("render", "multi-node", "--manifests", manifests)

    assert result.exit_code == 0
    kinds = {obj["kind"] for obj in yaml.safe_load_all(result.output)}
    assert kinds == {"ConfigMap", "Namespace", "Secret", "Service"}
    assert run("render", "absent", "--manifests", manifests).exit_code == 1


def test_overlay_of_plain_yaml_is_refused(plain: Path) -> None:
    result = run("render", "multi-node", "--manifests", plain)

    assert result.exit_code == 2
    assert "has no overlays" in result.output


def test_credentials_of_plain_yaml_are_refused(plain: Path) -> None:
    result = run("credentials", plain)

    assert result.exit_code == 2
    assert "no place for credentials of ours" in result.output


def test_credentials_fill_a_copy_once(tmp_path: Path) -> None:
    manifests = write_manifests(tmp_path / "manifests")

    assert run("credentials", manifests).exit_code == 0
    again = run("credentials", manifests)

    assert again.exit_code == 2
    assert "begin with a new copy" in again.output


def test_credentials_are_written_into_no_repository() -> None:
    result = run("credentials", project() / "manifests")

    assert result.exit_code == 2
    assert "is of a repository" in result.output


def test_remove_takes_what_the_path_names_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    monkeypatch.setenv("NOVA_ACCEPTANCE_HOME", str(tmp_path / "home"))
    kube = StubKube(applied(config(namespace="default")), config("other", namespace="default"))
    monkeypatch.setattr(cli, "Kube", lambda *_: kube)
    local(monkeypatch)

    result = run("remove", "--yes", "--context", "any", "--manifests", file)

    assert result.exit_code == 0, result.output
    assert kube.calls == [("delete", "ConfigMap settings")]


def test_remove_asks_before_it_writes_to_another_machines_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    monkeypatch.setenv("NOVA_ACCEPTANCE_HOME", str(tmp_path / "home"))
    system: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "kube-system", "uid": "7f0c"},
    }
    kube = Elsewhere(applied(config(namespace="default")), system)
    monkeypatch.setattr(cli, "Kube", lambda *_: kube)
    local(monkeypatch, is_local=False)

    arguments = ("remove", "--yes", "--context", "any", "--manifests", file)
    refused = run(*arguments)

    assert refused.exit_code == ExitStatus.REFUSED
    assert "nobody has allowed it" in refused.output
    assert kube.calls == []

    assert run(*arguments, "--allow-cluster", "any").exit_code == 0
    assert kube.calls == [("delete", "ConfigMap settings")]


def test_remove_says_which_probe_pods_a_killed_run_had_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(name: str, run: str, namespace: str = "default") -> Object:
        labels = {RUN_LABEL: run}
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}

    monkeypatch.setenv("NOVA_ACCEPTANCE_HOME", str(tmp_path / "home"))
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    runs = Home.of_user().root / "runs"
    runs.mkdir(parents=True)
    (runs / "killed").touch()
    with running(Home.of_user()) as alive:
        kube = StubKube(
            probe("left", "killed"), probe("used", alive.id), probe("far", "killed", "x")
        )
        monkeypatch.setattr(cli, "Kube", lambda *_: kube)
        local(monkeypatch)
        result = run("remove", "--yes", "--context", "any", "--manifests", file)

    assert result.exit_code == 0, result.output
    assert "removed pod default/left, which a killed run had left" in result.output
    assert kube.calls == [("delete", "Pod left")]
