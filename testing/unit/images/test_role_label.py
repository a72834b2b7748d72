"""The callback that keeps a pod's label at PostgreSQL's role."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

import pytest

from testing.unit.images.conftest import Recorder, program

role_label = program("postgres/role_label.py")


@pytest.mark.parametrize(
    ("action", "role", "label"),
    [
        ("on_start", "master", "primary"),
        ("on_role_change", "primary", "primary"),
        ("on_role_change", "promoted", "primary"),
        ("on_start", "replica", "replica"),
        ("on_role_change", "replica", "replica"),
        ("on_role_change", "demoted", "replica"),
        ("on_role_change", "uninitialized", "replica"),
        ("on_stop", "master", None),
        ("on_stop", "replica", None),
    ],
)
def test_label_is_primary_only_where_postgresql_leads(
    action: str, role: str, label: str | None
) -> None:
    assert role_label.label_of(action, role) == label


@pytest.fixture
def api(recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """An API server without TLS, and a pod's environment and account that lead to it."""

    class PlainConnection(http.client.HTTPConnection):
        def __init__(self, host: str, port: int, *, timeout: float, context: object) -> None:
            del context
            super().__init__(host, port, timeout=timeout)

    (tmp_path / "token").write_text("the-token\n")
    monkeypatch.setattr(role_label, "ACCOUNT", tmp_path)
    monkeypatch.setattr(http.client, "HTTPSConnection", PlainConnection)
    monkeypatch.setattr(ssl, "create_default_context", lambda cafile: cafile)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(recorder.port))
    monkeypatch.setenv("POD_NAMESPACE", "nova-database")
    monkeypatch.setenv("POD_NAME", "postgres-1")
    return recorder


@pytest.mark.parametrize("value", ["primary", None])
def test_label_is_patched_on_this_pod_with_its_token(api: Recorder, value: str | None) -> None:
    role_label.patch_label(value)

    (request,) = api.requests
    assert request.method == "PATCH"
    assert request.path == "/api/v1/namespaces/nova-database/pods/postgres-1"
    assert request.headers["Authorization"] == "Bearer the-token"
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.body == {"metadata": {"labels": {"nova/role": value}}}


def test_refusal_is_an_error(api: Recorder) -> None:
    api.status = 403

    with pytest.raises(OSError, match="HTTP 403"):
        role_label.patch_label("primary")


def test_failure_is_tried_again_until_the_label_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = [OSError("refused"), OSError("HTTP 500"), None]
    pauses: list[float] = []
    values: list[str | None] = []

    def patch(value: str | None) -> None:
        values.append(value)
        if outcome := outcomes.pop(0):
            raise outcome

    monkeypatch.setattr(role_label, "patch_label", patch)
    monkeypatch.setattr(role_label.time, "sleep", pauses.append)
    monkeypatch.setattr(role_label.sys, "argv", ["role_label.py", "on_start", "replica", "nova"])

    assert role_label.main() == 0
    assert values == ["replica"] * 3
    assert pauses == [0.2, 0.4]
