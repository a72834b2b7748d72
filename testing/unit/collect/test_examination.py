"""`nova-cluster diagnose`: where it looks, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nova_acceptance import cli
from nova_acceptance.collect import examination
from nova_acceptance.diagnosis.account import account
from nova_acceptance.errors import UsageError
from nova_acceptance.kube import Object
from testing.unit.collect.stub import StubKube
from testing.unit.diagnosis.rendered import ROOT

WELL = "nothing known is wrong in what was looked at and asked"
UNSAID = (
    "looked at: objects of {}; asked by protocol: nothing; not asked by protocol: anything "
    "(nova.yaml does not say what runs there)"
)


def namespaces(*names: str) -> list[Object]:
    return [{"kind": "Namespace", "metadata": {"name": name}} for name in names]


def shop(*, ready: bool) -> list[Object]:
    """Return a workload whose URL leads nowhere, and that is ready or does not say why not."""
    container = {"name": "main", "image": "shop:2"}
    container |= {"env": [{"name": "DB_URL", "value": "tcp://db-old:5432"}]}  # type: ignore[dict-item]
    owner: Object = {
        "kind": "StatefulSet",
        "metadata": {"name": "shop", "namespace": "shop", "uid": "uid-shop", "generation": 1},
        "spec": {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": [container]}}},
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": int(ready),
        },
    }
    return [owner]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def dns() -> list[Object]:
    where = {"name": "kube-dns", "namespace": "kube-system", "uid": "uid-dns"}
    return [
        {"kind": "Service", "metadata": where, "spec": {"ports": [{"port": 53}]}},
        {
            "kind": "EndpointSlice",
            "metadata": {**where, "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "endpoints": [{"addresses": ["10.0.0.1"]}],
        },
    ]


def run(monkeypatch: pytest.MonkeyPatch, kube: StubKube, *arguments: str) -> Any:
    monkeypatch.setattr(cli, "_kube", lambda _context: kube)
    return CliRunner().invoke(cli.main, ["diagnose", *arguments])


def test_everything_but_the_clusters_own_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube(*namespaces("shop", "kube-system", "kube-public"), *shop(ready=True), *dns())
    result = run(monkeypatch, kube)

    assert result.exit_code == 1
    assert result.output.startswith("1. STALE_ENDPOINT_URL: StatefulSet shop/shop, DB_URL, names")
    assert "list v1 Pod kube-public" not in kube.asked


def test_namespace_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube(*namespaces("shop", "quiet", "kube-system"), *shop(ready=True), *dns())
    result = run(monkeypatch, kube, "--namespace", "quiet")

    assert result.exit_code == 0
    assert result.output.splitlines() == [WELL, UNSAID.format("kube-system, quiet")]


def test_namespace_that_does_not_exist_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, StubKube(*namespaces("shop")), "--namespace", "shpo")

    assert result.exit_code == 2
    assert "shpo" in result.output


def test_what_is_not_ready_for_no_known_reason_is_said() -> None:
    objects = shop(ready=False)
    objects[0]["spec"]["template"]["spec"]["containers"][0].pop("env")
    objects[0]["status"]["readyReplicas"] = 1
    objects[0]["status"]["updatedReplicas"] = 0
    kube = StubKube(*namespaces("shop", "kube-system"), *objects, *dns())
    found = account(examination.seen(kube))

    assert not found.is_well
    text = "\n".join(found.lines())
    assert "StatefulSet shop/shop is not ready" in text
    assert "no cause of it is known" in text
    assert "seen: 0 of 1 updated" in text


def test_what_could_not_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube(*namespaces("quiet", "kube-system"), *dns())
    kube.forbidden = {"Secret"}
    result = run(monkeypatch, kube)

    assert result.exit_code == 0
    assert "in quiet: this user may not list Secret" in result.output


def test_nova_yaml_counts_where_its_namespaces_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    kube = StubKube(*namespaces("nova-redis", "kube-system"), *dns())
    result = run(monkeypatch, kube)
    assert "NAMESPACE_MISSING" in result.output

    kube = StubKube(*namespaces("shop", "kube-system"), *dns())
    assert run(monkeypatch, kube).output.startswith("nothing known is wrong")


def test_api_only_leaves_out_what_would_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    kube = StubKube(*namespaces("nova-redis", "kube-system"), *dns())
    last = run(monkeypatch, kube, "--api-only").output.splitlines()[-1]

    assert last.endswith("; not asked by protocol: anything (--api-only)")


def test_last_line_says_which_namespace_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = StubKube(*namespaces("quiet", "kube-system"), *dns())
    kube.forbidden = {"Secret"}
    last = run(monkeypatch, kube).output.splitlines()[-1]

    assert last.endswith("; not read: Secret in quiet (this user may not list them)")


def test_who_may_not_list_namespaces_is_asked_for_one() -> None:
    kube = StubKube(*dns())
    kube.forbidden = {"Namespace"}

    with pytest.raises(UsageError):
        examination.seen(kube)
    assert account(examination.seen(kube, ["shop"])).causes == ()
