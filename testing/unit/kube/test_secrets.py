"""Every Secret that passes the API, and the kubeconfig's credentials, are masked from then on."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.kube import Kube
from nova_acceptance.masking import REPLACEMENT, mask
from testing.unit.kube.scripted_api import Answer, Request, scripted_api
from testing.unit.waiting import SOON


def secret(password: str) -> dict[str, Any]:
    url = f"redis://:{password}/x@host:6379/0"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "it", "namespace": "here", "uid": "u", "resourceVersion": "2"},
        "data": {"URL": base64.b64encode(url.encode()).decode()},
    }


def watched(kube: Kube) -> object:
    return next(kube.watch("v1", "Secret", namespace="here", deadline=time.monotonic() + SOON))


@pytest.mark.parametrize(
    ("password", "ask"),
    [
        ("gT7xQ2pL", lambda kube: kube.get("v1", "Secret", "it", "here")),
        ("lS8wN3mK", lambda kube: kube.list("v1", "Secret", namespace="here")),
        ("wA9vB4nJ", watched),
        ("aP1uC5bH", lambda kube: kube.apply(secret("another"))),
        ("cR2tD6vG", lambda kube: kube.create(secret("another"))),
        ("sE3yF7cF", lambda kube: kube.apply(secret("sE3yF7cF"))),
    ],
    ids=["get", "list", "watch", "applied", "created", "sent"],
)
def test_secret_that_passes_the_api_is_masked(
    tmp_path: Path, password: str, ask: Callable[[Kube], object]
) -> None:
    def script(request: Request) -> Answer:
        if request.query.get("watch") == "true":
            return Answer(lines=[{"type": "ADDED", "object": secret(password)}])
        if request.path.endswith("/secrets") and request.method == "GET":
            items = [] if password == "wA9vB4nJ" else [secret(password)]
            answer = {"kind": "SecretList", "metadata": {"resourceVersion": "1"}, "items": items}
            return Answer(answer)
        return Answer(secret("another" if password == "sE3yF7cF" else password))

    assert password in mask(password)
    with scripted_api(script) as api:
        ask(Kube(api.kubeconfig(tmp_path)))

    assert mask(f"no port: '{password}'") == f"no port: '{REPLACEMENT}'"


def test_token_of_the_kubeconfig_is_masked(tmp_path: Path) -> None:
    with scripted_api(lambda _: Answer({"gitVersion": "v1.20.2"})) as api:
        path = api.kubeconfig(tmp_path)
        path.write_text(path.read_text().replace("the-token", "eyJhbGciOiJS.x-Y9"))
        kube = Kube(path)

        assert mask("Authorization: Bearer eyJhbGciOiJS") == f"Authorization: Bearer {REPLACEMENT}"
        assert kube.server_version == "v1.20.2"
