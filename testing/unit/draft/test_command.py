"""`nova-cluster draft`: where it looks, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nova_acceptance import cli
from nova_acceptance.kube import Object
from testing.unit.collect.stub import StubKube
from testing.unit.draft.systems import given, loaded, secret, service, workload


def namespaces(*names: str) -> list[Object]:
    return [{"kind": "Namespace", "metadata": {"name": name}} for name in names]


def shop(namespace: str = "shop") -> list[Object]:
    return [
        workload("web", "web:1", 80, namespace=namespace, container=given("web", "password")),
        service("web", 80, namespace=namespace),
        secret("web", namespace=namespace, password="not-a-secret-of-anybody"),
    ]


def run(monkeypatch: pytest.MonkeyPatch, kube: StubKube, *arguments: str) -> Any:
    monkeypatch.setattr(cli, "_kube", lambda _context: kube)
    return CliRunner().invoke(cli.main, ["draft", *arguments])


def test_everything_but_the_clusters_own_is_described(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = namespaces("kube-system", "local-path-storage")
    kube = StubKube(*own, *namespaces("shop"), *shop(), *shop("kube-system"))
    result = run(monkeypatch, kube)

    assert result.exit_code == 0
    assert {it.namespace for it in loaded(tmp_path, result.output).components} == {"shop"}
    assert not any(asked.endswith("local-path-storage") for asked in kube.asked)


def test_only_the_namespaces_named_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube(*namespaces("shop", "other"), *shop(), *shop("other"))
    result = run(monkeypatch, kube, "--namespace", "shop")

    assert result.exit_code == 0
    assert not any(asked.endswith(" other") for asked in kube.asked)


def test_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube(*namespaces("shop"), *shop())
    run(monkeypatch, kube)

    assert kube.calls == []
    assert not [asked for asked in kube.asked if asked.startswith(("apply", "try"))]


def test_what_may_not_be_read_is_a_comment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kube = StubKube(*namespaces("shop"), *shop())
    kube.forbidden = {"Secret"}
    result = run(monkeypatch, kube)

    assert result.exit_code == 0
    assert "# - not read: in shop: this user may not list Secret" in result.output
    assert "It is given Secret shop/web, which could not be read" in result.output.replace(
        "\n#", ""
    )
    assert loaded(tmp_path, result.output).component("web").kind == "http"


def test_user_who_may_not_list_namespaces_is_told_to_name_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kube = StubKube(*shop())
    kube.forbidden = {"Namespace"}

    assert "--namespace NAME" in run(monkeypatch, kube).output
    assert run(monkeypatch, kube, "--namespace", "shop").exit_code == 0


def test_namespace_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, StubKube(*namespaces("shop")), "--namespace", "shpo")

    assert result.exit_code == 2
    assert "there is no namespace shpo" in result.output


def test_two_places_are_one_too_many(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli.main, ["draft", "--context", "any", "--manifests", str(tmp_path)]
    )

    assert result.exit_code == 2


def test_workload_that_is_not_ready_is_said_at_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    sick = shop()
    sick[0]["status"] = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 0}
    result = run(monkeypatch, StubKube(*namespaces("shop"), *sick))

    head = result.output.partition("components:")[0]
    assert "Deployment shop/web is not ready" in head
    assert "No pod of it is ready" in head
