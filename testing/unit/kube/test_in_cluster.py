"""The API of a pod's own cluster, by what the kubelet lays into the pod."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from nova_acceptance.cluster import Request, obtain
from nova_acceptance.cluster import in_cluster as cluster
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import in_cluster
from nova_acceptance.kube.rest import Rest
from nova_acceptance.progress import Progress
from testing.unit.kube.scripted_api import reserved_port
from testing.unit.probes.tls import certificate


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ServiceAccount's directory, in a pod whose API is at a documentation address."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "2001:db8::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "there-is-none"))
    directory = tmp_path / "account"
    directory.mkdir()
    (directory / "token").write_text("first-token")
    (directory / "ca.crt").write_text("a certificate")
    return directory


def sent(rest: Rest) -> str:
    return rest._way.credentials.headers()["authorization"]


def test_api_is_the_one_that_the_environment_names(account: Path) -> None:
    rest = Rest(account, None)

    assert rest.server == "https://[2001:db8::1]:443"
    assert rest._way.ca_file == str(account / "ca.crt")
    assert sent(rest) == "Bearer first-token"


def test_token_that_the_kubelet_has_renewed_is_read_again(
    account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = Rest(account, None)
    assert sent(rest) == "Bearer first-token"
    (account / "token").write_text("second-token")
    assert sent(rest) == "Bearer first-token"

    monkeypatch.setattr("nova_acceptance.kube.credentials._FILE_SERVES", 0.0)

    assert sent(rest) == "Bearer second-token"


@pytest.mark.parametrize("lacking", ["token", "ca.crt", "KUBERNETES_SERVICE_HOST"])
def test_process_outside_of_a_pod_is_told_so_in_one_message(
    account: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    if lacking.isupper():
        monkeypatch.delenv(lacking)
    else:
        (account / lacking).unlink()
    monkeypatch.setattr(cluster, "SERVICE_ACCOUNT", account)

    with pytest.raises(ClusterError, match="has no ServiceAccount of a pod") as told:
        obtain(Request("in-cluster"), Progress())

    assert "take --cluster context:NAME" in told.value.hint


def test_directory_that_is_not_there_is_no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert in_cluster.is_service_account(in_cluster.SERVICE_ACCOUNT)
    with pytest.raises(ClusterError, match="has no ServiceAccount of a pod"):
        Rest(in_cluster.SERVICE_ACCOUNT, None)


def test_api_that_does_not_answer_its_own_pod_is_one_message(
    account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (account / "ca.crt").write_text(authority())
    monkeypatch.setattr(cluster, "SERVICE_ACCOUNT", account)
    monkeypatch.setattr("nova_acceptance.timeouts.API_ABSENT", 0.1)
    with reserved_port() as port:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))

        with pytest.raises(ClusterError, match="the API of this pod's cluster") as told:
            obtain(Request("in-cluster"), Progress())

    assert f"https://127.0.0.1:{port}" in told.value.message
    assert "NetworkPolicy" in told.value.hint
    assert "kubeconfig" not in str(told.value)


def authority() -> str:
    made, _ = certificate("kubernetes")
    return made.public_bytes(serialization.Encoding.PEM).decode()
