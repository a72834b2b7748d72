"""HTTP from the runner, over a route."""

from __future__ import annotations

import http.client

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage.retrying import ask_through
from nova_acceptance.vantage.routes import LOOPBACK, Route

_SILENCES = (OSError, http.client.HTTPException)


def exchange(route: Route, method: str, path: str, body: str | None = None) -> tuple[int, str]:
    """Send one HTTP request over a route; it may be sent twice where the API went away.

    Returns:
        The status and the body.

    Raises:
        ProbeError: nothing answered.
    """
    try:
        return ask_through(
            route, lambda: _exchange(route.port, method, path, body), is_silence=_is_silence
        )
    except _SILENCES as error:
        raise ProbeError(
            f"{route.target} did not answer {method} {path}",
            hint="is the pod ready? `kubectl get pods -A` shows it",
            evidence=[f"{type(error).__name__}: {error}"],
        ) from error


def _exchange(port: int, method: str, path: str, body: str | None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeouts.CONNECT)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    finally:
        connection.close()


def _is_silence(error: Exception) -> bool:
    return isinstance(error, _SILENCES)
