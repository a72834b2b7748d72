"""Which cluster is taken, and what is said about it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nova_acceptance.cluster import Request, check_name, choice, contexts, local_images, obtain
from nova_acceptance.cluster.contexts import is_on_this_machine
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind import provider
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from testing.unit.kube.scripted_api import reserved_port

KIND = Cluster(
    "nova", "kind", Path("kubeconfig"), "kind-nova", Phrase("it was made"), "again", "away"
)


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    path.write_text("")
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


@pytest.fixture
def names() -> list[str]:
    """The clusters that were asked for."""
    return []


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> list[Phrase]:
    """Collect why kind was asked for, without making a cluster."""
    reasons: list[Phrase] = []

    class FakeProvider:
        def __init__(self, *_: object) -> None:
            """Take what the real one takes."""

        def is_there(self, name: str) -> bool:
            return name == "ours"

        def found(self, request: Request, reason: Phrase) -> Cluster:
            return replace(KIND, reason=reason, context=f"kind-{request.name}")

        def up_again(self, request: Request, reason: Phrase) -> Cluster | None:
            return self.up(request, reason) if self.is_there(request.name) else None

        def up(self, request: Request, reason: Phrase) -> Cluster:
            reasons.append(reason)
            names.append(request.name)
            return KIND

    monkeypatch.setattr(provider, "Provider", FakeProvider)
    return reasons


def write(path: Path, contexts: dict[str, str]) -> None:
    """Write a kubeconfig of contexts by name, each with its server."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(contexts)),
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "me"}} for name in contexts
        ],
        "clusters": [
            {"name": name, "cluster": {"server": server}} for name, server in contexts.items()
        ],
        "users": [{"name": "me", "user": {"token": "none"}}],
    }
    path.write_text(yaml.safe_dump(document))


@pytest.fixture
def closed_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


@pytest.mark.parametrize("name", ["", "gke", "context:", "kind-nova", "kind:", "kind:No"])
def test_unknown_name_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(UsageError, match="there is no such kind of cluster") as refused:
        check_name(name)

    assert "context:NAME" in refused.value.hint


def test_context_that_is_not_there_is_refused_with_those_that_are(kubeconfig: Path) -> None:
    write(kubeconfig, {"staging": "https://127.0.0.1:1"})

    with pytest.raises(UsageError, match="no context production") as refused:
        obtain(Request("context:production"), Progress(io.StringIO()))

    assert "there are: staging" in refused.value.evidence


def test_context_that_does_not_answer_is_an_error(kubeconfig: Path, closed_port: int) -> None:
    write(kubeconfig, {"staging": f"https://127.0.0.1:{closed_port}"})

    with pytest.raises(ClusterError, match=r"127\.0\.0\.1"):
        obtain(Request("context:staging"), Progress(io.StringIO()))


def test_local_passes_over_what_does_not_answer_and_says_so(
    kubeconfig: Path, made: list[Phrase], closed_port: int
) -> None:
    write(kubeconfig, {"kind-old": f"https://127.0.0.1:{closed_port}", "prod": "https://a.b"})
    shown = io.StringIO()

    assert obtain(Request("local"), Progress(shown)) is KIND
    assert made == ["no local context answers, so kind was taken"]
    assert "passed over: kind-old" in shown.getvalue()
    assert "prod" not in shown.getvalue()
    assert "cluster: nova (kind) — it was made" in shown.getvalue()


def test_local_takes_kind_where_the_kubeconfig_is_empty(
    kubeconfig: Path, made: list[Phrase]
) -> None:
    kubeconfig.write_text("")

    assert obtain(Request("local"), Progress(io.StringIO())) is KIND
    assert made == ["no local context answers, so kind was taken"]


def test_local_never_takes_a_context_of_another_machine(
    kubeconfig: Path, made: list[Phrase]
) -> None:
    """A cluster elsewhere may have been given a local-sounding name."""
    write(kubeconfig, {"kind-prod": "https://cluster.example.com:6443"})
    shown = io.StringIO()

    obtain(Request("local"), Progress(shown))

    assert len(made) == 1
    assert "kind-prod leads to another machine" in shown.getvalue()


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every context answers, and what runs there has its images."""
    monkeypatch.setattr(contexts, "Kube", Answering)
    monkeypatch.setattr(choice, "_provide_images", lambda *_: None)


class Answering:
    """An API on this machine."""

    server = "https://127.0.0.1:6443"
    server_version = "v1.36.2"

    def __init__(self, *_: object) -> None:
        """Take what the real one takes."""


@pytest.mark.usefixtures("answering")
def test_kind_takes_a_cluster_that_is_up_whoever_made_it(
    kubeconfig: Path, made: list[Phrase]
) -> None:
    write(kubeconfig, {"docker-desktop": "https://127.0.0.1:1", "kind-dev": "https://127.0.0.1:2"})

    found = obtain(Request("kind"), Progress(io.StringIO()))

    assert (found.context, found.remove_hint) == (
        "kind-dev",
        "nova-cluster remove --context kind-dev",
    )
    assert made == []


@pytest.mark.usefixtures("answering", "made")
@pytest.mark.parametrize(
    ("name", "context", "created"),
    [
        ("kind:dev", "kind-dev", []),
        ("kind:other", "kind-other", []),
        ("kind:ours", "kind-nova", ["ours"]),  # made from here: its own kubeconfig leads to it
        ("kind:new", "kind-nova", ["new"]),
    ],
)
def test_a_kind_cluster_is_taken_by_its_name(
    name: str,
    context: str,
    created: list[str],
    kubeconfig: Path,
    names: list[str],
) -> None:
    servers = dict.fromkeys(("kind-dev", "kind-other"), "https://127.0.0.1:1")
    write(kubeconfig, servers)

    assert obtain(Request(name), Progress(io.StringIO())).context == context
    assert names == created


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("asked", [{"nodes": 3}, {"node_image": "kindest/node:v1.36.2"}])
def test_somebodys_cluster_is_not_taken_where_nodes_or_image_are_asked_for(
    asked: dict[str, Any], kubeconfig: Path, made: list[Phrase]
) -> None:
    write(kubeconfig, {"kind-dev": "https://127.0.0.1:1"})

    assert obtain(Request("kind", **asked), Progress(io.StringIO())) is KIND
    assert made == ["kind was asked for"]


@pytest.mark.parametrize("name", ["local", "kind", "kind:new"])
def test_no_cluster_is_made_for_a_run_that_deploys_nothing(
    name: str, kubeconfig: Path, made: list[Phrase]
) -> None:
    kubeconfig.write_text("")

    with pytest.raises(ClusterError, match="no cluster is up") as refused:
        obtain(Request(name, may_create=False), Progress(io.StringIO()))

    assert "--no-deploy" in refused.value.hint
    assert made == []


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("local", "docker-desktop"),
        ("docker-desktop", "docker-desktop"),
        ("kind", "kind-dev"),
        ("kind:dev", "kind-dev"),
        ("kind:ours", "kind-ours"),
        ("k3d", "k3d-it"),
        ("context:staging", "staging"),
    ],
)
def test_run_that_changes_nothing_takes_what_is_up_as_it_is(
    name: str,
    context: str,
    kubeconfig: Path,
    made: list[Phrase],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(*_: object) -> None:
        pytest.fail("images are loaded")

    monkeypatch.setattr(choice, "_provide_images", load)
    there = ("docker-desktop", "kind-dev", "k3d-it", "staging")
    write(kubeconfig, dict.fromkeys(there, "https://127.0.0.1:1"))

    found = obtain(Request(name, is_looking=True), Progress(io.StringIO()))

    assert found.context == context
    assert made == []


@pytest.mark.parametrize("name", ["local", "kind", "kind:new", "k3d", "minikube"])
def test_run_that_changes_nothing_makes_no_cluster(
    name: str, kubeconfig: Path, made: list[Phrase]
) -> None:
    kubeconfig.write_text("")

    with pytest.raises(ClusterError, match="no cluster is up") as refused:
        obtain(Request(name, is_looking=True), Progress(io.StringIO()))

    assert "writes nothing" in refused.value.hint
    assert made == []


@pytest.mark.parametrize(
    ("name", "server", "expected"),
    [
        ("kind-nova", "https://127.0.0.1:6443", True),
        ("kind-nova", "https://[::1]:6443", True),
        ("k3d-nova", "https://0.0.0.0:6443", True),
        ("docker-desktop", "https://kubernetes.docker.internal:6443", True),
        ("minikube", "https://192.168.49.2:8443", True),
        ("kind-nova", "https://192.168.49.2:8443", False),
        ("k3d-nova", "https://10.0.0.1:6443", False),
        ("minikube", "https://8.8.8.8:8443", False),
        ("kind-nova", "https://k8s.example.com", False),
        ("staging", "https://127.0.0.1:6443", False),  # a tunnel, as likely as not
        ("my-kind-nova", "https://127.0.0.1:6443", False),
    ],
)
def test_context_is_of_this_machine_by_its_makers_name_and_its_address(
    name: str, server: str, expected: bool
) -> None:
    assert contexts.is_local(name, server) is expected


def test_images_are_loaded_into_local_clusters_alone(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(local_images, "provide", lambda context, *_: loaded.append(context))
    home = Home(kubeconfig.parent)
    for is_local in (True, False):
        cluster = replace(KIND, kubeconfig=kubeconfig, is_local=is_local, context=str(is_local))
        monkeypatch.setattr(choice, "Kube", lambda *_: None)
        choice._provide_images(cluster, home, Progress(io.StringIO()))

    assert loaded == ["True"]


def test_context_is_told_by_what_it_calls_its_cluster(kubeconfig: Path) -> None:
    write(kubeconfig, {"staging": "https://127.0.0.1:1"})
    content = yaml.safe_load(kubeconfig.read_text())
    content["contexts"][0]["context"]["cluster"] = "prod-eu"
    kubeconfig.write_text(yaml.safe_dump(content))

    assert contexts.called("staging") == "prod-eu"
    assert contexts.called("absent") == ""


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("https://127.0.0.1:6443", True),
        ("https://[::1]:6443", True),
        ("https://localhost:6443", True),
        ("https://kubernetes.docker.internal:6443", True),
        ("https://192.168.49.2:8443", True),
        ("https://8.8.8.8", False),
        ("https://api.example.com", False),
        ("https://localhost.example.com", False),
    ],
)
def test_address_tells_whether_a_cluster_is_on_this_machine(server: str, expected: bool) -> None:
    assert is_on_this_machine(server) is expected
