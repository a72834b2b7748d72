"""HTTP from the runner, over a route."""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from dataclasses import replace

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage import in_pod_agent
from nova_acceptance.vantage.questions import Get, Page
from nova_acceptance.vantage.retrying import ask_through
from nova_acceptance.vantage.routes import LOOPBACK, Route

Kept = list[http.client.HTTPConnection]

_SILENCES = (OSError, http.client.HTTPException)
_NOTHING = ("refused", "timeout", "cut", "unreachable")
"""States in which nothing answered; through a route, it may have been the route."""


def exchange(
    route: Route, method: str, path: str, body: str | None = None, kept: Kept | None = None
) -> tuple[int, str]:
    """Send one HTTP request over a route; it may be sent twice where a connection was cut.

    Args:
        route: where to.
        method: such as `GET`.
        path: of the URL.
        body: what is sent with it.
        kept: connections to the same server that nobody uses now; what the server leaves open is
            one of them afterwards.

    Returns:
        The status and the body.

    Raises:
        ProbeError: nothing answered.
    """
    try:
        return ask_through(
            route,
            lambda: _exchange(route.port, (method, path, body), [] if kept is None else kept),
            is_silence=_is_silence,
        )
    except _SILENCES as error:
        raise _unanswered(route, f"{method} {path}", error) from error


def page(route: Route, question: Get) -> Page:
    """Ask for a page over a route, as the agent does from inside a pod.

    Args:
        route: where to.
        question: what is asked, of the host that Host and TLS name.

    Raises:
        ProbeError: nothing answered.
    """
    asked = {**question.as_json(), "host": LOOPBACK, "port": route.port}

    def ask() -> Page:
        found = question.read(in_pod_agent.answer(dict(asked)), route.source)
        if found.state in _NOTHING:
            raise ConnectionError(f"{found.state} {found.detail}".strip())
        return replace(found, evidence=replace(found.evidence, target=route.target))

    try:
        return ask_through(route, ask, is_silence=_is_silence)
    except _SILENCES as error:
        raise _unanswered(route, f"GET {question.path}", error) from error


def _unanswered(route: Route, asked: str, error: Exception) -> ProbeError:
    return ProbeError(
        f"{route.target} did not answer {asked}",
        hint="is the pod ready? `kubectl get pods -A` shows it",
        evidence=[f"{type(error).__name__}: {error}"],
    )


def _exchange(port: int, asked: tuple[str, str, str | None], kept: Kept) -> tuple[int, str]:
    try:
        connection = kept.pop()
    except IndexError:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeouts.CONNECT)
    is_new = connection.sock is None
    try:
        connection.request(*asked)
        response = connection.getresponse()
        found = response.status, _body(response).decode("utf-8", "replace")
    except _SILENCES:
        connection.close()
        if is_new:
            raise
        return _exchange(port, asked, kept)  # it may have been cut while nobody used it
    if response.isclosed() and connection.sock is not None:
        kept.append(connection)
    else:
        connection.close()
    return found


def _body(response: http.client.HTTPResponse) -> bytes:
    """Return a body, by its length, or else until it is a whole object or list of JSON.

    What has no length ends with its connection, as Patroni's answers do. By a port-forward that is
    learnt a second late: a node waits so long for the other direction to be closed as well.
    Source: containerd, pkg/cri/server/sandbox_portforward_linux.go.
    """
    if response.length is not None or response.chunked:
        return response.read()
    found = b""
    while piece := response.read1():
        found += piece
        if found.lstrip()[:1] in (b"{", b"["):
            with suppress(ValueError):
                json.loads(found)
                break
    return found


def _is_silence(error: Exception) -> bool:
    return isinstance(error, _SILENCES)
