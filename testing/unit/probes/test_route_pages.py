"""Pages asked for over a route, as through a port-forward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage.http import page
from nova_acceptance.vantage.questions import Get
from nova_acceptance.vantage.routes import RUNNER, Route
from testing.unit.kube.scripted_api import reserved_port
from testing.unit.probes.tls import served

QUESTION = Get("web.shop.svc", 443, "/health", "https")


class Well:
    """A forward with which nothing is wrong."""

    refusal = None

    def fault_since(self, _: float) -> None:
        return None


def route(port: int) -> Route:
    forward: Any = Well()
    return Route(port, RUNNER, "shop/web-x:8443", forward)


def test_page_over_a_route_names_the_host_that_it_is_asked_of(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with served(tmp_path, "web.shop.svc", answer=answer) as shown:
        found = page(route(shown.port), QUESTION)

    assert (found.state, found.status, found.body) == ("answered", 200, "ok")
    assert found.certificate == shown.der
    assert shown.names == ["web.shop.svc"]
    assert "\r\nHost: web.shop.svc\r\n" in shown.requests[0]
    assert (found.evidence.source, found.evidence.target) == (RUNNER, "shop/web-x:8443")


def test_alert_over_a_route_is_an_answer(tmp_path: Path) -> None:
    with served(tmp_path, "web.shop.svc", answer=b"", wants_clients=True) as shown:
        assert page(route(shown.port), QUESTION).state == "alert"


def test_route_behind_which_nobody_answers_is_no_answer() -> None:
    with reserved_port() as port, pytest.raises(ProbeError, match="did not answer GET /health"):
        page(route(port), QUESTION)
