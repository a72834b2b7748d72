"""An API over TLS, and a kubeconfig that leads to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from testing.unit.kube.scripted_api import Answer, Request, ScriptedApi, scripted_api
from testing.unit.way.pki import Authority, Pair

Script = Callable[[Request], Answer]
Kubeconfig = Callable[..., Path]
SecureApi = Callable[..., AbstractContextManager[ScriptedApi]]


def version(_request: Request) -> Answer:
    return Answer({"gitVersion": "v1.30.0"})


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def secure_api(tmp_path: Path, authority: Authority) -> SecureApi:
    """Serve a script over TLS, with a certificate for 127.0.0.1 or the one that is given."""

    @contextmanager
    def serve(
        script: Script = version, pair: Pair | None = None, clients: bytes = b""
    ) -> Iterator[ScriptedApi]:
        shown = pair or authority.issue("127.0.0.1", "api.nova.invalid")
        with scripted_api(script, tls=shown.server(tmp_path, clients)) as api:
            yield api

    return serve


@pytest.fixture
def kubeconfig(tmp_path: Path, authority: Authority) -> Kubeconfig:
    """Write a kubeconfig for an API, by what its cluster and its user say besides."""

    def write(
        api: ScriptedApi | str,
        *,
        user: dict[str, Any] | None = None,
        cluster: dict[str, Any] | None = None,
    ) -> Path:
        server = api if isinstance(api, str) else f"https://127.0.0.1:{api.port}"
        described = {
            "server": server,
            "certificate-authority-data": encoded(authority.certificate),
            **(cluster or {}),
        }
        path = tmp_path / "kubeconfig"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "shop-test",
            "contexts": [{"name": "shop-test", "context": {"cluster": "shop", "user": "tester"}}],
            "clusters": [{"name": "shop", "cluster": described}],
            "users": [{"name": "tester", "user": user or {"token": "the-token-of-it"}}],
        }
        path.write_text(json.dumps(content))
        return path

    return write
