"""How a pod reaches the API."""

from __future__ import annotations

import pytest

from nova_node.api import Api, ApiError
from testing.unit.node.stub_api import StubApi


def test_kinds_endpoint_goes_before_the_services_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers before kube-proxy does."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert Api.from_environment() == Api("10.96.0.1", 443)

    monkeypatch.setenv("CONTROL_PLANE_ENDPOINT", "nova-control-plane:6443")
    assert Api.from_environment() == Api("nova-control-plane", 6443)


def test_refusal_carries_status_and_the_servers_words(stub_api: StubApi) -> None:
    stub_api.refuse = 403

    with pytest.raises(ApiError, match="403: refused to order") as refused:
        stub_api.api.get("/api/v1/nodes")
    assert refused.value.status == 403


def test_token_is_read_anew_for_every_request(stub_api: StubApi) -> None:
    """The kubelet replaces it before it expires."""
    api = stub_api.api
    for token in ("first", "second"):
        (api.credentials / "token").write_text(f"{token}\n")
        api.get("/api/v1/nodes")

    assert stub_api.tokens == ["Bearer first", "Bearer second"]


def test_answer_that_closes_its_connection_is_streamed_to_the_end(stub_api: StubApi) -> None:
    """A server that shuts down says `Connection: close` to a watch as well."""
    stub_api.put("/api/v1/nodes", {"metadata": {"name": "a"}})
    stub_api.closes = True

    with stub_api.api.stream("/api/v1/nodes") as lines:
        assert b'"name": "a"' in b"".join(lines)
