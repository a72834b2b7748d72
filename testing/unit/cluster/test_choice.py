"""Which cluster is taken, and what is said about it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nova_acceptance.cluster import Request, check_name, choice, obtain
from nova_acceptance.cluster.contexts import is_on_this_machine
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
def made(monkeypatch: pytest.MonkeyPatch) -> list[Phrase]:
    """Collect why kind was asked for, without making a cluster."""
    reasons: list[Phrase] = []

    class FakeProvider:
        def __init__(self, *_: object) -> None:
            """Take what the real one takes."""

        def up(self, _: Request, reason: Phrase) -> Cluster:
            reasons.append(reason)
            return KIND

    monkeypatch.setattr(choice, "Provider", FakeProvider)
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


@pytest.mark.parametrize("name", ["", "gke", "context:", "kind-nova"])
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
