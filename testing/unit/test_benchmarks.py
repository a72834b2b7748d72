"""What the benchmarks deploy is what they say they measure."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.path import path_of
from benchmarks.peers import measure, work
from benchmarks.place import Place, place_of
from benchmarks.scale import measure_scale, write
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.registry import load
from nova_acceptance.deploy import load_credentials, render
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.kube import Object
from nova_acceptance.phrase import Phrase

ROOT = Path(__file__).parents[2]
MORE = ["more-1", "more-2", "more-3"]


def test_more_services_are_deployed_and_expected(tmp_path: Path) -> None:
    nova = {service.name for service in load(ROOT / "nova.yaml").of(Http)}

    manifests, spec = write(tmp_path, MORE)

    objects = render(manifests, "multi-node", load_credentials(None, manifests))
    deployed = {each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"}
    services = {service.name: service for service in load(spec).of(Http)}
    assert deployed == services.keys() == nova | {*MORE}
    assert services["more-3"].uses == services["user-service"].uses
    assert [
        *(each["metadata"]["name"] for each in objects if each["kind"] == "Secret"),
    ].count("more-3-secrets") == 1


def test_peers_ask_every_service_that_nova_has() -> None:
    services = {service.name for service in load(ROOT / "nova.yaml").of(Http)}

    assert work.SERVICES.keys() == services
    for script in ("by_exec.sh", "by_run.sh"):
        text = (measure.HERE / script).read_text("utf-8")
        assert all(name in text for name in services), script


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(4.2, "4.20 of it: slower"), (0.5, "0.50 of it: faster"), (0.97, "0.97 of it: as fast")],
)
def test_wins_and_losses_are_told_alike(ratio: float, said: str) -> None:
    assert measure.verdict(ratio) == said


def a_pod(name: str, created: int, started: int, ready: int) -> Object:
    def at(second: int) -> str:
        return f"2026-01-01T00:00:{second:02}Z"

    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": at(second)}
        for kind, second in (("PodScheduled", created), ("Ready", ready))
    ]
    return {
        "metadata": {
            "name": f"{name}-0",
            "namespace": "shop",
            "creationTimestamp": at(created),
            "labels": {"app.kubernetes.io/name": name},
        },
        "status": {
            "conditions": conditions,
            "containerStatuses": [{"state": {"running": {"startedAt": at(started)}}}],
        },
    }


def test_critical_path_is_told_by_the_pods_that_held_up_others() -> None:
    pods = [a_pod("web", 11, 13, 30), a_pod("db", 10, 12, 25), a_pod("cache", 10, 11, 12)]

    found = path_of(pods, {"web": ["db", "cache"]})

    assert found.seconds == 20
    assert found.legs == ("db-0 (0, 2, 15 s)", "web-0 (1, 3, 20 s)")


def test_critical_path_of_what_is_not_ready_is_none() -> None:
    pod = a_pod("web", 1, 2, 3)
    pod["status"]["conditions"].pop()

    with pytest.raises(ValueError, match="web-0 is not ready"):
        path_of([pod], {})


def test_tests_that_are_measured_exist() -> None:
    for selected in measure.SELECTION:
        file, _, function = selected.partition("::")
        assert f"def {function}(" in (ROOT / file).read_text("utf-8")


def test_everybody_is_led_to_the_cluster_that_is_measured_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ["one", "two"]
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [
            {"name": each, "cluster": {"server": f"https://{each}.invalid"}} for each in named
        ],
        "users": [{"name": each, "user": {"token": each}} for each in named],
        "contexts": [{"name": each, "context": {"cluster": each, "user": each}} for each in named],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(whole))
    cluster = Cluster("two", "context", file, "two", Phrase("it was named"), "")
    monkeypatch.setattr("benchmarks.place.obtain", lambda *_: cluster)

    with place_of("context:two") as place:
        shown = yaml.safe_load(place.kubeconfig.read_text())

    assert shown["current-context"] == "two"
    assert [each["name"] for each in shown["contexts"]] == ["two"]
    assert [each["user"]["token"] for each in shown["users"]] == ["two"]
    assert place.asking[1:] == [f"--kubeconfig={place.kubeconfig}"]
    assert not place.kubeconfig.exists()


def test_cluster_without_a_kubeconfig_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster("it", "in-cluster", tmp_path, "it", Phrase("it was named"), "")
    monkeypatch.setattr("benchmarks.place.obtain", lambda *_: cluster)

    with pytest.raises(ClusterError, match="no kubeconfig of it"), place_of("in-cluster"):
        pass


def test_fewer_services_than_nova_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nova itself has 5"):
        measure_scale(Place("kind", tmp_path, "kubectl"), [3, 10])
