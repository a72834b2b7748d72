"""`nova-cluster clean` takes away what dead runs left, and lists what it cannot take."""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.lease import Holder, Leases
from nova_acceptance.cluster.runs import Run
from nova_acceptance.cluster.tenure import Tenure
from nova_acceptance.deploy.unfinished import BEGUN, Deed, Unfinished
from nova_acceptance.kube import ApiUnreachableError, Object
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.progress import Progress
from nova_acceptance.verification import cleaning
from testing.unit.cluster.lease_api import LeaseApi, error
from testing.unit.deploy.custom import applied
from testing.unit.deploy.stub_kube import StubKube
from testing.unit.probes.a_nova import nova

HOME = nova().namespaces[0]
NAMESPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}


class Cluster(StubKube):
    """A cluster with two of the namespaces, and the Lease."""

    def __init__(self, *objects: Object) -> None:
        other = {**NAMESPACE, "metadata": {"name": "nova-database"}}
        super().__init__(NAMESPACE, other, *objects)
        self.api = LeaseApi(HOME)
        self.undeletable: set[str] = set()

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Any:
        if kind == "Lease":
            return self.api.get(api_version, kind, name, namespace)
        return super().get(api_version, kind, name, namespace)

    def create(self, obj: Object) -> Object:
        return self.api.create(obj)

    def replace(self, obj: Object) -> Object:
        return self.api.replace(obj)

    def delete(self, *where: Any, **how: Any) -> None:
        if where[1] == "Lease":
            self.api.delete(*where, **how)
        elif where[2] in self.undeletable:
            raise error(500, "InternalError")
        else:
            super().delete(*where, **how)
            if where[1] == "Namespace":
                self.api.leases.pop(where[2], None)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The components that were cleared; one of them has had a key."""
    found: list[str] = []

    @contextmanager
    def opened(*_: Any) -> Any:
        yield SimpleNamespace(of=lambda component: component)

    def clear(client: Any, component: Any) -> list[str]:
        assert client is component
        found.append(component.name)
        if component.kind == "etcd":
            raise ValueError("no quorum\nmore")
        return ["key a"] if component.kind == "redis" else []

    monkeypatch.setattr(cleaning, "opened_clients", opened)
    monkeypatch.setattr(cleaning, "look", lambda *_, **__: None)
    monkeypatch.setattr(cleaning, "kind_of", lambda _component: SimpleNamespace(clear=clear))
    return found


def dead(home: Home) -> Run:
    """A run of this machine that was killed."""
    run = Run(home)
    run.begin()
    run.end(has_left=True)
    return run


def pod(name: str, run: str) -> Object:
    metadata = {"name": name, "namespace": HOME, "labels": {RUN_LABEL: run}, "uid": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def clean(kube: StubKube, home: Home) -> cleaning.Cleaned:
    run = Run(home)
    run.begin()
    try:
        return cleaning.clean(kube, nova(), run, Progress(io.StringIO()))
    finally:
        run.end()


def held(kube: Cluster, run: Run, unfinished: Unfinished | None = None) -> None:
    """Have a run hold the system, and be gone."""
    tenure = Tenure(Leases(kube, HOME), run)
    tenure.take("deploying", Progress(io.StringIO()))
    tenure.mark(str(unfinished) if unfinished else None)
    tenure.stop()


def test_pods_of_dead_runs_go_and_those_of_live_ones_stay(home: Home) -> None:
    alive = Run(home)
    alive.begin()
    kube = Cluster(pod("dead", dead(home).id), pod("alive", alive.id), pod("far", "0" * 12))

    done = clean(kube, home)

    assert [each for each in done.removed if "pod" in each] == [
        f"pod {HOME}/dead",
        f"pod {HOME}/far",  # of another machine, none of whose runs goes on: the Lease is held here
    ]
    assert kube.calls == [("delete", "Pod dead"), ("delete", "Pod far")]
    assert kube.api.leases == {}


def test_pod_of_another_machine_stays_where_no_lease_can_be_held(
    home: Home, asked: list[str]
) -> None:
    kube = Cluster(pod("dead", dead(home).id), pod("far", "0" * 12))
    kube.api.refuse = {"create"}

    done = clean(kube, home)

    assert kube.calls == [("delete", "Pod dead")]
    assert asked == []
    assert any("what tests left in components: not looked for" in each for each in done.left)


def test_what_cannot_be_removed_is_listed(home: Home) -> None:
    run = dead(home).id
    kube = Cluster(pod("stuck", run), pod("loose", run))
    kube.undeletable = {"stuck"}

    done = clean(kube, home)

    assert f"pod {HOME}/loose" in done.removed
    assert any(each.startswith(f"pod {HOME}/stuck: the API refused") for each in done.left)
    assert any("etcd: not known: ValueError: no quorum" in each for each in done.left)
    assert "key a of redis" in done.removed


def test_lease_of_a_dead_run_goes(home: Home) -> None:
    kube, run = Cluster(), dead(home)
    held(kube, run)

    done = clean(kube, home)

    assert done.removed[0] == f"Lease {HOME}/nova-acceptance of run {Holder.here(run.id)}"
    assert kube.api.leases == {}


def test_deployment_that_a_dead_run_began_from_nothing_goes(home: Home, asked: list[str]) -> None:
    kube, run = Cluster(), dead(home)
    kube.put(applied(NAMESPACE))
    begun = Unfinished(Deed.FROM_NOTHING, run.id, "pytest", (("v1", "Namespace", "", HOME),))
    held(kube, run, begun)

    done = clean(kube, home)

    assert done.left == []
    assert f"deployment from nothing by run {run.id}" in done.removed
    assert kube.calls == [("delete", f"Namespace {HOME}")]
    assert asked == []


def test_update_that_was_broken_off_is_told_and_its_mark_stays(home: Home) -> None:
    kube, run = Cluster(), dead(home)
    held(kube, run, Unfinished(Deed.UPDATE, run.id, "pytest --cluster kind"))

    for _ in range(2):
        done = clean(kube, home)
        what = f"deployment over what was there by run {run.id}"
        assert f"{what}, broken off; complete it: pytest --cluster kind" in done.left
    assert kube.calls == []
    assert Holder.of(kube.api.leases[HOME]) is None


def test_namespace_of_a_run_killed_before_it_had_its_lease_goes(home: Home) -> None:
    kube = Cluster()
    made = applied(NAMESPACE)
    made["metadata"]["annotations"] = {BEGUN: dead(home).id}
    kube.put(made)

    done = clean(kube, home)

    assert f"namespace {HOME}, in which nothing had begun" in done.removed
    assert kube.calls == [("delete", f"Namespace {HOME}")]


def test_silence_of_the_api_ends_it_and_nothing_is_removed(home: Home) -> None:
    kube = Cluster(pod("dead", dead(home).id))
    kube.api.is_away = True

    with pytest.raises(ApiUnreachableError):
        clean(kube, home)

    assert kube.calls == []
